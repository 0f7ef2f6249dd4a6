import { setTimeout as delay } from 'node:timers/promises';
import {
  followHome,
  homeSource,
  type HomeFollower,
  type Ledger,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import { decodeEntry, type IntakeEnvelope } from '@meridian/wire';
import { HomeDirectory, mayBeSeen, type DirectoryLimits } from '../domain/home-directory.ts';
import { homeOf } from '../domain/home-of.ts';
import { Refusal } from '../domain/problem.ts';

/** Who lives elsewhere at some moment, and how much of each home's history says so. */
export interface Seed {
  /** The last sequences embodied, by source: `EV_us.us`. */
  readonly places: Readonly<Record<string, number>>;
  readonly alive: readonly {
    readonly home: string;
    readonly entity: 'contact' | 'agent' | 'reservation';
    readonly tenant: string;
    readonly id: string;
  }[];
}

export interface HomesOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  /** Resolves once the ledger knows what the local copies hold. */
  readonly ledgerKnown: () => Promise<unknown>;
  readonly region: string;
  readonly regions: readonly string[];
  readonly onFault: (error: unknown) => void;
  readonly limits?: DirectoryLimits;
  /** How long to wait for the copies before requests are taken in, in ms; default 10,000. */
  readonly readyLimitMs?: number;
}

/** How long requests are refused at most because a copy does not hold what is known to count, in ms. */
const readyLimitMs = 10_000;
/** How long it waits before it follows a home again whose follower has failed, in ms. */
const retryMs = 1_000;
/** What the directory reads of a home. */
const filters = ['*.contact.*', '*.routing.*'];

/**
 * Finds the home of what a request is about: follows the local copies of what is decided for the
 * other homes. Nothing is taken in before it has caught up with them once.
 */
export class Homes {
  readonly directory: HomeDirectory;
  readonly #options: HomesOptions;
  readonly #followers = new Map<string, HomeFollower>();
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #others: readonly string[];
  #places: Readonly<Record<string, number>> = {};
  #isReady: boolean;
  #isClosed = false;

  constructor(options: HomesOptions) {
    this.#options = options;
    this.directory = new HomeDirectory(options.limits);
    this.#others = options.regions.filter((home) => home !== options.region);
    this.#isReady = this.#others.length === 0;
  }

  /**
   * Begins to follow.
   * @param seed where to begin from; without it, or where it has nothing, everything is read once
   */
  start(seed?: () => Promise<Seed | undefined>): void {
    if (!this.#isReady) this.#begin(seed);
  }

  /** Whether it knows what the copies held when it began. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Where a request is to be stored. @throws Refusal 503 while too little is known */
  of(event: IntakeEnvelope, entity: string): string {
    const { region } = this.#options;
    if (this.#isReady) return homeOf(event, entity, region, this.directory);
    throw new Refusal(
      'region-not-open',
      `The edge of ${region} still reads what lives in the other regions; nothing was stored. Try again soon.`,
      {},
      { 'retry-after': '1' },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const retry of this.#retries) clearTimeout(retry);
    await Promise.all([...this.#followers.values()].map((follower) => follower.close()));
  }

  #begin(seed: (() => Promise<Seed | undefined>) | undefined): void {
    this.#open(seed).catch((error: unknown) => {
      if (this.#isClosed) return;
      this.#options.onFault(error);
      this.#later(() => this.#begin(seed));
    });
  }

  async #open(seed: (() => Promise<Seed | undefined>) | undefined): Promise<void> {
    await this.#options.ledgerKnown();
    if (this.#followers.size === 0) this.#plant(await seed?.());
    for (const home of this.#others) if (!this.#followers.has(home)) this.#follow(home);
    const all = Promise.all([...this.#followers.values()].map((follower) => follower.caughtUp()));
    const limit = delay(this.#options.readyLimitMs ?? readyLimitMs, 'late', { ref: false });
    if ((await Promise.race([all, limit])) === 'late') {
      this.#options.onFault(
        new Error(
          'The copies of other homes do not hold all that counts.\n' +
            'Requests are taken in; those that name no region may go to the wrong home until they do.',
        ),
      );
      // It still comes, or the edge is closed before.
      all.catch(this.#options.onFault);
    }
    this.#isReady = !this.#isClosed;
  }

  #plant(seed: Seed | undefined): void {
    if (seed === undefined) return;
    this.#places = seed.places;
    for (const { home, entity, tenant, id } of seed.alive) {
      this.directory.plant(home, entity, tenant, id);
    }
  }

  #follow(home: string): void {
    if (this.#isClosed) return;
    const { log, ledger, onFault } = this.#options;
    const before = this.#followers.get(home)?.positions ?? this.#places;
    const follower = followHome(
      log,
      ledger,
      {
        home,
        filters,
        after: (region) => before[homeSource(region, home)] ?? 0,
        onFailure: (error) => {
          onFault(error);
          this.#later(() => this.#follow(home));
        },
      },
      (message) => this.#take(home, message),
    );
    this.#followers.set(home, follower);
  }

  #take(home: string, message: LogMessage): void {
    const text = message.text();
    if (!mayBeSeen(text)) return;
    try {
      for (const event of decodeEntry(text)) this.directory.observe(home, event);
    } catch (error) {
      // Nobody can read the entry; who decides for the home sets it aside.
      this.#options.onFault(error);
    }
  }

  #later(work: () => void): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      work();
    }, retryMs);
    timer.unref();
    this.#retries.add(timer);
  }
}
