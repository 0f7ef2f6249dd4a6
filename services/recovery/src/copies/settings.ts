/** How copies are compared; times in ms. */
export interface CopiesSettings {
  /** How often the own copies are looked at, their new messages hashed, and peers told. */
  readonly everyMs: number;
  /** How many new messages are hashed at most in such a turn, over all streams. */
  readonly followMost: number;
  /** How many old messages are read again in a second at most, over all streams. */
  readonly scrubPerSecond: number;
  /** Of its time, how much is spent on that at most, 0 to 1: a busy machine is read more slowly. */
  readonly scrubShare: number;
  /** How long a round over all old messages takes at least. */
  readonly scrubRoundMs: number;
  /** What was heard from a peer longer ago than this is not counted on. */
  readonly freshMs: number;
  /** After this without a message while its origin goes on, a mirror's consumer is looked after. */
  readonly stalledMs: number;
  /** After this such a mirror is made anew. */
  readonly remadeMs: number;
  /** How long a restoration waits for peers that do not answer. */
  readonly patienceMs: number;
  /** How many messages that only a damaged copy has are set aside at most; more need a person. */
  readonly keepMost: number;
}

/**
 * Reading and hashing cost this process 21 µs a message of 600 B when measured (the server's share was
 * not), so 5,000 a second are about a tenth of a core. By that pace a region whose six streams hold
 * 200,000 messages together is read through in 40 s; larger ones take as much longer.
 */
export const copiesDefaults: CopiesSettings = {
  everyMs: 1_000,
  followMost: 20_000,
  scrubPerSecond: 5_000,
  scrubShare: 0.08,
  scrubRoundMs: 20_000,
  freshMs: 4_000,
  stalledMs: 5_000,
  remadeMs: 30_000,
  patienceMs: 120_000,
  keepMost: 20_000,
};
