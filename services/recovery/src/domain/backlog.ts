/** A moment at which a stream ended at a sequence. */
interface Mark {
  readonly sequence: number;
  readonly atMs: number;
}

/** How many moments are kept: more than are ever needed at one a message for a second. */
const marksLimit = 4_096;

/**
 * How much of one own stream the peers do not hold yet, in entries and in time: from the moments at
 * which entries were stored, and what each peer says it holds.
 */
export class Backlog {
  readonly #peers = new Map<string, number>();
  #marks: Mark[] = [];
  #last = 0;
  /** How many entries there are at least from one moment kept to the next. */
  #stride = 1;

  constructor(peers: readonly string[]) {
    for (const peer of peers) this.#peers.set(peer, 0);
  }

  get last(): number {
    return this.#last;
  }

  /** The stream ends at a sequence that was stored at `atMs`. */
  stored(sequence: number, atMs: number): void {
    if (sequence <= this.#last) return;
    this.#last = sequence;
    const newest = this.#marks.at(-1);
    if (newest !== undefined && sequence < newest.sequence + this.#stride) return;
    this.#marks.push({ sequence, atMs });
    if (this.#marks.length <= marksLimit) return;
    // What lies between two moments is taken for as old as the older one.
    this.#stride *= 2;
    this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
  }

  /** A peer holds everything up to a sequence. @returns whether that is news */
  held(peer: string, sequence: number): boolean {
    const known = this.#peers.get(peer);
    if (known === undefined || sequence <= known) return false;
    this.#peers.set(peer, sequence);
    const least = Math.min(...this.#peers.values());
    const first = this.#marks.findIndex((mark) => mark.sequence > least);
    this.#marks = first === -1 ? this.#marks.slice(-1) : this.#marks.slice(Math.max(0, first - 1));
    if (this.#marks.length < 64) this.#stride = 1;
    return true;
  }

  /** How many entries a peer lacks. */
  behind(peer: string): number {
    return Math.max(0, this.#last - (this.#peers.get(peer) ?? 0));
  }

  /** For how long the oldest entry that a peer lacks has been stored, in ms; 0 when it lacks none. */
  ageMs(peer: string, nowMs: number): number {
    return this.#ageAfter(this.#peers.get(peer) ?? 0, nowMs);
  }

  /** The age of the oldest entry that no peer holds, in ms: what would be lost with this region. */
  atRiskMs(nowMs: number): number {
    return this.#ageAfter(Math.max(0, ...this.#peers.values()), nowMs);
  }

  #ageAfter(sequence: number, nowMs: number): number {
    if (sequence >= this.#last) return 0;
    const first = this.#marks.findIndex((mark) => mark.sequence > sequence);
    const next = this.#marks[first];
    const before = first === -1 ? this.#marks.at(-1) : this.#marks[first - 1];
    const oldest = next?.sequence === sequence + 1 ? next : (before ?? next);
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs);
  }
}
