/** A seeded source of randomness. The same seed and calls give the same values on any machine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number;
  /** Uniform integer in [0, limit). `limit` is at least 1. */
  int(limit: number): number;
  /** Exponential with the given mean (inverse transform). */
  exponential(mean: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** One of the items, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** The items in random order (Fisher-Yates), as a new array. */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent source for a named purpose; drawing from one does not disturb the other. */
  fork(label: string): Random;
}

/** Hashes a text to 32 bits (cyrb53's mixing, reduced). Not for secrets. */
function hash32(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  return a >>> 0;
}

/**
 * A seeded random source: Mulberry32 (Tommy Ettinger, public domain), 2^32 states.
 * @param seed any text or number; equal seeds give equal sequences
 */
export function seeded(seed: string | number): Random {
  const name = String(seed);
  let state = hash32(name);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const int = (limit: number): number => {
    if (!(limit >= 1)) {
      throw new RangeError(`A random integer needs a limit of at least 1, not ${limit}.`);
    }
    return Math.floor(next() * limit);
  };
  return {
    next,
    int,
    exponential: (mean) => -Math.log(1 - next()) * mean,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => {
      if (items.length === 0) throw new RangeError('Nothing to pick from: the list is empty.');
      return items[int(items.length)] as (typeof items)[number];
    },
    shuffle: (items) => {
      const order = [...items];
      for (let last = order.length - 1; last > 0; last -= 1) {
        const other = int(last + 1);
        const held = order[last] as (typeof order)[number];
        order[last] = order[other] as (typeof order)[number];
        order[other] = held;
      }
      return order;
    },
    fork: (label) => seeded(`${name}/${label}`),
  };
}
