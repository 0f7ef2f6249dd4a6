import { LogUnavailable, type Log, type LogMessage } from '@meridian/journal';
import type { FollowedOrder } from './followed-order.ts';
import type { OrderedLog, OrderedMessage } from './ordered-log.ts';
import type { StreamEnds } from './stream-ends.ts';

export interface LogInOrderOptions {
  readonly log: Log;
  readonly order: FollowedOrder;
  readonly ends: Pick<StreamEnds, 'last'>;
  /** Told when the log does not say how far it is held; it is asked again. */
  readonly onFault: (error: unknown) => void;
}

/** How soon it looks again whether a copy has come to what is ordered already, in ms. */
const lookAgainMs = 50;
/** So many messages of a stream are got one by one; more are replayed. */
const singles = 4;

/** The messages of all streams in order, read from the copies held here as far as these go. */
export class LogInOrder implements OrderedLog {
  readonly #options: LogInOrderOptions;
  readonly #listeners = new Set<() => void>();
  /** How far each stream is known to be held here. */
  readonly #held = new Map<string, number>();
  #size = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #unlisten: () => void;

  constructor(options: LogInOrderOptions) {
    this.#options = options;
    this.#unlisten = options.order.onMoved(() => this.#look());
    this.#look();
  }

  get size(): number {
    return Math.min(this.#size, this.#options.order.ranks.size);
  }

  rankOf(stream: string, sequence: number): number | undefined {
    const rank = this.#options.order.ranks.rankOf(stream, sequence);
    return rank === undefined || rank >= this.size ? undefined : rank;
  }

  onGrown(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async read({
    from,
    direction,
    limit,
  }: Parameters<OrderedLog['read']>[0]): Promise<readonly OrderedMessage[]> {
    const isForwards = direction === 'forwards';
    const first = Math.max(0, isForwards ? from : from - limit + 1);
    const end = Math.min(this.size, isForwards ? from + limit : from + 1);
    if (first >= end) return [];
    const runs = [...this.#options.order.ranks.runs(first, end)];
    // Of each stream these ranks are one stretch of sequences: it is read in one go.
    const stretches = new Map<string, { from: number; to: number }>();
    for (const { stream, from, to } of runs) {
      const stretch = stretches.get(stream);
      if (stretch === undefined) stretches.set(stream, { from, to });
      else stretch.to = to;
    }
    const read = new Map<string, { readonly from: number; readonly messages: LogMessage[] }>();
    await Promise.all(
      [...stretches].map(async ([stream, { from, to }]) => {
        read.set(stream, { from, messages: await this.#stretch(stream, from, to) });
      }),
    );
    const ordered: OrderedMessage[] = [];
    for (const run of runs) {
      const { from, messages } = read.get(run.stream) as { from: number; messages: LogMessage[] };
      for (let sequence = run.from; sequence <= run.to; sequence += 1) {
        const message = messages[sequence - from] as LogMessage;
        ordered.push({ rank: run.rank + sequence - run.from, message });
      }
    }
    return isForwards ? ordered : ordered.reverse();
  }

  /** Resolves when nothing is being asked any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#listeners.clear();
    await this.#looking;
  }

  /** All messages of a stream between two sequences. @throws LogUnavailable when one is not there */
  async #stretch(stream: string, from: number, to: number): Promise<LogMessage[]> {
    const { log } = this.#options;
    const messages: LogMessage[] = [];
    if (to - from < singles) {
      const sequences = Array.from({ length: to - from + 1 }, (_, index) => from + index);
      const got = await Promise.all(sequences.map((sequence) => log.get(stream, sequence)));
      for (const message of got) if (message !== undefined) messages.push(message);
    } else {
      for await (const batch of log.replayBatches(stream, { from, to })) {
        for (const message of batch) messages.push(message);
      }
    }
    const wrong = messages.findIndex(({ sequence }, index) => sequence !== from + index);
    const missing = wrong === -1 ? from + messages.length : from + wrong;
    if (missing <= to) {
      throw new LogUnavailable(
        `The copy of ${stream} held here lacks message ${missing}, which is ordered.`,
        'Recovery mends copies by itself; see meridian check --copies.',
      );
    }
    return messages;
  }

  /** The order has moved: looks how far it can be read here. */
  #look(): void {
    this.#again = true;
    if (this.#looking !== undefined || this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#looking = this.#lookUntilDone().then(
      (isBehind) => {
        this.#looking = undefined;
        if (isBehind || this.#again) this.#lookSoon();
      },
      (error: unknown) => {
        this.#looking = undefined;
        this.#options.onFault(error);
        this.#lookSoon();
      },
    );
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#again ? 0 : lookAgainMs);
    this.#timer.unref();
  }

  /** @returns whether more is ordered than is held here */
  async #lookUntilDone(): Promise<boolean> {
    const { order, ends } = this.#options;
    this.#again = false;
    const { ranks } = order;
    await Promise.all(
      ranks.streams
        .filter((stream) => ranks.end(stream) > (this.#held.get(stream) ?? 0))
        .map(async (stream) => this.#held.set(stream, await ends.last(stream))),
    );
    // What was ordered is given anew: it begins again with what is ordered now.
    if (order.ranks !== ranks) return true;
    let size = Math.min(this.#size, ranks.size);
    for (const { rank, stream, from, to } of ranks.runs(size, ranks.size)) {
      const held = Math.min(to, this.#held.get(stream) ?? 0);
      size = rank + Math.max(0, held - from + 1);
      if (held < to) break;
    }
    const before = this.#size;
    this.#size = size;
    if (size !== before) for (const listener of this.#listeners) listener();
    return size < ranks.size;
  }
}
