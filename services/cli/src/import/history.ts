/** A channel as the contracts name it. */
export type Channel = 'VOICE' | 'CHAT' | 'EMAIL' | 'VIDEO' | 'TASK';

/** One thing that happened in another system, in words that all of them share. */
export type Step = { readonly atMs: number } & (
  | { readonly kind: 'SIGN_IN' | 'SIGN_OUT' | 'BACK'; readonly agent: string }
  | { readonly kind: 'AWAY'; readonly agent: string; readonly reason?: string }
  | {
      readonly kind: 'BEGIN';
      readonly contact: string;
      readonly channel: Channel;
      readonly method: 'INBOUND' | 'OUTBOUND' | 'TRANSFER' | 'CALLBACK' | 'API';
      readonly customer?: string;
    }
  | {
      readonly kind: 'QUEUE';
      readonly contact: string;
      readonly queue: string;
      readonly priority?: number;
    }
  | { readonly kind: 'ANSWER'; readonly contact: string; readonly agent: string }
  | { readonly kind: 'HOLD' | 'RESUME'; readonly contact: string }
  | {
      readonly kind: 'HANG_UP';
      readonly contact: string;
      readonly by: 'CUSTOMER' | 'AGENT' | 'SYSTEM';
      readonly reason?: string;
    }
  | { readonly kind: 'WRAPPED'; readonly contact: string; readonly disposition?: string }
);

/** Counts by name, each with where the first one stands. */
export type Tally = ReadonlyMap<string, { readonly count: number; readonly first: string }>;

/** What was read of a file. */
export interface History {
  readonly steps: readonly Step[];
  /** How many records the file has. */
  readonly records: number;
  /** What has no counterpart, by its name in the other system. */
  readonly notMapped: Tally;
}

/** Collects what an importer reads. */
export class Reading {
  readonly #steps: Step[] = [];
  readonly #notMapped = new Map<string, { count: number; first: string }>();
  #records = 0;
  #where = '';

  /** Begins with the next record. @param where such as `line 12` */
  record(where: string): void {
    this.#records += 1;
    this.#where = where;
  }

  /** Goes back to a record that was begun before, to say where something stands. */
  at(where: string): void {
    this.#where = where;
  }

  add(...steps: readonly Step[]): void {
    this.#steps.push(...steps);
  }

  /** The record, or a part of it, has no counterpart. @param name of what it is */
  leave(name: string): void {
    const known = this.#notMapped.get(name);
    if (known === undefined) this.#notMapped.set(name, { count: 1, first: this.#where });
    else known.count += 1;
  }

  /** All that was read; the steps by time, those of one time in the order of the file. */
  history(): History {
    return {
      steps: this.#steps.toSorted((a, b) => a.atMs - b.atMs),
      records: this.#records,
      notMapped: this.#notMapped,
    };
  }
}

/** A text of a record; undefined where it is absent or empty. */
export function textOf(
  record: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const value = record[name];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** An object within a record; empty where there is none. */
export function objectOf(
  record: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  const value = record[name];
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Beyond it no date can be written (ECMAScript), in ms. */
const latestMs = 8.64e15;

/** A time in epoch ms: RFC 3339, epoch seconds or epoch milliseconds; undefined when it is none. */
export function momentOf(value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : Number(value === '' ? Number.NaN : value);
  const atMs = Number.isFinite(number)
    ? // Seconds until the year 5138, milliseconds from 1973 on.
      number < 1e11
      ? Math.round(number * 1000)
      : Math.round(number)
    : Date.parse(String(value));
  return Math.abs(atMs) <= latestMs ? atMs : undefined;
}

/** The last part of an Amazon resource name, or of any path. */
export const lastPart = (name: string | undefined): string | undefined => name?.split('/').at(-1);
