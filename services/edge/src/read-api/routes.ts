import { isDatabaseAway, type Positions } from '@meridian/readmodel';
import { eventStream, identifierPattern } from '@meridian/wire';
import { parseVector } from '../domain/position.ts';
import type { BlastRadius } from '../domain/failover-plan.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { wholeNumber, type QueryValues } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import { reasonHeader, reasonHeaders, type AccessBook } from '../access/index.ts';
import type { Call, Route } from '../http/route.ts';
import { checkMayOpen, personalParameter, type Opening } from '../personal/index.ts';
import { placesOf, type ReadModels } from '../projections/index.ts';
import {
  agentsParameters,
  atLeastParameter,
  contactsParameters,
  listReply,
  oneReply,
  pageParameters,
} from './documented.ts';
import { homesOf, noSuchContact, pageOf, wantedContacts } from './page.ts';
import {
  agentOf,
  agentsOf,
  contactOf,
  contactsOf,
  queueOf,
  queuesOf,
  radiusOf,
  readAt,
  type Page,
  type Reader,
} from './queries.ts';
import { agentView, contactView, contactWithTimelineView, queueView } from './views.ts';

/** How long a request waits for the read models to reach what it asks for, in ms. */
const atLeastTimeoutMs = 2_000;

/** What the routes need of the read models. */
export type Readable = Pick<
  ReadModels,
  'database' | 'region' | 'projector' | 'projectors' | 'reached' | 'isReady'
>;

/**
 * `GET /v1/contacts`, `/v1/queues`, `/v1/agents`, and one of each by its id.
 * @param opening what opens personal texts of a contact where it is asked for
 * @param access where it is recorded who reads a contact and says why; nowhere when absent
 */
export function readRoutes(
  models: Readable,
  opening?: Pick<Opening, 'view'>,
  access?: Pick<AccessBook, 'record'>,
): Route[] {
  const regions = [...models.projectors.keys()];
  return [
    list(
      models,
      'contacts',
      'List contacts, the newest first',
      contactsParameters,
      async (reader, call, page) => {
        const rows = await contactsOf(reader, { ...page, ...wantedContacts(call, regions) });
        if (rows !== undefined) return rows.map(contactView);
        throw noSuchContact(page);
      },
    ),
    one(
      models,
      'contact',
      'A contact: state, queue, agent, times, timeline',
      async (reader, tenant, id) => {
        const found = await contactOf(reader, tenant, id);
        return found && contactWithTimelineView(found);
      },
      opening,
      access,
    ),
    list(
      models,
      'queues',
      'List queues by id, with who waits, service level and ASA',
      pageParameters,
      async (reader, _, page) =>
        (await queuesOf(reader, page)).map((queue) => queueView(queue, models.region)),
    ),
    one(
      models,
      'queue',
      'A queue: settings, who waits, totals, service level and ASA',
      async (reader, tenant, id) => {
        const found = await queueOf(reader, tenant, id);
        return found && queueView(found, models.region);
      },
    ),
    list(
      models,
      'agents',
      'List agents by id, with presence and channels',
      agentsParameters,
      async (reader, call, page) =>
        (await agentsOf(reader, { ...page, homes: homesOf(call, regions) })).map(agentView),
    ),
    one(
      models,
      'agent',
      'An agent: presence, channels, open reservations',
      async (reader, tenant, id) => {
        const found = await agentOf(reader, tenant, id);
        return found && agentView(found);
      },
    ),
  ];
}

type View = Record<string, unknown>;
type Noun = 'contact' | 'queue' | 'agent';

function one(
  models: Readable,
  noun: Noun,
  summary: string,
  find: (reader: Reader, tenant: string, id: string) => Promise<View | undefined>,
  opening?: Pick<Opening, 'view'>,
  access?: Pick<AccessBook, 'record'>,
): Route {
  return {
    method: 'GET',
    path: `/v1/${noun}s/{id}`,
    scope: 'read',
    operationId: `get${capital(noun)}`,
    tag: 'read models',
    summary,
    parameters: { id: { description: `The id of the ${noun}`, schema: { type: 'string' } } },
    query: { ...atLeastParameter, ...(opening === undefined ? {} : personalParameter) },
    ...(access === undefined ? {} : { headers: reasonHeaders }),
    replies: { 200: oneReply(noun) },
    refusals: [503],
    async handle(call: Call) {
      checkMayOpen(call);
      // Who says why asks for an explanation; an ordinary read is nobody's business.
      if (access !== undefined && call.request.headers[reasonHeader] !== undefined) {
        await access.record(call, 'EXPLANATION', call.request.url.split('?')[0] ?? '');
      }
      const id = call.parameters['id'] as string;
      const missing = (): Refusal =>
        new Refusal(
          'not-found',
          `There is no ${noun} ${shown(id)}. It may have been accepted and not be decided yet: ?atLeast= waits.`,
        );
      if (!identifierPattern.test(id)) throw missing();
      const { position, result } = await read(models, call, (reader) =>
        find(reader, call.key.tenant, id),
      );
      if (result === undefined) throw missing();
      const answer = { ...result, position };
      return opening === undefined ? answer : opening.view(call, answer);
    },
  };
}

function list(
  models: Readable,
  noun: `${Noun}s`,
  summary: string,
  query: Route['query'],
  find: (reader: Reader, call: Call, page: Page) => Promise<View[]>,
): Route {
  return {
    method: 'GET',
    path: `/v1/${noun}`,
    scope: 'read',
    operationId: `list${capital(noun)}`,
    tag: 'read models',
    summary,
    ...(query === undefined ? {} : { query }),
    replies: { 200: listReply(noun) },
    refusals: [503],
    async handle(call: Call) {
      const page = pageOf(call);
      const { position, result } = await read(models, call, (reader) => find(reader, call, page));
      const items = result.slice(0, page.limit);
      const next = result.length > page.limit ? items.at(-1)?.['id'] : null;
      return { [noun]: items, next, position };
    },
  };
}

/** What an answer embodies: of this region's own stream, and among several of every home. */
interface Position {
  readonly stream: string;
  readonly sequence: number;
  /** How much of what a region wrote for a home, by `EV_<region>.<home>`; where there are several. */
  readonly places?: Readonly<Record<string, number>>;
}

interface Answer<T> {
  readonly position: Position;
  readonly result: T;
}

/** Waits for what `atLeast` asks, reads, and says in a header how far the answer goes. */
async function read<T>(
  models: Readable,
  { query, reply }: Call,
  find: (reader: Reader) => Promise<T>,
): Promise<Answer<T>> {
  const { database, projectors } = models;
  await atLeast(models, query);
  try {
    const names = [...projectors.values()].map(({ name }) => name);
    const { positions, result } = await readAt(database, names, find);
    const position = positionOf(models, positions);
    const { stream, sequence, places } = position;
    const told =
      places === undefined
        ? `${stream}:${sequence}`
        : Object.entries(places)
            .map(([source, place]) => `${source}:${place}`)
            .join(',');
    void reply.header('Meridian-Position', told);
    return { position, result };
  } catch (error) {
    if (error instanceof Refusal || !isDatabaseAway(error)) throw error;
    throw new Refusal(
      'read-models-unavailable',
      'The database of the read models does not answer. Nothing is lost; try again later.',
      {},
      { 'retry-after': '2' },
    );
  }
}

function positionOf({ region, projector, projectors }: Readable, positions: Positions): Position {
  const { stream } = projector;
  const places = placesOf(positions);
  const sequence = places[`${stream}.${region}`] ?? 0;
  return { stream, sequence, ...(projectors.size > 1 ? { places } : {}) };
}

async function atLeast(models: Readable, query: QueryValues): Promise<void> {
  const { isReady, projector, projectors } = models;
  const asked = placesAsked(models, query.one('atLeast'));
  if (!isReady) {
    throw new Refusal(
      'read-models-unavailable',
      'The read models are being opened; try again later.',
      {},
      { 'retry-after': '2' },
    );
  }
  for (const [stream, sequence] of asked) {
    if (await orRefuse(models.reached(stream, sequence, atLeastTimeoutMs))) continue;
    const { position } = projector;
    const how = projectors.size > 1 ? '' : ` embody ${stream} up to ${position}, and`;
    throw new Refusal(
      'read-models-behind',
      `The read models${how} do not embody ${stream} up to ${sequence} after ${atLeastTimeoutMs} ms. ` +
        'Try again later, or without atLeast.',
      { position: { stream: projector.stream, sequence: position } },
      { 'retry-after': '1' },
    );
  }
}

/** A sequence of this region's stream, or places such as `EV_eu:12,EV_us:7`. */
function placesAsked(
  { projector, projectors }: Readable,
  text: string | undefined,
): readonly (readonly [stream: string, sequence: number])[] {
  if (text === undefined) return [];
  const vector = parseVector([...projectors.keys()].map(eventStream), text);
  if (vector !== undefined) return [...vector].map(([stream, { sequence }]) => [stream, sequence]);
  const sequence = wholeNumber('atLeast', text, { least: 0, most: Number.MAX_SAFE_INTEGER });
  return [[projector.stream, sequence as number]];
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Who lives at a home; undefined while the read models cannot say. */
export async function radiusAt(
  { database, projectors, isReady }: Readable,
  home: string,
): Promise<BlastRadius | undefined> {
  if (!isReady) return undefined;
  try {
    const names = [...projectors.values()].map(({ name }) => name);
    return (await readAt(database, names, (reader) => radiusOf(reader, home))).result;
  } catch (error) {
    if (isDatabaseAway(error)) return undefined;
    throw error;
  }
}
