import { hash } from 'node:crypto';
import { OwnershipLedger, type Observation, type RawEntry } from '@meridian/cli';
import { eventStream } from '@meridian/wire';
import { promised, type Evidence } from './exercises/exercise.ts';

/** An entry of a contact, as far as its place in the history goes. */
interface Told {
  readonly contact: string;
  readonly home: string;
  readonly region: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly digest: string;
}

/**
 * The canonical history of every contact by one region's copies alone: the entries that count by the
 * ledger, by epoch, then by sequence.
 * @returns a digest of each contact's history, by `<tenant>.<id>`
 */
export async function historiesOf(
  streams: Iterable<AsyncIterable<RawEntry>>,
): Promise<Map<string, string>> {
  const ledger = new OwnershipLedger();
  const told: Told[] = [];
  for (const entries of streams) {
    for await (const entry of entries) {
      ledger.learn(entry);
      const [, region = '', home = '', tenant, entity, id] = entry.subject.split('.');
      if (entity !== 'contact') continue;
      const epoch = Number(/"epoch":(\d+),/.exec(entry.data)?.[1] ?? 0);
      const digest = hash('sha256', entry.data);
      const { sequence } = entry;
      told.push({ contact: `${tenant}.${id}`, home, region, epoch, sequence, digest });
    }
  }
  const counted = told
    .filter((one) => ledger.verdict(one.home, one.epoch, one.region, one.sequence) === 'counts')
    .toSorted((a, b) => a.epoch - b.epoch || a.sequence - b.sequence);
  const histories = new Map<string, string>();
  for (const { contact, home, digest } of counted) {
    histories.set(contact, hash('sha256', `${histories.get(contact) ?? ''} ${home} ${digest}`));
  }
  return histories;
}

/** The contacts of which not all tell the same. */
export function contactsThatDiffer(all: readonly ReadonlyMap<string, string>[]): string[] {
  const contacts = new Set(all.flatMap((histories) => [...histories.keys()]));
  return [...contacts].filter(
    (contact) => new Set(all.map((histories) => histories.get(contact))).size > 1,
  );
}

/** Reads every region's copies, and compares what they say of each contact. */
export async function judgeHistories({ stage, entries }: Evidence): Promise<Observation> {
  const all: Map<string, string>[] = [];
  for (const region of stage.regions) {
    all.push(await historiesOf(stage.regions.map((of) => entries(region, eventStream(of)))));
  }
  return promised(
    'ONE_HISTORY',
    'Every contact has the same history in every region',
    contactsThatDiffer(all).length,
    'at most',
    0,
    'contacts',
  );
}
