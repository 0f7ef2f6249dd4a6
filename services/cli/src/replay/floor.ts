import { expectedRows, World, type Source } from '../check/index.ts';
import type { AgentRow } from '../commands/agents.ts';
import type { ContactAnswer } from '../commands/contact.ts';
import type { QueueRow } from '../commands/queues.ts';
import { usageFault } from '../fault.ts';
import type { EdgeClient } from '../http/client.ts';
import { meshTenant, placed, readMesh } from './mesh-log.ts';
import { placeText, sequenceIn, type Place } from './place.ts';

/** A contact as a list of the read models gives it. */
export type ContactRow = Omit<ContactAnswer, 'timeline' | 'timelineComplete'> & {
  readonly home: string;
};

/** How everything stood at a moment. */
export interface Floor {
  /** The moment as it was asked for: a time, or places. */
  readonly moment: string;
  /** Its time, RFC 3339: that of the last event where it was asked for by places; null without any. */
  readonly at: string | null;
  /** The last sequence that is in, by `EV_<region>.<home>`. */
  readonly places: Readonly<Record<string, number>>;
  readonly queues: readonly QueueRow[];
  readonly agents: readonly AgentRow[];
  /** Those that were living; with `withEnded` also those that had ended, as far as asked for. */
  readonly contacts: readonly ContactRow[];
}

const livingStates = 'IN_SYSTEM,IVR,QUEUED,OFFERED,CONNECTED,HELD,WRAP_UP';
const pageLimit = 500;

/** Tells whether no further contacts are wanted. They come by falling time of their beginning. */
export type Enough = (contact: ContactRow) => boolean;

/**
 * The floor as the edge rebuilds it over all regions.
 * @param withEnded whether contacts that had ended are wanted too, and from which on no more
 */
export async function edgeFloor(
  client: EdgeClient,
  place: Place,
  withEnded?: Enough,
): Promise<Floor> {
  const base = `/v1/as-of/${encodeURIComponent(placeText(place))}`;
  // The contacts first: where those that ended are wanted, the rest comes out of the same rebuilding.
  const living = withEnded === undefined ? `&state=${livingStates}` : '';
  const contacts = await rowsOf<ContactRow>(client, `${base}/contacts`, living, withEnded);
  const queues = await rowsOf<QueueRow>(client, `${base}/queues`);
  const agents = await rowsOf<AgentRow>(client, `${base}/agents`);
  return {
    ...contacts.asOf,
    at: 'timeMs' in place ? new Date(place.timeMs).toISOString() : lastTime(contacts.rows),
    contacts: contacts.rows,
    queues: queues.rows,
    agents: agents.rows,
  };
}

function lastTime(contacts: readonly ContactRow[]): string | null {
  const times = contacts.flatMap(({ initiatedAt, queuedAt, connectedAt, endedAt }) =>
    [initiatedAt, queuedAt, connectedAt, endedAt].filter((time) => time !== null),
  );
  return times.toSorted().at(-1) ?? null;
}

/** Every contact as of a moment, ended ones too, the newest first, page by page. */
export async function* edgeContacts(
  client: EdgeClient,
  place: Place,
): AsyncGenerator<readonly ContactRow[]> {
  const path = `/v1/as-of/${encodeURIComponent(placeText(place))}/contacts`;
  for (let after = ''; ;) {
    const answer: { readonly contacts: readonly ContactRow[]; readonly next: string | null } =
      await client.get(`${path}?limit=${pageLimit}${after}`);
    yield answer.contacts;
    if (answer.next === null) return;
    after = `&after=${encodeURIComponent(answer.next)}`;
  }
}

interface AsOf {
  readonly moment: string;
  readonly places: Readonly<Record<string, number>>;
}

async function rowsOf<Row extends { readonly id: string }>(
  client: EdgeClient,
  path: string,
  query = '',
  enough: (row: Row) => boolean = () => false,
): Promise<{ readonly rows: Row[]; readonly asOf: AsOf }> {
  const noun = path.slice(path.lastIndexOf('/') + 1);
  const rows: Row[] = [];
  for (let after = ''; ;) {
    const answer: Record<string, unknown> = await client.get(
      `${path}?limit=${pageLimit}${query}${after}`,
    );
    const page = answer[noun] as readonly Row[];
    const end = page.findIndex(enough);
    rows.push(...(end === -1 ? page : page.slice(0, end)));
    const next = answer['next'] as string | null;
    if (next === null || end !== -1) return { rows, asOf: answer['asOf'] as AsOf };
    after = `&after=${encodeURIComponent(next)}`;
  }
}

/**
 * The floor by a fold of this program's own, from exported streams: of each home everything before the
 * first entry that was decided after the moment.
 * Memory: every contact of the log up to there with `withEnded`, else those that live.
 */
export async function foldedFloor(
  sources: readonly Source[],
  place: Place,
  withEnded = false,
): Promise<Floor> {
  if ('sequence' in place && sources.length > 1) {
    throw usageFault(
      'A sequence is of one stream; several are read.\nGive a time, or places such as EV_eu:12,EV_us:7.',
    );
  }
  const worlds = new Map<string, World>();
  const ended = new Set<string>();
  const places: Record<string, number> = {};
  let atMs = Number.NEGATIVE_INFINITY;
  for await (const item of readMesh(sources).entries) {
    const { entry, home, tenant, timeMs } = item;
    if (tenant === meshTenant || ended.has(home)) continue;
    const upTo = sequenceIn(place, entry.stream);
    if ('timeMs' in place ? timeMs > place.timeMs : entry.sequence > (upTo ?? 0)) {
      ended.add(home);
      continue;
    }
    let world = worlds.get(home);
    if (world === undefined) worlds.set(home, (world = new World({ keepEnded: withEnded })));
    for (const { event } of placed(item)) world.apply(event, entry.sequence);
    places[`${entry.stream}.${home}`] = entry.sequence;
    atMs = Math.max(atMs, timeMs);
  }
  const at = 'timeMs' in place ? place.timeMs : atMs;
  return {
    moment: placeText(place),
    at: Number.isFinite(at) ? new Date(at).toISOString() : null,
    places: Object.fromEntries(Object.entries(places).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...merge([...worlds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, world]) => world)),
  };
}

type Rows = Pick<Floor, 'queues' | 'agents' | 'contacts'>;

/** The worlds of several homes as one: agents where they are signed in, queues added up. */
function merge(worlds: readonly World[]): Rows {
  const of = <Row>(model: 'contacts' | 'agents' | 'queues'): Row[] =>
    worlds.flatMap((world) => [...expectedRows(world, model, world.tenant).values()] as Row[]);
  const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): [string, Row[]][] =>
    [...Map.groupBy(rows, ({ id }) => id)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    contacts: of<ContactRow>('contacts').toSorted(newestFirst),
    agents: byId(of<AgentRow>('agents')).map(
      ([, rows]) => rows.toSorted(presentFirst)[0] as AgentRow,
    ),
    queues: byId(of<QueueRow>('queues')).map(([, rows]) => addUp(rows)),
  };
}

const newestFirst = (a: ContactRow, b: ContactRow): number =>
  Date.parse(b.initiatedAt) - Date.parse(a.initiatedAt) || (a.id < b.id ? 1 : -1);

function presentFirst(a: AgentRow, b: AgentRow): number {
  const offline = Number(a.presence === 'OFFLINE') - Number(b.presence === 'OFFLINE');
  return offline || Date.parse(b.presenceSince ?? '1970') - Date.parse(a.presenceSince ?? '1970');
}

function addUp(rows: readonly QueueRow[]): QueueRow {
  const [first] = rows;
  if (first === undefined || rows.length === 1) return first as QueueRow;
  const names = Object.keys(first.totals) as (keyof QueueRow['totals'])[];
  const totals = Object.fromEntries(
    names.map((name) => [name, rows.reduce((sum, row) => sum + row.totals[name], 0)]),
  ) as QueueRow['totals'] & {
    readonly answeredWithinServiceLevel: number;
    readonly sumWaitMs: number;
  };
  const { answered, abandoned } = totals;
  const since = rows.flatMap(({ longestWaitingSince }) => longestWaitingSince ?? []).toSorted();
  return {
    ...first,
    totals,
    waiting: rows.reduce((sum, { waiting }) => sum + waiting, 0),
    longestWaitingSince: since[0] ?? null,
    serviceLevel:
      answered + abandoned === 0
        ? null
        : totals.answeredWithinServiceLevel / (answered + abandoned),
    averageSpeedOfAnswerMs: answered === 0 ? null : totals.sumWaitMs / answered,
  };
}
