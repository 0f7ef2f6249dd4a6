import { readFailoverRequest } from '../http/admin-bodies.ts';
import { foldFailovers } from '../domain/failovers.ts';
import { ownerOf, recent } from '../domain/mesh-view.ts';
import { Refusal } from '../domain/problem.ts';
import { oneOf, wholeNumber } from '../domain/query.ts';
import { jsonBody } from '../http/json-body.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Route } from '../http/route.ts';
import { failoverBody, failoversContent, storedContent } from './documented.ts';
import { storeMeshRequest } from './mesh-intake.ts';
import { readMeshEvents } from './mesh-log.ts';
import { factsOf, type RegionParts } from './parts.ts';

const limits = { least: 1, most: 500, default: 50 } as const;

/** `GET` and `POST /v1/failovers`. */
export function failoverRoutes(parts: RegionParts): Route[] {
  const { regions } = parts;
  return [
    {
      method: 'GET',
      path: '/v1/failovers',
      scope: 'read',
      operationId: 'listFailovers',
      tag: 'regions',
      summary: 'Failovers as the log tells them, the latest first',
      query: {
        home: { description: 'Only of this home', schema: { type: 'string', enum: regions } },
        limit: {
          description: 'How many at most',
          schema: { type: 'integer', minimum: 1, maximum: limits.most, default: limits.default },
        },
      },
      replies: {
        200: { description: 'Failovers', content: { 'application/json': failoversContent } },
      },
      refusals: [503],
      async handle({ query }: Call) {
        const asked = query.one('home');
        const home = asked === undefined ? undefined : oneOf('home', asked, regions);
        const limit = wholeNumber('limit', query.one('limit'), limits) ?? limits.default;
        await orRefuse(parts.ledgerKnown());
        const all = foldFailovers(await orRefuse(readMeshEvents(parts, 'ownership')));
        const failovers = all.filter((one) => home === undefined || one.home === home);
        return { failovers: failovers.slice(0, limit) };
      },
    },
    {
      method: 'POST',
      path: '/v1/failovers',
      scope: 'admin',
      operationId: 'requestFailover',
      tag: 'regions',
      summary: 'Ask for a home to be decided for by another region',
      description:
        'Stored as meridian.failover.request.v1 of the tenant meridian; recovery carries it out. Look at the plan ' +
        'before, and at GET /v1/failovers for what comes of it. To the home itself, it is a failback.',
      body: { 'application/json': failoverBody },
      replies: {
        202: { description: 'It is stored', content: { 'application/json': storedContent } },
      },
      refusals: [409, 413, 415, 503],
      handle: (call: Call) => request(parts, call),
    },
  ];
}

async function request(parts: RegionParts, call: Call): Promise<object> {
  const { log, region, regions } = parts;
  const { home, data, id } = readFailoverRequest(jsonBody(call), regions);
  const facts = await orRefuse(factsOf(parts));
  const own = recent(facts.heard, region);
  if (own === undefined) {
    throw new Refusal(
      'recovery-away',
      `The recovery of ${region} has said nothing for some seconds; nothing was stored. ` +
        'Start it, or ask another region.',
      {},
      { 'retry-after': '5' },
    );
  }
  const { owner } = ownerOf(facts, home, own);
  // With the glass broken its owner goes on without a lease.
  if (owner === data['to'] && data['breakGlass'] !== true) {
    throw new Refusal('conflict', `${owner} decides for ${home} already; nothing was stored.`);
  }
  const stored = await storeMeshRequest(log, region, {
    type: 'meridian.failover.request.v1',
    entity: 'failover',
    subject: home,
    home,
    data,
    actor: call.key.id,
    now: parts.now(),
    ...(id === undefined ? {} : { id }),
  });
  call.reply.code(202);
  return stored;
}
