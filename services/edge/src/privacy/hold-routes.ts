import { randomUUID } from 'node:crypto';
import { storePrivacyRequest } from '../access/index.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { jsonBody } from '../http/json-body.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Route } from '../http/route.ts';
import { checkReason, readHold, readResidency } from './bodies.ts';
import {
  holdBody,
  holdContent,
  holdsContent,
  pendingContent,
  residencyBody,
  residencyContent,
} from './documented.ts';
import { untilDecided, type PrivacyParts } from './parts.ts';
import { keysIn } from './subjects.ts';
import { holdView } from './views.ts';

const json = (content: object) => ({ 'application/json': content as typeof holdContent });
const stored = { description: 'It is stored', content: json(pendingContent) };

/** The routes of holds. */
export function holdRoutes(parts: PrivacyParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/privacy/holds',
      scope: 'admin',
      operationId: 'listHolds',
      tag: 'privacy',
      summary: 'Holds of the tenant, released ones too, the latest first',
      replies: { 200: { description: 'Holds', content: json(holdsContent) } },
      refusals: [503],
      handle({ key }: Call) {
        const { holds } = parts.privacy.of(key.tenant);
        return { holds: [...holds].map(([id, hold]) => holdView(id, hold)).toReversed() };
      },
    },
    {
      method: 'POST',
      path: '/v1/privacy/holds',
      scope: 'admin',
      operationId: 'placeHold',
      tag: 'privacy',
      summary: 'Keep keys from being destroyed until the hold is released',
      description:
        'Named by the identity, by contacts that are sealed with the keys, or by the keys. Keys that are ' +
        'being destroyed already are left out; where nothing is left it is refused.',
      body: json(holdBody),
      replies: { 200: { description: 'It stands', content: json(holdContent) }, 202: stored },
      refusals: [404, 409, 413, 415, 503],
      handle: (call: Call) => place(parts, call),
    },
    {
      method: 'DELETE',
      path: '/v1/privacy/holds/{id}',
      scope: 'admin',
      operationId: 'releaseHold',
      tag: 'privacy',
      summary: 'Release a hold; an erasure that only it blocked goes on at once',
      parameters: { id: { description: 'The id of the hold', schema: { type: 'string' } } },
      query: {
        reason: { description: 'Why', schema: { type: 'string', maxLength: 1_000 } },
      },
      replies: { 200: { description: 'It is released', content: json(holdContent) }, 202: stored },
      refusals: [404, 503],
      handle: (call: Call) => release(parts, call),
    },
  ];
}

async function place(parts: PrivacyParts, call: Call): Promise<unknown> {
  const { privacy, vault } = parts;
  const { tenant } = call.key;
  const {
    id = randomUUID(),
    contactIds,
    identity,
    reason,
    keyIds: named,
  } = readHold(jsonBody(call));
  if (identity !== undefined) checkReason(reason, identity);
  const mine = identity === undefined ? [] : await orRefuse(vault.keysOf(tenant, identity));
  const keyIds = new Set([
    ...named,
    ...mine.map(({ keyId }) => keyId),
    ...(await keysIn(parts, tenant, contactIds)),
  ]);
  if (keyIds.size === 0) {
    throw new Refusal('not-found', 'No key was found for what is to be held; nothing was stored.');
  }
  const doomed = new Set(
    [...privacy.of(tenant).erasures.values()].flatMap((one) =>
      one.state === 'BLOCKED' ? [] : one.keys.map((key) => key.id),
    ),
  );
  if ([...keyIds].every((keyId) => doomed.has(keyId))) {
    throw new Refusal('conflict', 'All of these keys are destroyed, or about to be: too late.');
  }
  const request = await storePrivacyRequest(parts, call, {
    type: 'meridian.privacy.place_hold.v1',
    data: {
      holdId: id,
      keyIds: [...keyIds],
      ...(contactIds.length === 0 ? {} : { contactIds: contactIds.slice(0, 100) }),
      reason,
    },
  });
  await untilDecided(privacy, () => privacy.of(tenant).holds.has(id));
  const hold = privacy.of(tenant).holds.get(id);
  if (hold !== undefined) return holdView(id, hold);
  call.reply.code(202);
  return { ...request, id };
}

async function release(parts: PrivacyParts, call: Call): Promise<unknown> {
  const { privacy } = parts;
  const { tenant } = call.key;
  const id = call.parameters['id'] as string;
  const known = privacy.of(tenant).holds.get(id);
  if (known === undefined) {
    throw new Refusal('not-found', `There is no hold ${shown(id)}. See GET /v1/privacy/holds.`);
  }
  if (known.isReleased) return holdView(id, known);
  const reason = call.query.one('reason');
  const request = await storePrivacyRequest(parts, call, {
    type: 'meridian.privacy.release_hold.v1',
    data: { holdId: id, ...(reason === undefined ? {} : { reason }) },
  });
  const isReleased = (): boolean => privacy.of(tenant).holds.get(id)?.isReleased === true;
  await untilDecided(privacy, isReleased);
  const hold = privacy.of(tenant).holds.get(id);
  if (hold?.isReleased === true) return holdView(id, hold);
  call.reply.code(202);
  return { ...request, id };
}

/** `GET` and `PUT /v1/privacy/residency`. */
export function residencyRoutes(parts: PrivacyParts): Route[] {
  const { privacy, regions } = parts;
  const viewOf = (tenant: string) => ({
    regions: privacy.residencyOf(tenant),
    isSet: privacy.of(tenant).residency !== undefined,
  });
  return [
    {
      method: 'GET',
      path: '/v1/privacy/residency',
      scope: 'admin',
      operationId: 'getResidency',
      tag: 'privacy',
      summary: 'The regions in which keys of the tenant may be',
      replies: { 200: { description: 'The set', content: json(residencyContent) } },
      refusals: [503],
      handle: ({ key }: Call) => viewOf(key.tenant),
    },
    {
      method: 'PUT',
      path: '/v1/privacy/residency',
      scope: 'admin',
      operationId: 'setResidency',
      tag: 'privacy',
      summary: 'Set the regions in which keys of the tenant may be, from now on',
      description:
        'Keys that were made before stay where they are. Homes of regions in the set are moved by ' +
        'a failover to regions in the set only.',
      body: json(residencyBody),
      replies: { 200: { description: 'It is set', content: json(residencyContent) }, 202: stored },
      refusals: [413, 415, 503],
      async handle(call: Call) {
        const { tenant } = call.key;
        const wanted = readResidency(jsonBody(call), regions);
        const isSo = (): boolean => (privacy.of(tenant).residency ?? []).join() === wanted.join();
        if (isSo()) return viewOf(tenant);
        const request = await storePrivacyRequest(parts, call, {
          type: 'meridian.privacy.set_residency.v1',
          data: { regions: wanted },
        });
        if (await untilDecided(privacy, isSo)) return viewOf(tenant);
        call.reply.code(202);
        return request;
      },
    },
  ];
}
