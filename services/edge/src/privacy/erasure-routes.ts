import { randomUUID } from 'node:crypto';
import { holdsOn, type Erasure } from '@meridian/privacy';
import { reasonHeaders, storePrivacyRequest } from '../access/index.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { jsonBody } from '../http/json-body.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Route } from '../http/route.ts';
import { readErasure, readIdentity } from './bodies.ts';
import {
  erasureBody,
  erasureContent,
  erasuresContent,
  pendingContent,
  subjectBody,
  subjectContent,
} from './documented.ts';
import { untilDecided, type PrivacyParts } from './parts.ts';
import { contactsOf, keysById, subjectView } from './subjects.ts';
import { erasureView } from './views.ts';

const json = (content: object) => ({ 'application/json': content as typeof erasureContent });

const viewOf = ({ privacy }: PrivacyParts, tenant: string, id: string, erasure: Erasure) => {
  const keyIds = erasure.keys.map((key) => key.id);
  return erasureView(id, erasure, holdsOn(privacy.of(tenant), keyIds));
};

/** `POST /v1/privacy/subjects` and the routes of erasures. */
export function erasureRoutes(parts: PrivacyParts): Route[] {
  const { privacy } = parts;
  return [
    {
      method: 'POST',
      path: '/v1/privacy/subjects',
      scope: 'admin',
      operationId: 'findSubject',
      tag: 'privacy',
      summary: 'Whose data there is: keys, contacts sealed with them, other keys in these, holds',
      description:
        'Of the keys that this region holds. Contacts are found in an index of the read models, of all homes, as far ' +
        'as these have come. The identity is stored nowhere.',
      headers: reasonHeaders,
      body: json(subjectBody),
      replies: { 200: { description: 'What was found', content: json(subjectContent) } },
      refusals: [413, 415, 503],
      async handle(call: Call) {
        const identity = readIdentity(jsonBody(call));
        await parts.access.record(call, 'SUBJECTS', '/v1/privacy/subjects');
        const { tenant } = call.key;
        const keys = await orRefuse(parts.vault.keysOf(tenant, identity));
        return subjectView(parts, tenant, keys);
      },
    },
    {
      method: 'POST',
      path: '/v1/privacy/erasures',
      scope: 'admin',
      operationId: 'eraseSubject',
      tag: 'privacy',
      summary: 'Destroy keys in every region that may hold them',
      description:
        'What is sealed with them can be read by nobody afterwards; the log stays as it is. It cannot be ' +
        'undone. While a hold stands on one of the keys it waits. Answers 202 when it is stored and ' +
        'not decided within 3 s.',
      body: json(erasureBody),
      replies: {
        200: { description: 'It is decided', content: json(erasureContent) },
        202: { description: 'It is stored', content: json(pendingContent) },
      },
      refusals: [404, 409, 413, 415, 503],
      handle: (call: Call) => erase(parts, call),
    },
    {
      method: 'GET',
      path: '/v1/privacy/erasures',
      scope: 'admin',
      operationId: 'listErasures',
      tag: 'privacy',
      summary: 'Erasures of the tenant, the latest first',
      replies: { 200: { description: 'Erasures', content: json(erasuresContent) } },
      refusals: [503],
      async handle({ key }: Call) {
        const { erasures } = privacy.of(key.tenant);
        const all = [...erasures].map(([id, one]) => viewOf(parts, key.tenant, id, one));
        return { erasures: all.toReversed() };
      },
    },
    {
      method: 'GET',
      path: '/v1/privacy/erasures/{id}',
      scope: 'admin',
      operationId: 'getErasure',
      tag: 'privacy',
      summary: 'An erasure: which regions have destroyed the keys; when all have, its certificate',
      parameters: { id: { description: 'The id of the erasure', schema: { type: 'string' } } },
      replies: { 200: { description: 'The erasure', content: json(erasureContent) } },
      refusals: [404, 503],
      async handle({ key, parameters }: Call) {
        const id = parameters['id'] as string;
        const erasure = privacy.of(key.tenant).erasures.get(id);
        if (erasure !== undefined) return viewOf(parts, key.tenant, id, erasure);
        throw new Refusal(
          'not-found',
          `There is no erasure ${shown(id)}. See GET /v1/privacy/erasures.`,
        );
      },
    },
  ];
}

async function erase(parts: PrivacyParts, call: Call): Promise<unknown> {
  const { privacy } = parts;
  const { id = randomUUID(), keyIds, reason } = readErasure(jsonBody(call));
  const { tenant } = call.key;
  const known = privacy.of(tenant).erasures.get(id);
  if (known !== undefined) {
    const isSame =
      known.keys.length === keyIds.length && known.keys.every((key) => keyIds.includes(key.id));
    if (isSame) return viewOf(parts, tenant, id, known);
    throw new Refusal('conflict', `The erasure ${shown(id)} is one of other keys.`);
  }
  const keys = await keysById(parts, tenant, keyIds);
  const contacts = await contactsOf(parts, tenant, keyIds);
  const stored = await storePrivacyRequest(parts, call, {
    type: 'meridian.privacy.erase_subject.v1',
    data: {
      erasureId: id,
      keys: keys.map(({ keyId, residency }) => ({ id: keyId, regions: residency })),
      contacts,
      reason,
    },
  });
  const found = (): Erasure | undefined => privacy.of(tenant).erasures.get(id);
  await untilDecided(privacy, () => found() !== undefined);
  const erasure = found();
  if (erasure !== undefined) return viewOf(parts, tenant, id, erasure);
  call.reply.code(202);
  return { ...stored, id };
}
