import type { ControlEntry } from '../domain/control.ts';

/** All that is in `CONTROL`, and which store it was. */
export interface ControlReading {
  /** Another one when the store was lost and made anew. */
  readonly incarnation: string;
  readonly entries: readonly ControlEntry[];
}

/**
 * `CONTROL` as a port: a few keys that are changed by compare-and-set, decided by a quorum. Two
 * adapters (memory and NATS) are held to one contract suite, `test/describe-control.ts`.
 */
export interface Control {
  /**
   * Reads from the leader: all homes first, then all leases, then the claims on the homes' epochs.
   * @throws ControlUnavailable
   */
  read(): Promise<ControlReading>;
  /**
   * Writes a key. @returns its new revision
   * @param expectedRevision the revision that the key must have; 0 for a new key; absent for any
   * @throws WrongRevision when it has another one: nothing was changed
   * @throws ControlUnavailable when it is not known whether it was written; it may be later, too
   */
  write(key: string, value: string, expectedRevision?: number): Promise<number>;
  /** Calls back with changes as they happen; some may be missed. @returns what ends it */
  watch(onEntry: (entry: ControlEntry) => void): () => void;
  close(): Promise<void>;
}

/** The key was written by somebody else since. Nothing was changed. */
export class WrongRevision extends Error {
  override readonly name = 'WrongRevision';

  constructor(key: string, expected: number, options?: ErrorOptions) {
    super(
      `${key} of CONTROL has not revision ${expected} any more.\nRead it again and decide again.`,
      options,
    );
  }
}

/** No answer of a quorum: what was asked for may or may not have been done, or be done yet. */
export class ControlUnavailable extends Error {
  override readonly name = 'ControlUnavailable';

  constructor(what: string, options?: ErrorOptions) {
    super(
      `The control cluster did not answer: ${what}.\n` +
        'Check that two of its servers run and reach each other.',
      options,
    );
  }
}
