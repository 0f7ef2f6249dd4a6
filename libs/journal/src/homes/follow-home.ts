import { eventStream } from '@meridian/wire';
import type { Log, LogMessage } from '../log.ts';
import { pause } from '../pause.ts';
import type { EpochRecord, Ledger } from './ledger.ts';
import { PatientFollower } from './patient-follower.ts';

/** The name of a home's place in one stream: `EV_us.eu` is home eu as region us wrote it. */
export const homeSource = (region: string, home: string): string =>
  `${eventStream(region)}.${home}`;

export interface FollowHomeOptions {
  readonly home: string;
  /** Subjects after `ev.<region>.<home>.`, such as `*.contact.*`. */
  readonly filters: readonly string[];
  /** The last sequence already handled in `EV_<region>` for this home; 0 for everything. */
  readonly after?: (region: string) => number;
  readonly maxPending?: number;
  /** Told once when it stops by itself. */
  readonly onFailure?: (error: unknown) => void;
  /** Told when messages that had been handed over turn out to be orphans. */
  readonly onRevoked?: () => void;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/** How often it looks whether the local copy has come to a seal, in ms. */
const sealPollMs = 100;
const epochPattern = /"epoch":(\d+)/;

/** The epoch under which an entry was written. */
export function epochOf(message: LogMessage): number {
  return Number(epochPattern.exec(message.text())?.[1]);
}

/**
 * Hands over the entries of one home that count, in canonical order, for ever: across failovers,
 * from one region's stream to the next. Before it leaves an epoch, the local copy must hold all of
 * it up to the seal.
 */
export function followHome(
  log: Log,
  ledger: Ledger,
  options: FollowHomeOptions,
  onMessage: (message: LogMessage) => void | Promise<void>,
): HomeFollower {
  return new HomeFollower(log, ledger, options, onMessage);
}

export class HomeFollower {
  readonly #log: Log;
  readonly #ledger: Ledger;
  readonly #options: FollowHomeOptions;
  readonly #onMessage: (message: LogMessage) => void | Promise<void>;
  readonly #positions = new Map<string, number>();
  readonly #unlisten: () => void;
  #record: EpochRecord;
  #follower: PatientFollower | undefined;
  /** The last sequence handed over in the present segment. */
  #handed = 0;
  /** Entries of an epoch that the ledger does not know yet wait for these. */
  #held: (() => void)[] = [];
  #moving: Promise<void> | undefined;
  #isClosed = false;

  constructor(
    log: Log,
    ledger: Ledger,
    options: FollowHomeOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ) {
    this.#log = log;
    this.#ledger = ledger;
    this.#options = options;
    this.#onMessage = onMessage;
    const { home, after } = options;
    const epochs = ledger.epochs(home);
    for (const { owner } of epochs) this.#positions.set(owner, after?.(owner) ?? 0);
    this.#record =
      epochs.find(
        ({ owner, upTo }) => upTo === undefined || (this.#positions.get(owner) ?? 0) < upTo,
      ) ?? ledger.current(home);
    this.#begin();
    this.#unlisten = ledger.onChange((changed) => {
      if (changed === home) this.#look();
    });
    this.#look();
  }

  /** The stream that is read at the moment. */
  get stream(): string {
    return eventStream(this.#record.owner);
  }

  /** Everything of the present stream up to here is settled. */
  get position(): number {
    return Math.max(
      this.#positions.get(this.#record.owner) ?? 0,
      this.#held.length === 0 ? (this.#follower?.position ?? 0) : 0,
    );
  }

  /** The epoch that is read at the moment. */
  get epoch(): number {
    return this.#record.epoch;
  }

  /** Whether it is on the way from one epoch to the next: what comes then is not read yet. */
  get isMoving(): boolean {
    return this.#moving !== undefined;
  }

  /** What is settled, by source: `EV_<region>.<home>` to sequence. */
  get positions(): Record<string, number> {
    const { home } = this.#options;
    const all = Object.fromEntries(
      [...this.#positions].map(([region, sequence]) => [homeSource(region, home), sequence]),
    );
    all[homeSource(this.#record.owner, home)] = this.position;
    return all;
  }

  /**
   * Resolves when every entry that counts, as far as the ledger knows and the local copies hold, has
   * been settled: the epoch in force is then being read.
   */
  async caughtUp(): Promise<void> {
    for (;;) {
      const follower = this.#follower;
      await this.#moving;
      if (this.#isClosed) return;
      if (this.#record.upTo !== undefined || this.#sealOf() !== undefined) {
        await pause(this.#options.wait, sealPollMs);
        continue;
      }
      await this.#caughtUp();
      if (this.#isClosed || (follower === this.#follower && this.#sealOf() === undefined)) return;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    this.#release();
    await this.#follower?.close();
  }

  #sealOf(): number | undefined {
    return this.#ledger.epoch(this.#options.home, this.#record.epoch)?.upTo;
  }

  /** Begins the present segment. */
  #begin(): void {
    const { home, filters, maxPending, onFailure } = this.#options;
    const { owner, epoch } = this.#record;
    // What the same region wrote in an earlier epoch of its own lies before that epoch's seal.
    const earlier = this.#ledger
      .epochs(home)
      .filter((one) => one.epoch < epoch && one.owner === owner)
      .map(({ upTo }) => upTo ?? 0);
    const after = Math.max(this.#positions.get(owner) ?? 0, ...earlier);
    this.#positions.set(owner, after);
    this.#handed = after;
    this.#follower = new PatientFollower(
      this.#log,
      eventStream(owner),
      {
        after,
        shared: true,
        wait: this.#options.wait,
        filters: filters.map((filter) => `ev.${owner}.${home}.${filter}`),
        ...(maxPending === undefined ? {} : { maxPending }),
        ...(onFailure === undefined ? {} : { onFailure }),
      },
      (message) => this.#deliver(message),
    );
  }

  #deliver(message: LogMessage): void | Promise<void> {
    const { epoch } = this.#record;
    const upTo = this.#sealOf();
    if (upTo !== undefined && message.sequence > upTo) return undefined;
    const written = epochOf(message);
    if (written > epoch) {
      // The same region owns the home again, which the ledger does not know yet.
      return new Promise((resolve) => {
        this.#held.push(resolve);
        this.#look();
      });
    }
    if (written < epoch) return undefined;
    this.#handed = message.sequence;
    return this.#onMessage(message);
  }

  #release(): void {
    for (const resolve of this.#held.splice(0)) resolve();
  }

  /** The ledger may have sealed the epoch that is read. */
  #look(): void {
    if (this.#moving !== undefined || this.#isClosed || this.#sealOf() === undefined) return;
    this.#moving = this.#moveOn().then(
      () => {
        this.#moving = undefined;
        this.#look();
      },
      (error: unknown) => {
        this.#moving = undefined;
        if (!this.#isClosed) this.#options.onFailure?.(error);
      },
    );
  }

  /** Reads the epoch to its end, then goes on in the next one. */
  async #moveOn(): Promise<void> {
    const { owner, epoch } = this.#record;
    const upTo = this.#sealOf() as number;
    if (this.#handed > upTo) this.#options.onRevoked?.();
    this.#release();
    const follower = this.#follower;
    await this.#untilHeld(eventStream(owner), upTo);
    if (this.#isClosed) return;
    this.#release();
    await this.#caughtUp();
    await follower?.close();
    if (this.#isClosed) return;
    this.#positions.set(owner, upTo);
    this.#record = this.#ledger.epoch(this.#options.home, epoch + 1) as EpochRecord;
    this.#begin();
  }

  /** Waits until the local copy of a stream holds a sequence. */
  #untilHeld(stream: string, sequence: number): Promise<void> {
    return this.#patiently(async () => (await this.#log.lastSequence(stream)) >= sequence);
  }

  /** Resolves when the present segment is settled as far as it is held here. */
  #caughtUp(): Promise<void> {
    return this.#patiently(async () => {
      await this.#follower?.caughtUp();
      return true;
    });
  }

  /** Looks again until it is so, also while the log does not answer. */
  async #patiently(isSo: () => Promise<boolean>): Promise<void> {
    for (;;) {
      try {
        if (await isSo()) return;
      } catch (error) {
        if ((error as { retryable?: boolean }).retryable !== true) throw error;
      }
      if (this.#isClosed) return;
      await pause(this.#options.wait, sealPollMs);
    }
  }
}
