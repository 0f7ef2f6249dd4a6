import { readEvents, storedAtMs, type RawEntry } from '../check/index.ts';
import { quantile } from '../day/index.ts';

/** How many possible causes are remembered; a cause comes shortly before what it causes. */
export const causesLimit = 100_000;

export interface OfferLatency {
  readonly offers: number;
  /** Offers whose cause was stored; a timer's are not. */
  readonly measured: number;
  /** Real ms from the storing of the cause to the storing of the offer; null without any. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/**
 * How long the region takes from hearing of what calls for an offer (a contact queued, an agent
 * free) to having stored the offer, by the times at which the log stored both.
 */
export class OfferLatencies {
  readonly #storedAt = new Map<string, number>();
  readonly #latencies: number[] = [];
  readonly #isOurs: (contactId: string) => boolean;
  #offers = 0;

  /** @param isOurs whether an offer of this contact counts */
  constructor(isOurs: (contactId: string) => boolean) {
    this.#isOurs = isOurs;
  }

  /** Takes an entry of the intake stream: one request. Read these first. */
  readRequest(entry: RawEntry): void {
    const { source, id } = JSON.parse(entry.data) as { source?: unknown; id?: unknown };
    this.#remember(`${String(source)}#${String(id)}`, storedAtMs(entry));
  }

  /** Takes an entry of the event stream. */
  readDecision(entry: RawEntry): void {
    const storedAt = storedAtMs(entry);
    for (const { id, type, causationid, data } of readEvents(entry)) {
      if (type.startsWith('meridian.contact.')) this.#remember(id, storedAt);
      if (type !== 'meridian.reservation.created.v1') continue;
      if (!this.#isOurs(String(data['contactId']))) continue;
      this.#offers += 1;
      const causedAt = this.#storedAt.get(causationid);
      if (causedAt !== undefined) this.#latencies.push(storedAt - causedAt);
    }
  }

  finish(): OfferLatency {
    return {
      offers: this.#offers,
      measured: this.#latencies.length,
      p50: quantile(this.#latencies, 0.5),
      p99: quantile(this.#latencies, 0.99),
    };
  }

  #remember(cause: string, storedAt: number): void {
    this.#storedAt.set(cause, storedAt);
    if (this.#storedAt.size <= causesLimit) return;
    const [oldest] = this.#storedAt.keys();
    if (oldest !== undefined) this.#storedAt.delete(oldest);
  }
}
