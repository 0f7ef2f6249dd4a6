import { setTimeout as sleep } from 'node:timers/promises';
import type { Action } from './action.ts';
import { inspectCopies, type CopiesFound } from './copies.ts';
import type { HomeView } from './edge.ts';
import type { MeshEdge } from './mesh-edge.ts';
import type { Acknowledgement, Acknowledgements } from './outbox.ts';
import { isRetryable, PlayFault } from './patience.ts';
import type { Placement } from './placement.ts';

/** A region that is to be lost while a day is played, by somebody who can do that. */
export interface Blow {
  readonly region: string;
  /** When by the clock of the log, ms after midnight (UTC) of the day. */
  readonly timeOfDayMs: number;
  /** Ends every process of the region at once; resolves when they are gone. */
  kill(): Promise<void>;
  /** Starts the region again; resolves when its edge answers. Without it the region stays away. */
  restart?(): Promise<void>;
}

/** What a lost region cost, as those outside saw it. Times are real, in ms. */
export interface DisasterReport {
  readonly region: string;
  /** Log time at which it was killed, epoch ms. */
  readonly at: number;
  /** Real time at which that was asked for, epoch ms. */
  readonly killedAt: number;
  /** From the kill until other regions decided for all of its homes and everything rested. */
  readonly recoveredMs: number;
  /** Requests that the region may not have kept and that were sent again elsewhere. */
  readonly sentAgain: number;
  /** What it had acknowledged of them and no other region held: the RPO in requests. */
  readonly missing: readonly Acknowledgement[];
  /** Who decides for each home since. */
  readonly owners: Readonly<Record<string, string>>;
  /** Real time at which it was started again, epoch ms; null when it stays away. */
  readonly restartedAt: number | null;
  /** From the restart until the region rested with the others; null when it stays away. */
  readonly returnedMs: number | null;
}

const pollMs = 100;
/** How long, in log time, it is waited for a request to the region. */
const waitForRequestMs = 300_000;
/** How long other regions may take to decide for the lost one, in real ms. */
const limitMs = 180_000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/**
 * Strikes once, when the time has come and a request is on its way to the region, or some minutes
 * later without one.
 */
export class Disaster {
  readonly #blow: Blow;
  readonly #mesh: MeshEdge;
  readonly #placement: Placement;
  readonly #atMs: number;
  readonly #say: (line: string) => void;
  #report: DisasterReport | undefined;
  #hasStruck = false;

  /**
   * @param dayStartMs midnight of the day as it is played, epoch ms of the log
   * @param say told what happens, a line each
   */
  constructor(
    blow: Blow,
    mesh: MeshEdge,
    placement: Placement,
    dayStartMs: number,
    say: (line: string) => void = () => {},
  ) {
    if (!mesh.regions.includes(blow.region) || mesh.regions.length < 2) {
      throw new PlayFault(
        `The region ${blow.region} cannot be killed: there are ${mesh.regions.join(', ')}.\n` +
          'Name one of several regions.',
      );
    }
    this.#blow = blow;
    this.#mesh = mesh;
    this.#placement = placement;
    this.#atMs = dayStartMs + blow.timeOfDayMs;
    this.#say = say;
  }

  /** What became of it; undefined before it has struck. */
  get report(): DisasterReport | undefined {
    return this.#report;
  }

  /** By when it strikes, request or not, in epoch ms of the log; undefined once it has. */
  get latestMs(): number | undefined {
    return this.#hasStruck ? undefined : this.#atMs + waitForRequestMs;
  }

  /** Whether the region is to be killed now, this being what is asked for next. */
  isDue(at: number, next: Pick<Action, 'kind' | 'subject'>): boolean {
    if (this.#hasStruck || at < this.#atMs) return false;
    return this.#placement.homeOf(next) === this.#blow.region;
  }

  /**
   * Kills the region, waits until others decide for its homes and everything rests, and sends again
   * there what it may not have kept. The log's time stands meanwhile, unless it runs by itself.
   * @throws PlayFault when nobody takes over in time
   */
  async strike(at: number): Promise<void> {
    this.#hasStruck = true;
    const { region } = this.#blow;
    const opened = Promise.withResolvers<void>();
    // What nobody waits for yet must not end the process.
    opened.promise.catch(() => {});
    const startedMs = performance.now();
    const killedAt = Date.now();
    const time = new Date(at).toISOString().slice(11, 19);
    this.#say(`${time} ${region} is killed; the day waits until others decide for its home`);
    try {
      const killed = this.#blow.kill();
      this.#mesh.lose(region, opened.promise);
      await killed;
      const homes = await this.#untilTakenOver();
      const { lastSequence } = await this.#patiently(() => this.#mesh.rest());
      const held = lastSequence[`IN_${region}`] ?? 0;
      const unsure = await this.#patiently(() => this.#mesh.sendAgain(region, held));
      const owners = Object.fromEntries(homes.map(({ home, owner }) => [home, owner]));
      const recoveredMs = performance.now() - startedMs;
      const back = { restartedAt: null, returnedMs: null };
      this.#report = { region, at, killedAt, recoveredMs, ...unsure, owners, ...back };
      this.#say(
        `${time} ${owners[region]} decides for ${region}; the day goes on, ` +
          `${seconds(recoveredMs)} after the kill`,
      );
      opened.resolve();
    } catch (error) {
      opened.reject(error);
      throw error;
    }
  }

  /** After the day: starts the region again and waits until it rests with the others. */
  async mend(at: number): Promise<void> {
    if (this.#report === undefined || this.#blow.restart === undefined) return;
    const restartedAt = Date.now();
    const startedMs = performance.now();
    this.#say(`The day is over; ${this.#blow.region} is started again.`);
    await this.#blow.restart();
    this.#mesh.regain(this.#blow.region);
    // Its clock was lost with it.
    await this.#patiently(() => this.#mesh.advance({ at, rate: 0 }));
    const returnedMs = performance.now() - startedMs;
    this.#report = { ...this.#report, restartedAt, returnedMs };
    this.#say(
      `${this.#blow.region} rests with the others after ${seconds(returnedMs)}; ` +
        'the logs of all regions are read back.',
    );
  }

  /**
   * After all of it: what was told to publishers, and what the copies of all regions hold of it.
   * @returns undefined when nothing was lost
   */
  async look(): Promise<
    (DisasterReport & CopiesFound & { readonly acknowledgements: Acknowledgements }) | undefined
  > {
    if (this.#report === undefined) return undefined;
    const acknowledgements = this.#mesh.acknowledgements();
    const { lastSequence } = await this.#patiently(() => this.#mesh.rest());
    const copies = await this.#patiently(() =>
      inspectCopies(this.#mesh, acknowledgements.places, lastSequence),
    );
    return { ...this.#report, ...copies, acknowledgements };
  }

  async #untilTakenOver(): Promise<readonly HomeView[]> {
    const { region } = this.#blow;
    const endsMs = performance.now() + limitMs;
    let seen: readonly HomeView[] = [];
    while (performance.now() < endsMs) {
      seen = await this.#patiently(() => this.#mesh.homes());
      if (seen.every(({ owner, state }) => owner !== region && state === 'ACTIVE')) return seen;
      await sleep(pollMs);
    }
    const left = seen.map(({ home, owner, state }) => `${home}: ${owner}, ${state}`);
    throw new PlayFault(
      `${limitMs / 1000} s after the loss of ${region} its homes are not decided elsewhere ` +
        `(${left.join('; ')}).\nSee the recovery of the other regions, and their control cluster.`,
    );
  }

  /** Tries again what fails because a region is away or cannot answer yet. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const endsMs = performance.now() + limitMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isRetryable(error) || performance.now() > endsMs) throw error;
        await sleep(pollMs);
      }
    }
  }
}
