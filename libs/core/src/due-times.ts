import { Heap } from './heap.ts';

interface Due {
  readonly key: string;
  readonly at: number;
}

/**
 * When something is due, by key. Setting, clearing and finding the next cost O(log n); a moved or
 * cleared time leaves a stale heap item that is dropped when it surfaces.
 */
export class DueTimes {
  readonly #at = new Map<string, number>();
  #heap = DueTimes.#emptyHeap();

  static #emptyHeap(): Heap<Due> {
    return new Heap<Due>((a, b) => a.at < b.at || (a.at === b.at && a.key < b.key));
  }

  get size(): number {
    return this.#at.size;
  }

  /** Sets (or moves) the time of `key`, in epoch ms; `undefined` clears it. */
  set(key: string, at: number | undefined): void {
    if (at === undefined) {
      this.#at.delete(key);
      return;
    }
    if (this.#at.get(key) === at) return;
    this.#at.set(key, at);
    this.#heap.push({ key, at });
    if (this.#heap.size > 64 && this.#heap.size > 4 * this.#at.size) this.#rebuild();
  }

  /** The earliest time still set, in epoch ms. */
  next(): number | undefined {
    this.#dropStale();
    return this.#heap.peek()?.at;
  }

  /** The keys due at or before `now`, earliest first (ties by key). They stay set. */
  due(now: number): string[] {
    const taken = new Map<string, Due>();
    for (;;) {
      this.#dropStale();
      const top = this.#heap.peek();
      if (top === undefined || top.at > now) break;
      this.#heap.pop();
      taken.set(top.key, top);
    }
    for (const item of taken.values()) this.#heap.push(item);
    return [...taken.keys()];
  }

  #dropStale(): void {
    for (let top = this.#heap.peek(); top !== undefined; top = this.#heap.peek()) {
      if (this.#at.get(top.key) === top.at) return;
      this.#heap.pop();
    }
  }

  #rebuild(): void {
    this.#heap = DueTimes.#emptyHeap();
    for (const [key, at] of this.#at) this.#heap.push({ key, at });
  }
}

/** The earliest of some due times, in epoch ms; undefined when there is none. */
export function earliest(times: Iterable<number | undefined>): number | undefined {
  let first: number | undefined;
  for (const time of times) {
    if (time !== undefined && (first === undefined || time < first)) first = time;
  }
  return first;
}
