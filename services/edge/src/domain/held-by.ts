import { Heap } from '@meridian/core';

/** Who must hold a message before it is answered: this region, one other, every other. */
export const durabilities = ['region', 'mirrored', 'all'] as const;
export type Durability = (typeof durabilities)[number];
/** A level for which other regions are waited for. */
export type Waited = Exclude<Durability, 'region'>;

interface Waiter {
  readonly sequence: number;
  /** The order of the calls: the tie-break among waiters for one sequence. */
  readonly order: number;
  readonly answer: () => void;
  gone: boolean;
}

/** Those who wait for one level of one stream. */
interface Queue {
  waiters: Heap<Waiter>;
  /** How many in the heap have given up. */
  gone: number;
}

/** Those who gave up are swept out once there are this many, and more than those who wait. */
const sweepAt = 64;

const byPlace = (a: Waiter, b: Waiter): boolean =>
  a.sequence < b.sequence || (a.sequence === b.sequence && a.order < b.order);

/**
 * What each other region holds of this region's streams, and who waits for that. Pure: reports go
 * in, answers come out, in the order of the sequences and then of the calls. A report takes the
 * place of the one before, also where it says less (a region that was restored from nothing).
 */
export class HeldBy {
  /** Stream to region to the last sequence that it holds. */
  readonly #held = new Map<string, Map<string, number>>();
  readonly #queues = new Map<string, Queue>();
  readonly #peers: readonly string[];
  #orders = 0;

  /** @param peers the other regions; a report of any other is passed over */
  constructor(peers: readonly string[]) {
    this.#peers = peers;
  }

  get peers(): readonly string[] {
    return this.#peers;
  }

  /** Whether anybody can ever be waited for. */
  get alone(): boolean {
    return this.#peers.length === 0;
  }

  /** How many wait for a level, on all streams. */
  waiting(level: Waited): number {
    let count = 0;
    for (const [name, queue] of this.#queues) {
      if (name.startsWith(`${level} `)) count += queue.waiters.size - queue.gone;
    }
    return count;
  }

  /** Takes in what a region says it holds, and answers those whose wait is over. */
  report(region: string, streams: Readonly<Record<string, number>>): void {
    if (!this.#peers.includes(region)) return;
    for (const stream of Object.keys(streams)) {
      let held = this.#held.get(stream);
      if (held === undefined) this.#held.set(stream, (held = new Map<string, number>()));
      held.set(region, streams[stream] as number);
      this.#answer(stream, 'mirrored');
      this.#answer(stream, 'all');
    }
  }

  /** Whether a region has ever reported on a stream. */
  knows(region: string, stream: string): boolean {
    return this.#held.get(stream)?.has(region) === true;
  }

  /** The last sequence of a stream that a region holds; 0 while it has said nothing. */
  heldBy(region: string, stream: string): number {
    return this.#held.get(stream)?.get(region) ?? 0;
  }

  /** Up to where one other region at least, or every other one, holds the stream. */
  heldAt(level: Waited, stream: string): number {
    const positions = this.#peers.map((region) => this.heldBy(region, stream));
    if (positions.length === 0) return 0;
    return level === 'all' ? Math.min(...positions) : Math.max(...positions);
  }

  /** The highest level that a stored message has reached. */
  reached(stream: string, sequence: number): Durability {
    if (this.heldAt('all', stream) >= sequence) return 'all';
    return this.heldAt('mirrored', stream) >= sequence ? 'mirrored' : 'region';
  }

  /**
   * Calls back once everything of the stream up to a sequence has reached a level: at once when it
   * has already.
   * @returns gives up; does nothing once it was called back
   */
  wait(level: Waited, stream: string, sequence: number, answer: () => void): () => void {
    if (!this.alone && this.heldAt(level, stream) >= sequence) {
      answer();
      return () => {};
    }
    const queue = this.#queue(level, stream);
    this.#orders += 1;
    const waiter: Waiter = { sequence, order: this.#orders, answer, gone: false };
    queue.waiters.push(waiter);
    return () => {
      if (waiter.gone) return;
      waiter.gone = true;
      queue.gone += 1;
      if (queue.gone >= sweepAt && queue.gone > queue.waiters.size / 2) sweep(queue);
    };
  }

  #queue(level: Waited, stream: string): Queue {
    const name = `${level} ${stream}`;
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { waiters: new Heap(byPlace), gone: 0 };
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #answer(stream: string, level: Waited): void {
    const queue = this.#queues.get(`${level} ${stream}`);
    if (queue === undefined) return;
    const held = this.heldAt(level, stream);
    for (;;) {
      const next = queue.waiters.peek();
      if (next === undefined || next.sequence > held) return;
      queue.waiters.pop();
      if (next.gone) {
        queue.gone -= 1;
        continue;
      }
      next.gone = true;
      next.answer();
    }
  }
}

function sweep(queue: Queue): void {
  const rest = new Heap(byPlace);
  for (let next = queue.waiters.pop(); next !== undefined; next = queue.waiters.pop()) {
    if (!next.gone) rest.push(next);
  }
  queue.waiters = rest;
  queue.gone = 0;
}
