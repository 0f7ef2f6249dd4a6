import { epochOf, homeSource, type Ledger, type Log, type LogMessage } from '@meridian/journal';
import { eventStream } from '@meridian/wire';
import { Refusal } from '../../domain/problem.ts';
import type { Moment } from './moment.ts';

/** Where the past is read. */
export interface PastParts {
  readonly log: Log;
  /** Who decided for which home, and up to where it counts. */
  readonly ledger: Ledger;
  /** All regions, each the name of a home. */
  readonly regions: readonly string[];
}

/** What was read of one home. */
export interface HomePast {
  /** Of each source that was read, `EV_<region>.<home>`, the last sequence that is in. */
  readonly places: ReadonlyMap<string, number>;
  /** Whether the log goes on beyond the moment, so that nothing can be added to it any more. */
  readonly isFinal: boolean;
}

/** One stretch of a home's history: what one region wrote under one epoch, as far as it counts. */
export interface Stretch {
  readonly epoch: number;
  readonly region: string;
  /** The first and the last sequence; the last is absent while the epoch lasts. */
  readonly from: number;
  readonly upTo?: number;
}

/** The stretches of a home's history, in canonical order. */
export function stretchesOf(ledger: Ledger, home: string): Stretch[] {
  const ended = new Map<string, number>();
  return ledger.epochs(home).map(({ epoch, owner, upTo }) => {
    const from = (ended.get(owner) ?? 0) + 1;
    if (upTo !== undefined) ended.set(owner, upTo);
    return { epoch, region: owner, from, ...(upTo === undefined ? {} : { upTo }) };
  });
}

const timePattern = /"time":"([^"]*)"/;
const epochPattern = /"epoch":(\d+)/;
/** An entry says when and under which epoch it was decided before it says what, within so many bytes. */
const beginLength = 1_024;

/** The beginning of an entry's text. What is looked for in it is ASCII: other characters do not matter. */
function beginningOf({ data }: LogMessage): string {
  const length = Math.min(data.length, beginLength);
  return Buffer.from(data.buffer, data.byteOffset, length).toString('latin1');
}

/** The epoch under which an entry was written. */
function writtenUnder(message: LogMessage): number {
  const found = epochPattern.exec(beginningOf(message));
  return found === null ? epochOf(message) : Number(found[1]);
}

/** When the first event of an entry was decided, in epoch ms; when it was stored, if it says no time. */
export function decidedAtMs(message: LogMessage): number {
  const found = timePattern.exec(beginningOf(message)) ?? timePattern.exec(message.text());
  const timeMs = Date.parse(found?.[1] ?? '');
  return Number.isNaN(timeMs) ? message.storedAtMs : timeMs;
}

/**
 * Hands over what a tenant's log says of one home up to a moment, in canonical order, orphans left
 * out. Only what one projector of the home would have been handed too, in that order.
 * @param onBatch may throw to end the reading
 * @throws Refusal while the copy of a stream does not hold an epoch that ended
 */
export async function readHome(
  { log, ledger }: PastParts,
  { home, tenant, moment }: { home: string; tenant: string; moment: Moment },
  onBatch: (batch: readonly LogMessage[]) => void,
): Promise<HomePast> {
  const places = new Map<string, number>();
  for (const { epoch, region, from, upTo } of stretchesOf(ledger, home)) {
    const stream = eventStream(region);
    const last = await log.lastSequence(stream);
    if (upTo !== undefined && last < upTo) {
      throw new Refusal(
        'read-models-behind',
        `The copy of ${stream} ends at ${last} and does not hold epoch ${epoch} of ${home} whole (to ${upTo}) yet.`,
        {},
        { 'retry-after': '1' },
      );
    }
    const asked = 'places' in moment ? (moment.places.get(stream) ?? 0) : Infinity;
    const to = Math.min(asked, upTo ?? last, last);
    const filters = [`ev.${region}.${home}.${tenant}.>`];
    if (to >= from) {
      for await (const batch of log.replayBatches(stream, { from, to, filters })) {
        const own = batch.filter((message) => writtenUnder(message) === epoch);
        const past = before(own, moment);
        onBatch(past);
        const end = past.at(-1);
        if (end !== undefined) places.set(homeSource(region, home), end.sequence);
        if (past.length < own.length) return { places, isFinal: true };
      }
    }
    // What comes later in the history comes after this; a part of it alone was never to be seen.
    if (upTo === undefined ? asked <= last : asked < upTo) return { places, isFinal: true };
  }
  return { places, isFinal: false };
}

/** Those before the first one that was decided after the moment. */
function before(messages: readonly LogMessage[], moment: Moment): readonly LogMessage[] {
  if (!('timeMs' in moment)) return messages;
  const end = messages.findIndex((message) => decidedAtMs(message) > moment.timeMs);
  return end === -1 ? messages : messages.slice(0, end);
}
