import type { Beat } from './beat.ts';
import {
  leaseAskEveryMs,
  leaseAskSubject,
  leaseGrantSubject,
  parseLeaseAnswer,
  type LeaseAnswer,
  type LeaseAsk,
} from './leases-protocol.ts';

/** For which homes this process may decide at this moment, as its region's recovery says. */
export interface Leases {
  /** Whether it may append for a home now; reads the monotonic clock, so ask before each append. */
  holds(home: string): boolean;
  /** The epoch under which it may decide for a home now; undefined when it may not. */
  grantOf(home: string): { readonly epoch: number } | undefined;
  /** Whether requests may be taken in: the region's streams are known to be whole. */
  readonly intakeOpen: boolean;
  /**
   * Calls back when a home was granted, taken back, has expired or changed its epoch, and when the
   * way in was opened or closed. @returns what ends it
   */
  onChange(callback: () => void): () => void;
  /** Says at once what is being decided; call it when a desk has come to rest. */
  tell(): void;
  /** Asks no more; nothing is held from now on. */
  close(): void;
}

/** The leases of a region that is alone: its home is its own, for ever. */
export function staticLeases(home: string, epoch = 1): Leases {
  let open = true;
  const granted = (asked: string): boolean => open && asked === home;
  return {
    holds: granted,
    grantOf: (asked) => (granted(asked) ? { epoch } : undefined),
    intakeOpen: true,
    onChange: () => () => {},
    tell: () => {},
    close: () => {
      open = false;
    },
  };
}

export interface LeasesOptions {
  readonly beat: Beat;
  readonly region: string;
  /** The process's name for itself, new at each start; one token of a subject. */
  readonly instance: string;
  /** The homes the process decides for, appends under way included, and their epochs. */
  readonly deciding: () => Readonly<Record<string, number>>;
  /** Monotonic milliseconds; default `performance.now()`. */
  readonly monotonicMs?: () => number;
  /** Given by the simulator; those of the system otherwise. */
  readonly timers?: LeaseTimers;
}

/** What calls back later; each call gives what calls it off. */
export interface LeaseTimers {
  every(periodMs: number, run: () => void): () => void;
  after(delayMs: number, run: () => void): () => void;
}

const systemTimers: LeaseTimers = {
  every(periodMs, run) {
    const timer = setInterval(run, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * The leases that the region's recovery grants over the beat. A grant is good until `forMs` after
 * the moment its ask was *sent*, so no delay anywhere makes it longer. After a reconnect nothing
 * is held and the way in is shut until an ask sent since is answered: the store may have lost
 * something, and recovery looks first.
 */
export function openLeases(options: LeasesOptions): Leases {
  return new AskedLeases(options);
}

interface Grant {
  readonly epoch: number;
  readonly untilMs: number;
}

/** How many asks may be unanswered at once; the answer to an older one is not taken. */
const openAsksLimit = 64;

class AskedLeases implements Leases {
  readonly #options: LeasesOptions;
  readonly #monotonicMs: () => number;
  readonly #sentAtMs = new Map<number, number>();
  readonly #callbacks = new Set<() => void>();
  readonly #ends: (() => void)[];
  #grants: ReadonlyMap<string, Grant> = new Map();
  #intakeOpen = false;
  #nonce = 0;
  #heard = '';
  /** Answers to asks before this one are not taken. */
  #oldestTaken = 1;
  readonly #timers: LeaseTimers;
  #callOffExpiry: () => void = () => {};

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#timers = options.timers ?? systemTimers;
    const { beat, region, instance } = options;
    this.#ends = [
      this.#timers.every(leaseAskEveryMs, () => this.tell()),
      () => this.#callOffExpiry(),
      beat.subscribe(leaseGrantSubject(region, instance), (text) => this.#onAnswer(text)),
      beat.onReconnect(() => this.#onReconnect()),
    ];
    this.tell();
  }

  holds(home: string): boolean {
    const grant = this.#grants.get(home);
    return grant !== undefined && this.#monotonicMs() < grant.untilMs;
  }

  grantOf(home: string): { readonly epoch: number } | undefined {
    const grant = this.#grants.get(home);
    if (grant === undefined || this.#monotonicMs() >= grant.untilMs) return undefined;
    return { epoch: grant.epoch };
  }

  get intakeOpen(): boolean {
    return this.#intakeOpen;
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  tell(): void {
    const { beat, region, instance, deciding } = this.#options;
    this.#nonce += 1;
    const ask: LeaseAsk = {
      instance,
      nonce: this.#nonce,
      heard: this.#heard,
      deciding: deciding(),
    };
    // Before it is sent: the grant must end no later than recovery thinks.
    this.#sentAtMs.set(this.#nonce, this.#monotonicMs());
    this.#sentAtMs.delete(this.#nonce - openAsksLimit);
    beat.publish(leaseAskSubject(region, instance), JSON.stringify(ask));
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#oldestTaken = Infinity;
    this.#take(new Map(), false);
    this.#callbacks.clear();
  }

  /** One nonce may be answered more than once: recovery takes back without being asked. */
  #onAnswer(text: string): void {
    const answer = parseLeaseAnswer(text);
    if (answer === undefined || answer.nonce < this.#oldestTaken) return;
    const sentAtMs = this.#sentAtMs.get(answer.nonce);
    if (sentAtMs === undefined) return;
    for (const nonce of this.#sentAtMs.keys()) {
      if (nonce < answer.nonce) this.#sentAtMs.delete(nonce);
    }
    this.#heard = answer.id;
    this.#take(grantsOf(answer, sentAtMs), answer.intake);
  }

  #onReconnect(): void {
    this.#oldestTaken = this.#nonce + 1;
    this.#take(new Map(), false);
    this.tell();
  }

  #take(grants: ReadonlyMap<string, Grant>, intakeOpen: boolean): void {
    // What has expired was seen to be gone, be it told or not: that it is granted again is news.
    const now = this.#monotonicMs();
    const before = new Map([...this.#grants].filter(([, { untilMs }]) => now < untilMs));
    const hasExpired = before.size < this.#grants.size;
    const changed =
      hasExpired ||
      intakeOpen !== this.#intakeOpen ||
      grants.size !== before.size ||
      [...grants].some(([home, { epoch }]) => before.get(home)?.epoch !== epoch);
    this.#grants = grants;
    this.#intakeOpen = intakeOpen;
    this.#watchExpiry();
    if (changed) this.#tellChange();
  }

  /** Drops what expires without an answer, so that it is told too. */
  #watchExpiry(): void {
    this.#callOffExpiry();
    if (this.#grants.size === 0) return;
    const first = Math.min(...[...this.#grants.values()].map(({ untilMs }) => untilMs));
    const waitMs = Math.max(0, Math.ceil(first - this.#monotonicMs()));
    this.#callOffExpiry = this.#timers.after(waitMs, () => {
      const now = this.#monotonicMs();
      this.#take(
        new Map([...this.#grants].filter(([, { untilMs }]) => now < untilMs)),
        this.#intakeOpen,
      );
    });
  }

  #tellChange(): void {
    for (const callback of this.#callbacks) callback();
  }
}

function grantsOf({ homes }: LeaseAnswer, sentAtMs: number): ReadonlyMap<string, Grant> {
  return new Map(
    Object.entries(homes)
      .filter(([, { forMs }]) => forMs > 0)
      .map(([home, { epoch, forMs }]) => [home, { epoch, untilMs: sentAtMs + forMs }]),
  );
}
