import {
  clientEdge, EdgeClient, IntakeIndex, LogCheck, playDay,
  type DayPlan, type LogCheckResult, type PlayerEdge, type PlayReport, type RawEntry, type SeenEvent,
  type StoredRequest,
} from '@meridian/cli';
import type { DevelopmentRegion } from '../src/index.ts';

/** How far a play has come: what was seen on the event stream, and what was asked for. */
export interface Progress {
  readonly events: number;
  readonly publications: number;
}

export interface Rehearsed {
  readonly report: PlayReport;
  readonly check: LogCheckResult;
  /** Every request that the edge said was stored. */
  readonly acknowledged: readonly StoredRequest[];
  /** The position and id of every event that came out of the stream, in the order they came. */
  readonly streamed: readonly string[];
  readonly intake: readonly RawEntry[];
  readonly decisions: readonly RawEntry[];
}

interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly revision: number;
  readonly time: string;
  readonly data: unknown;
}

export const eventsOf = ({ data }: RawEntry): readonly StoredEvent[] => JSON.parse(data) as StoredEvent[];

/** Whether an entry is the mesh's own, or says who read the log: when these are written depends on the machine. */
export const isOfMesh = ({ subject }: RawEntry): boolean => {
  const [, , , tenant, entity] = subject.split('.');
  return tenant === 'meridian' || entity === 'privacy';
};

/** Each event decided of the tenants with its position and id, as `Rehearsed.streamed` has them. */
export function storedPositions(decisions: readonly RawEntry[]): string[] {
  return decisions.filter((entry) => !isOfMesh(entry)).flatMap((entry) =>
    eventsOf(entry).map(({ id }, index) => `${entry.sequence}.${index} ${id}`));
}

/**
 * What was decided of the tenants, in an order that does not depend on how entries of different aggregates lie
 * between each other: aggregate, revision, type, when by the log's clock, and what.
 */
export function decided(decisions: readonly RawEntry[]): string[] {
  const ofTenants = decisions.filter((entry) => !isOfMesh(entry));
  return ofTenants.flatMap((entry) => eventsOf(entry).map(({ revision, type, time, data }) =>
    `${entry.subject} ${String(revision).padStart(6, '0')} ${type} ${time} ${JSON.stringify(data)}`)).toSorted();
}

/** The figures of a play that must not depend on what broke meanwhile. */
export function totals({ figures, eventsStored, requestsStored }: PlayReport) {
  const { contacts, served, abandoned, leftInIvr, unfinished } = figures;
  return { contacts, served, abandoned, leftInIvr, unfinished, eventsStored, requestsStored };
}

/**
 * Plays a day in lockstep against a region, over HTTP, and reads both logs back.
 * @param onProgress called within the play at each event seen and each request sent
 */
export async function rehearse(
  region: DevelopmentRegion, plan: DayPlan, onProgress: (progress: Progress) => void = () => {},
): Promise<Rehearsed> {
  const client = new EdgeClient({ url: region.url, key: region.key });
  try {
    const plain = clientEdge(client);
    const acknowledged: StoredRequest[] = [];
    const streamed: string[] = [];
    let publications = 0;
    const tell = (): void => onProgress({ events: streamed.length, publications });
    const edge: PlayerEdge = {
      ...plain,
      async publish(requests) {
        const stored = plain.publish(requests);
        publications += 1;
        tell();
        acknowledged.push(...await stored);
        return stored;
      },
      async *events(from, options) {
        for await (const streamedEvent of plain.events(from, options)) {
          const { sequence, index, event } = streamedEvent;
          const { id } = event as SeenEvent & { readonly id: string };
          if (!event.type.startsWith('meridian.privacy.')) streamed.push(`${sequence}.${index} ${id}`);
          tell();
          yield streamedEvent;
        }
      },
    };
    const report = await playDay({ edge, plan, real: null, speed: 'max', run: 'kill' });
    const { intake, decisions, check } = await readLogs(plain, region.region);
    return { report, check, acknowledged, streamed, intake, decisions };
  } finally {
    client.close();
  }
}

async function readLogs(edge: PlayerEdge, region: string) {
  const read = async (stream: string): Promise<RawEntry[]> => {
    const entries: RawEntry[] = [];
    for await (const batch of edge.log(stream)) entries.push(...batch);
    return entries;
  };
  const intake = await read(`IN_${region}`);
  const decisions = await read(`EV_${region}`);
  const index = new IntakeIndex();
  for (const entry of intake) index.add(entry);
  const check = new LogCheck({ intake: index });
  for (const entry of decisions) check.read(entry);
  return { intake, decisions, check: check.finish() };
}
