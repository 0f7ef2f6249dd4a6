import { numberIn, textIn, type LoggedEvent, type Place } from './raw.ts';
import type { Report } from './violation.ts';

/** An entry of an epoch beyond its seal: it does not count. */
export interface Orphan {
  readonly home: string;
  readonly epoch: number;
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  /** What became of it, by the log; undefined: nothing yet. */
  readonly outcome: 'adopted' | 'set_aside' | undefined;
}

interface Account {
  readonly place: Place;
  readonly outcome: 'adopted' | 'set_aside';
  readonly home: string;
  readonly epoch: number;
}

/** Entries that do not count, and what the log says became of each: exactly one thing. */
export class Orphans {
  readonly #places = new Map<string, { readonly place: Place; readonly epoch: number }>();
  readonly #accounts = new Map<string, Account[]>();

  /** An entry was found beyond the seal of its epoch. */
  found(place: Place, epoch: number): void {
    this.#places.set(`${place.stream}:${place.sequence}`, { place, epoch });
  }

  /** Takes a counted event; those about orphans are remembered. */
  read(place: Place, event: LoggedEvent): void {
    const outcome = /^meridian\.orphan\.(adopted|set_aside)\.v1$/.exec(event.type)?.[1];
    if (outcome !== 'adopted' && outcome !== 'set_aside') return;
    const { entry } = event.data;
    const named = typeof entry === 'object' && entry !== null ? entry : {};
    const data = named as Record<string, unknown>;
    const key = `${textIn(data, 'stream')}:${numberIn(data, 'sequence')}`;
    const account = {
      place,
      outcome,
      home: textIn(data, 'home'),
      epoch: numberIn(data, 'epoch'),
    } as const;
    this.#accounts.set(key, [...(this.#accounts.get(key) ?? []), account]);
  }

  /** All of them, in the order in which they were found. */
  list(): Orphan[] {
    return [...this.#places].map(([key, { place, epoch }]) => ({
      home: place.aggregate.home,
      epoch,
      stream: place.stream,
      sequence: place.sequence,
      subject: place.aggregate.subject,
      outcome: this.#accounts.get(key)?.[0]?.outcome,
    }));
  }

  /** What is only known at the end of the log. */
  finish(report: Report): void {
    for (const [key, { place, epoch }] of this.#places) {
      const accounts = this.#accounts.get(key) ?? [];
      if (accounts.length !== 1) {
        const found = accounts.length === 0 ? 'neither' : `${accounts.length} of them`;
        report(place, 'orphan', `orphan.adopted or orphan.set_aside of ${key}, once`, found);
      }
      for (const { place: at, home, epoch: named } of accounts) {
        const expected = `${place.aggregate.home}, epoch ${epoch}`;
        const found = `${home}, epoch ${named}`;
        if (found !== expected) report(at, 'orphan', `${key}: ${expected}`, found);
      }
    }
    for (const [key, accounts] of this.#accounts) {
      if (this.#places.has(key)) continue;
      for (const { place } of accounts) {
        report(place, 'orphan', 'an entry beyond the seal of its epoch', `${key}, which is none`);
      }
    }
  }
}
