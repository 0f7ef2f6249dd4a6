import type { Random } from '@meridian/core';
import type { Gate } from '../gate.ts';
import type { World } from '../world.ts';
import type { MeshFaults } from './faults.ts';
import type { Links } from './links.ts';

/** How long a client of the control store waits for an answer, in ms. */
const answerTimeoutMs = 5_000;
/** The mean delay of a call that arrives after its caller has given up, in ms. */
const lateMs = 4_000;

export interface ControlEntry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** The key was written by somebody else since. Nothing was changed. */
export class WrongRevision extends Error {
  override readonly name = 'WrongRevision';
}

/** No answer came: whether the call had an effect is not known. */
export class ControlUnavailable extends Error {
  override readonly name = 'ControlUnavailable';
}

interface Watcher {
  readonly region: string;
  readonly prefix: string;
  readonly see: () => void;
}

/**
 * The control cluster: one server a region, one history of writes, as its consensus makes it. A
 * region is served as long as it reaches a server that reaches a majority.
 */
export class ControlStore {
  readonly #world: World;
  readonly #links: Links;
  readonly #regions: readonly string[];
  readonly #faults: MeshFaults;
  readonly #entries = new Map<string, ControlEntry>();
  readonly #watchers = new Set<Watcher>();
  #revision = 0;

  constructor(world: World, links: Links, regions: readonly string[], faults: MeshFaults) {
    this.#world = world;
    this.#links = links;
    this.#regions = regions;
    this.#faults = faults;
  }

  /** What is stored, whoever asks: for checks, not for processes. */
  get entries(): ReadonlyMap<string, ControlEntry> {
    return this.#entries;
  }

  /** Whether a call from a region would be answered at this moment. */
  serves(region: string): boolean {
    const joined = (a: string, b: string): boolean =>
      this.#links.isOpen(a, b, 'all') && this.#links.isOpen(b, a, 'all');
    return this.#regions.some(
      (server) =>
        joined(region, server) &&
        2 * this.#regions.filter((other) => joined(server, other)).length > this.#regions.length,
    );
  }

  client(region: string, gate: Gate, random: Random): ControlClient {
    return new ControlClient(this, this.#world, region, gate, random);
  }

  /** What the plan has in store for a region's calls now. */
  trouble(region: string): MeshFaults['control'][number] | undefined {
    const nowMs = this.#world.now();
    return this.#faults.control.findLast(
      (one) => one.region === region && one.fromMs <= nowMs && nowMs < one.toMs,
    );
  }

  /** Writes under a key. @throws WrongRevision when that has not the revision named; 0 for a new one */
  write(key: string, value: string, expectedRevision: number | undefined): number {
    const found = this.#entries.get(key)?.revision ?? 0;
    if (expectedRevision !== undefined && found !== expectedRevision) {
      throw new WrongRevision(`${key} has revision ${found}, not ${expectedRevision}.`);
    }
    this.#revision += 1;
    this.#entries.set(key, { key, value, revision: this.#revision });
    for (const { region, prefix, see } of this.#watchers) {
      if (key.startsWith(prefix) && this.serves(region)) see();
    }
    return this.#revision;
  }

  /** Lets those who watch look again, where they can. */
  tell(): void {
    for (const { region, see } of this.#watchers) if (this.serves(region)) see();
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The control store as one process sees it; its calls may be lost, late, or have no answer. */
export class ControlClient {
  readonly #store: ControlStore;
  readonly #world: World;
  readonly #region: string;
  readonly #gate: Gate;
  readonly #random: Random;

  constructor(store: ControlStore, world: World, region: string, gate: Gate, random: Random) {
    this.#store = store;
    this.#world = world;
    this.#region = region;
    this.#gate = gate;
    this.#random = random;
  }

  /** A leader's read. @throws ControlUnavailable */
  get(key: string): Promise<ControlEntry | undefined> {
    return this.#call(`A read of ${key}`, () => this.#store.entries.get(key));
  }

  /** Every entry whose key begins so, by key. @throws ControlUnavailable */
  list(prefix: string): Promise<readonly ControlEntry[]> {
    return this.#call(`A list of ${prefix}`, () => this.#under(prefix));
  }

  /** @returns the key's new revision. @throws ControlUnavailable */
  put(key: string, value: string): Promise<number> {
    return this.#call(`A write of ${key}`, () => this.#store.write(key, value, undefined));
  }

  /**
   * Writes if the key still has that revision; 0 for one that must not be there.
   * @throws WrongRevision
   * @throws ControlUnavailable
   */
  compareAndSet(key: string, value: string, revision: number): Promise<number> {
    return this.#call(`A write of ${key}`, () => this.#store.write(key, value, revision));
  }

  /** Shows each entry under a prefix and what becomes of it: soon, or when it is reachable again. */
  watch(prefix: string, onEntry: (entry: ControlEntry) => void): void {
    let seen = 0;
    let lastMs = 0;
    const see = (): void => {
      if (this.#gate.isClosed) {
        stop();
        return;
      }
      const news = this.#under(prefix).filter(({ revision }) => revision > seen);
      for (const entry of news.toSorted((a, b) => a.revision - b.revision)) {
        seen = entry.revision;
        lastMs = Math.max(lastMs, this.#world.now() + this.#wayMs());
        this.#world.at(lastMs, () => this.#gate.pass(() => onEntry(entry)));
      }
    };
    const stop = this.#store.watch({ region: this.#region, prefix, see });
    if (this.#store.serves(this.#region)) see();
  }

  #under(prefix: string): readonly ControlEntry[] {
    return [...this.#store.entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  #call<T>(what: string, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const trouble = this.#store.trouble(this.#region);
      const chance = trouble === undefined ? 1 : this.#random.next() * 3;
      const { refuse = 0, loseAnswer = 0, late = 0 } = trouble ?? {};
      const isLost = chance < refuse;
      const isUnanswered = !isLost && chance < refuse + loseAnswer;
      const isLate = !isLost && !isUnanswered && chance < refuse + loseAnswer + late;
      let isAnswered = false;
      const settle = (answer: () => void): void => {
        if (isAnswered) return;
        isAnswered = true;
        this.#gate.pass(answer);
      };
      this.#world.after(answerTimeoutMs, () =>
        settle(() => {
          this.#world.count('calls of the control store without an answer');
          reject(new ControlUnavailable(`${what} got no answer.`));
        }),
      );
      if (isLost) return;
      const wayMs = isLate ? answerTimeoutMs + this.#random.exponential(lateMs) : this.#wayMs();
      this.#world.after(wayMs, () => {
        if (!this.#store.serves(this.#region)) return;
        const answer = attempt(act, resolve, reject);
        if (isUnanswered || isLate) return;
        this.#world.after(this.#wayMs(), () => {
          if (this.#store.serves(this.#region)) settle(answer);
        });
      });
    });
  }

  #wayMs(): number {
    const slowMs = this.#store.trouble(this.#region)?.slowMs ?? 0;
    return 1 + this.#random.exponential(8) + (slowMs === 0 ? 0 : this.#random.exponential(slowMs));
  }
}

/** Does something; the answer is what tells of it. */
function attempt<T>(
  act: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const value = act();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}
