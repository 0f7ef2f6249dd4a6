import { Heap, seeded, type Random } from '@meridian/core';
import { memoryLog, type MemoryLog } from '@meridian/journal';
import { noFaults, troubleAt, type FaultPlan, type Trouble } from './faults.ts';
import { SimulatedNode, type Start } from './node.ts';
import { firmGround, type Site } from './site.ts';

/** Something that happens at a moment; `cancel` takes it back until then. */
export interface Task {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
  isCanceled: boolean;
}

export interface WorldOptions {
  /** All randomness of the world comes from it. */
  readonly seed: string | number;
  /** Epoch ms at which the world begins. */
  readonly startMs: number;
  readonly plan?: FaultPlan;
  /** How long the log knows a message id, in ms; 2 minutes as a server does. */
  readonly duplicateWindowMs?: number;
}

/** How many tasks one world runs at most: more is a runaway. */
const taskLimit = 50_000_000;

/**
 * A world with a clock of its own. Everything that happens is a task at a moment; tasks run one
 * after the other under a total order (time, then the order in which they were made), each to the
 * very end of what it sets off. So one seed gives one history, byte for byte.
 */
export class World {
  readonly random: Random;
  readonly plan: FaultPlan;
  /** The log that all nodes without a site share, as it is: without a network in between. */
  readonly log: MemoryLog;
  readonly site: Site;
  /** Epoch ms at which the world began. */
  readonly startMs: number;
  readonly #tasks = new Heap<Task>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #counts = new Map<string, number>();
  #nowMs: number;
  #order = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor({ seed, startMs, plan = noFaults, duplicateWindowMs = 120_000 }: WorldOptions) {
    this.random = seeded(seed);
    this.plan = plan;
    this.startMs = startMs;
    this.#nowMs = startMs;
    this.log = memoryLog({ now: () => this.#nowMs, duplicateWindow: { ms: duplicateWindowMs } });
    this.site = firmGround(this.log);
    for (const { atMs, node, downMs } of plan.crashes) {
      this.at(atMs, () => this.#nodes.get(node)?.crash(downMs));
    }
    for (const { atMs, node, overlapMs } of plan.zombies) {
      this.at(atMs, () => this.#nodes.get(node)?.replace(overlapMs));
    }
  }

  /** Epoch ms. */
  readonly now = (): number => this.#nowMs;

  /** How often each thing happened that is worth counting; faults above all. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  get nodes(): Iterable<SimulatedNode> {
    return this.#nodes.values();
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  /** Does something at a moment, at the earliest after everything that is due now already. */
  at(atMs: number, run: () => void): Task {
    const task: Task = {
      atMs: Math.max(this.#nowMs, Math.ceil(atMs)),
      order: this.#order,
      run,
      isCanceled: false,
    };
    this.#order += 1;
    this.#tasks.push(task);
    return task;
  }

  after(delayMs: number, run: () => void): Task {
    return this.at(this.#nowMs + delayMs, run);
  }

  cancel(task: Task | undefined): void {
    if (task === undefined) return;
    task.run = undefined;
    task.isCanceled = true;
  }

  /** A process that can crash and be started again; it starts with the world's next task. */
  node(name: string, start: Start, site: Site = this.site): SimulatedNode {
    const node = new SimulatedNode(this, name, start, site);
    this.#nodes.set(name, node);
    this.after(0, () => node.start());
    return node;
  }

  /** What the plan has in store for a node now. */
  trouble(node: string): Trouble | undefined {
    return troubleAt(this.plan, node, this.#nowMs);
  }

  /** Ends the run: something happened that must not. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Runs until nothing is left to do or the clock would pass `untilMs`.
   * @returns whether nothing is left to do
   * @throws what a task threw or `fail` was told
   */
  async run(untilMs: number): Promise<boolean> {
    for (let count = 0; ; count += 1) {
      if (count === taskLimit) {
        throw new Error(`The world still had work after ${taskLimit} tasks.`);
      }
      const next = this.#tasks.peek();
      if (next === undefined) return true;
      if (next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      this.#tasks.pop();
      if (next.run === undefined) continue;
      this.#nowMs = next.atMs;
      next.run();
      await everythingSettled();
      if (this.#failure !== undefined) throw this.#failure.error;
    }
  }
}

/** Lets every promise that can settle do so: an immediate runs only when no microtask is left. */
function everythingSettled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
