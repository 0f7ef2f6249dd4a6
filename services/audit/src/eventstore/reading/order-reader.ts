import { epochOf, type Ledger, type LogMessage } from '@meridian/journal';
import { parseSubject, type ParsedSubject } from '@meridian/wire';
import type { OrderedLog, OrderedMessage } from '../../order/ordered-log.ts';
import { holds, sees, type NamedStream } from '../names.ts';
import { positionOf, positionsPerRank, rankAt, recordedOf, type Recorded } from '../recorded.ts';
import type { Tail } from './tail.ts';

/** Which events of the one order are read. */
export interface Scope {
  /** The tenant of the key that asks. */
  readonly viewer: string;
  /** Only what one stream or category holds; everything the viewer sees when absent. */
  readonly stream?: NamedStream;
}

/** A part of the one order. */
export interface Page {
  readonly events: readonly Recorded[];
  /** Where to go on: forwards from here, backwards from before here. */
  readonly next: number;
  /** How many messages were looked at. */
  readonly looked: number;
  /** The last position looked at; undefined when there was nothing to look at. */
  readonly last: number | undefined;
  /** What the messages looked at took in memory. */
  readonly bytes: number;
}

const nothing: Page = { events: [], next: 0, looked: 0, last: undefined, bytes: 0 };
const firstPage = 256;
const longestPage = 4_096;
const pageBytes = 4 * 1_048_576;

/** How many messages to look at at a time: many where they are small, so that memory is bounded. */
export class Pace {
  limit = firstPage;

  /** Takes the last page into account. */
  took({ bytes, looked }: Page): void {
    if (looked === 0) return;
    const fitting = Math.floor((pageBytes * looked) / Math.max(1, bytes));
    this.limit = Math.max(1, Math.min(fitting, this.limit * 2, longestPage));
  }
}

export interface OrderReaderOptions {
  readonly ordered: OrderedLog;
  readonly ledger: Ledger;
  readonly tail: Tail;
}

/** Reads the one order: `$all` and the categories. */
export class OrderReader {
  readonly #options: OrderReaderOptions;

  constructor(options: OrderReaderOptions) {
    this.#options = options;
  }

  /** The position after the last event there is. */
  get end(): number {
    return positionOf(this.#options.ordered.size, 0);
  }

  /**
   * Events from a position on, that one among them.
   * @param limit how many messages are looked at
   */
  async forwards(from: number, scope: Scope, limit: number): Promise<Page> {
    const read = await this.#options.tail.read(rankAt(from), limit);
    return this.#page(read, scope, from, (event) => event.position >= from, 1);
  }

  /** Events before a position, the last one first. */
  async backwards(before: number, scope: Scope, limit: number): Promise<Page> {
    const from = Math.min(rankAt(before - 1), this.#options.ordered.size - 1);
    if (before <= 0 || from < 0) return nothing;
    const read = await this.#options.ordered.read({ from, direction: 'backwards', limit });
    return this.#page(read, scope, before, (event) => event.position < before, 0);
  }

  #page(
    read: readonly OrderedMessage[],
    scope: Scope,
    start: number,
    isWanted: (event: Recorded) => boolean,
    step: 0 | 1,
  ): Page {
    const events: Recorded[] = [];
    let next = start;
    let looked = 0;
    let last: number | undefined;
    const bytes = read.reduce((sum, { message }) => sum + message.data.length, 0);
    for (const { rank, message } of read) {
      const address = parseSubject(message.subject);
      const isVisible = address !== undefined && isInScope(address, scope);
      const verdict = isVisible ? this.#verdict(message, address) : 'counts';
      // The ledger is behind the log for a moment: what comes is read when it has caught up.
      if (verdict === 'unknown' && step === 1) break;
      last = positionOf(rank, 0);
      if (isVisible && verdict === 'counts') {
        const recorded = recordedOf(message, address, rank, scope.viewer);
        last = recorded.at(-1)?.position ?? last;
        for (const event of step === 1 ? recorded : recorded.toReversed()) {
          if (isWanted(event)) events.push(event);
        }
      }
      next = positionOf(rank + step, 0);
      looked += 1;
    }
    return { events, next, looked, last, bytes };
  }

  #verdict(message: LogMessage, { kind, home, region }: ParsedSubject) {
    if (kind === 'in') return 'counts';
    const epoch = epochOf(message);
    // What cannot be read has no epoch; it is shown as it is.
    if (!Number.isInteger(epoch)) return 'counts';
    return this.#options.ledger.verdict(home, epoch, region, message.sequence);
  }
}

const isInScope = (address: ParsedSubject, { viewer, stream }: Scope): boolean =>
  stream === undefined ? sees(viewer, address.tenant) : holds(stream, address);

/** The position at which somebody goes on who has seen everything up to one. */
export const after = (position: number): number => position + 1;

/** A position as a client names it; what is beyond all positions counts as that. */
export function readPosition(text: number | string | undefined): number {
  const position = Number(text ?? 0);
  const limit = Number.MAX_SAFE_INTEGER - positionsPerRank;
  return Number.isFinite(position) ? Math.min(Math.max(0, position), limit) : limit;
}
