import type { PlayerRequest, StoredRequest } from './edge.ts';

/** What was sent to a region within this time is sent again elsewhere when the region is lost. */
const unsureMs = 10_000;

/** A request that was acknowledged, and where it was said to be. */
export interface Acknowledgement {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
  /** When, real epoch ms. */
  readonly atMs: number;
}

/** What publishers were told, all together. */
export interface Acknowledgements {
  /** Each place once: a request that was sent again elsewhere has two. */
  readonly places: readonly Acknowledgement[];
  /** How many requests were acknowledged, each counted once. */
  readonly requests: number;
  /** Requests that were sent and never acknowledged. */
  readonly unanswered: number;
  /** Attempts that failed: an answer that said try again, or none. */
  readonly retried: number;
  /** The longest time that those of each home had to wait for an acknowledgement, in ms. */
  readonly longestPauseMs: Readonly<Record<string, number>>;
}

interface Sent {
  readonly sentAtMs: number;
  readonly request: PlayerRequest;
  /** Undefined while it is not known whether the region has it. */
  acknowledged: Acknowledgement | undefined;
}

/** Keeps in mind what was sent through which region's edge, and what was acknowledged. */
export class Outbox {
  readonly #sent = new Map<string, Sent[]>();
  readonly #places = new Map<string, Acknowledgement>();
  readonly #acknowledged = new Set<string>();
  /** When requests were sent first that are not acknowledged yet, monotonic ms, by their ids. */
  readonly #waiting = new Map<string, number>();
  readonly #longestPauseMs: Record<string, number> = {};
  #retried = 0;

  /**
   * Sends requests through a region's edge.
   * @param send does it; may fail, and is then tried again by whoever calls
   * @returns its answers, in the order of the requests
   */
  async publish(
    door: string,
    requests: readonly PlayerRequest[],
    send: (requests: readonly PlayerRequest[]) => Promise<readonly StoredRequest[]>,
  ): Promise<readonly StoredRequest[]> {
    const sentAtMs = performance.now();
    const sent = requests.map((request): Sent => ({ sentAtMs, request, acknowledged: undefined }));
    const before = (this.#sent.get(door) ?? []).filter((one) => sentAtMs - one.sentAtMs < unsureMs);
    this.#sent.set(door, [...before, ...sent]);
    for (const { id } of requests) {
      if (!this.#acknowledged.has(id) && !this.#waiting.has(id)) this.#waiting.set(id, sentAtMs);
    }
    try {
      const answers = await send(requests);
      for (const [index, one] of sent.entries()) this.#note(one, answers[index], door);
      return answers;
    } catch (error) {
      this.#retried += 1;
      throw error;
    }
  }

  #note(sent: Sent, answer: StoredRequest | undefined, door: string): void {
    if (answer === undefined) return;
    const { id, stream, sequence } = answer;
    const place = `${stream}:${sequence}`;
    sent.acknowledged = this.#places.get(place) ?? { id, stream, sequence, atMs: Date.now() };
    this.#places.set(place, sent.acknowledged);
    this.#acknowledged.add(id);
    const since = this.#waiting.get(id);
    if (since === undefined) return;
    this.#waiting.delete(id);
    const home = sent.request.region ?? door;
    const pauseMs = Math.round(performance.now() - since);
    this.#longestPauseMs[home] = Math.max(pauseMs, this.#longestPauseMs[home] ?? 0);
  }

  /** What was sent through a region's edge and may be lost with the region. */
  unsure(door: string): readonly Sent[] {
    return this.#sent.get(door) ?? [];
  }

  /** What was sent through a region's edge is held elsewhere, or was sent again there. */
  isSafe(door: string): void {
    this.#sent.delete(door);
  }

  acknowledgements(): Acknowledgements {
    return {
      places: [...this.#places.values()],
      requests: this.#acknowledged.size,
      unanswered: this.#waiting.size,
      retried: this.#retried,
      longestPauseMs: { ...this.#longestPauseMs },
    };
  }
}
