import { readEvents, storedAtMs, type RawEntry } from '../check/index.ts';

/** A home that moved from one region to another, as the log says it. Times are real, epoch ms. */
export interface Takeover {
  readonly home: string;
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  /** When the new owner knew that it must act. */
  readonly detectedAt: number | null;
  /** When it began to decide. */
  readonly completedAt: number;
  /** What may be lost, by the time between the last entry that counts and the last sign of life. */
  readonly rpoMs: number | null;
  /** When the new owner first offered a contact to an agent of the home; null when it never did. */
  readonly firstOfferAt: number | null;
}

/** Finds takeovers among the entries that count, of all regions' event streams. */
export class Takeovers {
  readonly #found: Omit<Takeover, 'firstOfferAt'>[] = [];
  /** By home and epoch. */
  readonly #firstOffers = new Map<string, number>();

  /** Takes the next entry; each stream in its order. */
  read(entry: RawEntry): void {
    const [, , home = '', , entity] = entry.subject.split('.');
    if (entity === 'routing' && entry.data.includes('"meridian.reservation.created.v1"')) {
      const key = `${home}/${Number(readEvents(entry)[0]?.attributes['epoch'])}`;
      const before = this.#firstOffers.get(key) ?? Infinity;
      this.#firstOffers.set(key, Math.min(before, storedAtMs(entry)));
    }
    if (entity !== 'ownership') return;
    for (const { type, data } of readEvents(entry)) {
      if (type !== 'meridian.failover.completed.v1') continue;
      const { detectedAt, rpoMs } = data;
      this.#found.push({
        home: String(data['home']),
        epoch: Number(data['epoch']),
        from: String(data['previousOwner']),
        to: String(data['owner']),
        kind: String(data['kind']),
        detectedAt: typeof detectedAt === 'string' ? Date.parse(detectedAt) : null,
        completedAt: storedAtMs(entry),
        rpoMs: typeof rpoMs === 'number' ? rpoMs : null,
      });
    }
  }

  /** All, the earliest first. */
  list(): Takeover[] {
    return this.#found
      .map((one) => ({
        ...one,
        firstOfferAt: this.#firstOffers.get(`${one.home}/${one.epoch}`) ?? null,
      }))
      .toSorted((one, two) => one.completedAt - two.completedAt);
  }
}
