import type { Ledger } from '@meridian/journal';
import { eventStream } from '@meridian/wire';
import { Refusal } from '../../domain/problem.ts';
import { readContact, type PastContact } from './contact-past.ts';
import { FloorFold, floorLimits, type Floor, type FloorLimits } from './floor.ts';
import { momentText, type Moment } from './moment.ts';
import { readHome, type PastParts } from './past.ts';

/** The floor at a moment, and what of the log it embodies. */
export interface PastFloor {
  readonly floor: Floor;
  /** By `EV_<region>.<home>`, the last sequence that is in. */
  readonly places: Readonly<Record<string, number>>;
  /** Whether the log goes on beyond the moment in every home: the answer is then for ever the same. */
  readonly isFinal: boolean;
}

export interface RebuildOptions extends Omit<PastParts, 'ledger'> {
  readonly ledger: Ledger;
  /** Resolves once the ledger knows what the local copies hold. */
  readonly ledgerKnown: () => Promise<void>;
  readonly limits?: FloorLimits;
}

export interface FloorAsked {
  readonly tenant: string;
  readonly moment: Moment;
  /** Whether contacts that have ended are asked for. */
  readonly withEnded: boolean;
}

/** The last floor, and where the streams ended when it was made. */
interface Kept {
  readonly name: string;
  readonly ends: string;
  readonly withEnded: boolean;
  readonly past: PastFloor;
}

/** How many questions may wait for their turn. */
const waitingLimit = 8;
/** How many questions about one contact are answered at once: each may read many entries. */
const contactsLimit = 4;
/** How long a floor is kept for the next page of the same question, in ms. */
const keepMs = 30_000;

/**
 * Rebuilds floors of the past from the log, one at a time: a second question waits. The last floor
 * is kept for a while, so that pages are of one piece and cost one reading.
 */
export class Rebuilding {
  readonly #options: RebuildOptions;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #contacts = 0;
  #kept: Kept | undefined;
  #forget: NodeJS.Timeout | undefined;

  constructor(options: RebuildOptions) {
    this.#options = options;
  }

  /**
   * One contact as it was; undefined when there was none.
   * @throws Refusal when too many are asked for at once
   */
  async contact(
    asked: Omit<FloorAsked, 'withEnded'> & { readonly id: string },
  ): Promise<PastContact | undefined> {
    if (this.#contacts >= contactsLimit) {
      throw new Refusal(
        'read-models-unavailable',
        `${contactsLimit} contacts of the past are being read; try again.`,
        {},
        { 'retry-after': '1' },
      );
    }
    this.#contacts += 1;
    try {
      await this.#options.ledgerKnown();
      return await readContact(this.#options, asked);
    } finally {
      this.#contacts -= 1;
    }
  }

  /** @throws Refusal when too many wait, or it would take too much */
  async floor(asked: FloorAsked): Promise<PastFloor> {
    if (this.#waiting >= waitingLimit) {
      throw new Refusal(
        'read-models-unavailable',
        `${waitingLimit} questions about the past wait for their turn; try again.`,
        {},
        { 'retry-after': '5' },
      );
    }
    this.#waiting += 1;
    const turn = this.#turn.then(() => this.#keptOr(asked));
    this.#turn = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  close(): void {
    clearTimeout(this.#forget);
    this.#kept = undefined;
  }

  async #keptOr(asked: FloorAsked): Promise<PastFloor> {
    const { withEnded } = asked;
    const name = `${asked.tenant} ${momentText(asked.moment)}`;
    const ends = await this.#ends();
    const kept = this.#kept;
    if (kept?.name === name && (kept.past.isFinal || kept.ends === ends)) {
      if (kept.withEnded || !withEnded) return kept.past;
    }
    // Only one floor is held in memory: the one before goes first.
    this.close();
    const past = await this.#rebuild(asked);
    this.#kept = { name, ends, withEnded, past };
    this.#forget = setTimeout(() => this.close(), keepMs).unref();
    return past;
  }

  async #ends(): Promise<string> {
    const { log, regions } = this.#options;
    const ends = await Promise.all(regions.map((one) => log.lastSequence(eventStream(one))));
    return ends.join(',');
  }

  async #rebuild({ tenant, moment, withEnded }: FloorAsked): Promise<PastFloor> {
    const { regions, ledgerKnown, limits = floorLimits } = this.#options;
    await ledgerKnown();
    const fold = new FloorFold(withEnded, limits);
    const places = new Map<string, number>();
    let isFinal = true;
    for (const home of regions) {
      const read = await readHome(this.#options, { home, tenant, moment }, (batch) => {
        fold.take(batch);
      });
      for (const [source, sequence] of read.places) places.set(source, sequence);
      isFinal &&= read.isFinal;
    }
    const sorted = [...places].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return { floor: fold.floor(), places: Object.fromEntries(sorted), isFinal };
  }
}
