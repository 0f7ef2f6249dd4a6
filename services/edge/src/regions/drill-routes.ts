import { randomUUID } from 'node:crypto';
import type { DrillCompleted } from '@meridian/wire';
import { readDrillRequest } from '../http/admin-bodies.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { wholeNumber } from '../domain/query.ts';
import { jsonBody } from '../http/json-body.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Route } from '../http/route.ts';
import { drillBody, drillContent, drillsContent, storedContent } from './documented.ts';
import { storeMeshRequest } from './mesh-intake.ts';
import { readMeshEvents } from './mesh-log.ts';
import type { RegionParts } from './parts.ts';

const limits = { least: 1, most: 500, default: 50 } as const;

interface Drill extends DrillCompleted {
  readonly id: string;
  /** Where it is: `EV_eu:12`. */
  readonly at: string;
}

/** The drills on the log, the latest first. @throws Refusal 503 */
async function readDrills(parts: RegionParts): Promise<Drill[]> {
  await orRefuse(parts.ledgerKnown());
  const events = await orRefuse(readMeshEvents(parts, 'drill'));
  const drills = events.flatMap(({ event, at }) =>
    event.type === 'meridian.drill.completed.v1'
      ? [{ id: event.subject, ...event.data, at, time: event.time }]
      : [],
  );
  return drills
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))
    .map(({ time: _, ...drill }) => drill);
}

/** `GET` and `POST /v1/drills`, and one drill with its receipt. */
export function drillRoutes(parts: RegionParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/drills',
      scope: 'read',
      operationId: 'listDrills',
      tag: 'regions',
      summary: 'Past drills, the latest first, without their receipts',
      query: {
        limit: {
          description: 'How many at most',
          schema: { type: 'integer', minimum: 1, maximum: limits.most, default: limits.default },
        },
      },
      replies: { 200: { description: 'Drills', content: { 'application/json': drillsContent } } },
      refusals: [503],
      async handle({ query }: Call) {
        const limit = wholeNumber('limit', query.one('limit'), limits) ?? limits.default;
        const drills = await readDrills(parts);
        return { drills: drills.slice(0, limit).map(({ receipt: _, ...drill }) => drill) };
      },
    },
    {
      method: 'GET',
      path: '/v1/drills/{id}',
      scope: 'read',
      operationId: 'getDrill',
      tag: 'regions',
      summary: 'A drill with its receipt as it was signed',
      parameters: { id: { description: 'The id of the drill', schema: { type: 'string' } } },
      replies: { 200: { description: 'The drill', content: { 'application/json': drillContent } } },
      refusals: [404, 503],
      async handle({ parameters }: Call) {
        const id = parameters['id'] as string;
        const found = (await readDrills(parts)).find((drill) => drill.id === id);
        if (found !== undefined) return found;
        throw new Refusal('not-found', `There is no drill ${shown(id)}. See GET /v1/drills.`);
      },
    },
    {
      method: 'POST',
      path: '/v1/drills',
      scope: 'admin',
      operationId: 'recordDrill',
      tag: 'regions',
      summary: 'Keep the receipt of a drill on the log',
      body: { 'application/json': drillBody },
      replies: {
        202: { description: 'It is stored', content: { 'application/json': storedContent } },
      },
      refusals: [413, 415, 503],
      async handle(call: Call) {
        const { id = randomUUID(), data } = readDrillRequest(jsonBody(call));
        const { log, region, now } = parts;
        const stored = await storeMeshRequest(log, region, {
          type: 'meridian.drill.record.v1',
          entity: 'drill',
          subject: id,
          home: region,
          data,
          id,
          actor: call.key.id,
          now: now(),
        });
        call.reply.code(202);
        return stored;
      },
    },
  ];
}
