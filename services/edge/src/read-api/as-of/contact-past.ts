import { epochOf, type Log, type LogMessage } from '@meridian/journal';
import { decodeForProjection, foldRows, type RecordedEvent, type Row } from '@meridian/readmodel';
import { eventStream, eventSubject } from '@meridian/wire';
import {
  contacts,
  contactsProjection,
  timeline,
  timelineProjection,
  type ContactRow,
  type TimelineRow,
} from '../../projections/index.ts';
import { byTime, timelineLimit, type ContactWithTimeline } from '../queries.ts';
import type { Moment } from './moment.ts';
import { decidedAtMs, stretchesOf, type PastParts, type Stretch } from './past.ts';
import { asStored } from './stored.ts';

/** How many entries of the partitions are looked through for one contact's timeline. */
const partitionEntriesLimit = 200_000;
/** How far the clocks of two regions' streams may be apart, in ms. */
const clockSlackMs = 60_000;

interface Asked {
  readonly tenant: string;
  readonly id: string;
  readonly moment: Moment;
}

/** A contact as it was; `isWhole` says whether its timeline has all that the partitions decided. */
export interface PastContact extends ContactWithTimeline {
  readonly isWhole: boolean;
}

/**
 * One contact at a moment. Its row needs its own subject's entries alone; its timeline also what the
 * partitions decided about it, which is looked for from when it began.
 * @returns undefined when there was no such contact yet
 */
export async function readContact(
  parts: PastParts,
  asked: Asked,
): Promise<PastContact | undefined> {
  const { tenant, id, moment } = asked;
  const own: LogMessage[] = [];
  for (const home of parts.regions) {
    for (const stretch of stretchesOf(parts.ledger, home)) {
      const subject = eventSubject(stretch.region, home, { tenant, entity: 'contact', id });
      const messages = await parts.log.load(eventStream(stretch.region), subject, stretch.from);
      own.push(...messages.filter((message) => isIn(message, stretch, moment)));
    }
  }
  const events = own.flatMap((message) => decodeForProjection(message).events);
  const contact = rowOf(events);
  const [first] = own;
  if (contact === undefined || first === undefined) return undefined;
  const sinceMs = own.reduce((least, one) => Math.min(least, one.storedAtMs), first.storedAtMs);
  const decided = await readPartitions(parts, asked, sinceMs - clockSlackMs);
  const rows = [...events, ...decided.events]
    .flatMap((event) => timelineProjection.rows(event) as TimelineRow[])
    .filter(({ contactId }) => contactId === id)
    .map((row) => asStored(timeline, row))
    .toSorted(byPlace)
    .slice(0, timelineLimit + 1);
  return { contact, events: byTime(rows), isWhole: decided.isWhole };
}

function rowOf(events: readonly RecordedEvent[]): ContactRow | undefined {
  const rows = new Map<string, Row>();
  foldRows(contactsProjection, rows, events, () => {});
  const [latest] = ([...rows.values()] as ContactRow[]).toSorted(
    (a, b) => b.initiatedAt.getTime() - a.initiatedAt.getTime(),
  );
  return latest && asStored(contacts, latest);
}

/** Whether an entry belongs to a stretch of its home's history, and was there at the moment. */
function isIn(message: LogMessage, { epoch, upTo }: Stretch, moment: Moment): boolean {
  const { stream, sequence } = message;
  if (sequence > (upTo ?? Infinity) || epochOf(message) !== epoch) return false;
  if ('places' in moment) return sequence <= (moment.places.get(stream) ?? 0);
  return decidedAtMs(message) <= moment.timeMs;
}

/** What the partitions of all homes decided about a contact. */
async function readPartitions(
  { log, ledger, regions }: PastParts,
  { tenant, id, moment }: Asked,
  sinceMs: number,
): Promise<{ readonly events: RecordedEvent[]; readonly isWhole: boolean }> {
  const events: RecordedEvent[] = [];
  const named = JSON.stringify(id);
  let read = 0;
  for (const home of regions) {
    for (const stretch of stretchesOf(ledger, home)) {
      const { region, upTo } = stretch;
      const stream = eventStream(region);
      const last = await log.lastSequence(stream);
      const from = Math.max(stretch.from, await firstStoredFrom(log, stream, last, sinceMs));
      const asked = 'places' in moment ? (moment.places.get(stream) ?? 0) : last;
      const to = Math.min(asked, upTo ?? last, last);
      if (to < from) continue;
      const filters = [`ev.${region}.${home}.${tenant}.routing.*`];
      for await (const batch of log.replayBatches(stream, { from, to, filters })) {
        read += batch.length;
        for (const message of batch) {
          if (!message.text().includes(named) || !isIn(message, stretch, moment)) continue;
          events.push(...decodeForProjection(message).events);
        }
        if (read > partitionEntriesLimit) return { events, isWhole: false };
        // A partition has one writer, and its time never goes back.
        const end = batch.at(-1);
        if ('timeMs' in moment && end !== undefined && decidedAtMs(end) > moment.timeMs) break;
      }
    }
  }
  return { events, isWhole: true };
}

/** The first sequence of a stream that was stored at or after a time, in epoch ms. */
export async function firstStoredFrom(
  log: Log,
  stream: string,
  last: number,
  atMs: number,
): Promise<number> {
  let [low, high] = [1, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await log.get(stream, middle);
    // What is not there any more was dropped from the front.
    if (message === undefined || message.storedAtMs < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byPlace(a: TimelineRow, b: TimelineRow): number {
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.sequence - b.sequence || a.index - b.index;
}
