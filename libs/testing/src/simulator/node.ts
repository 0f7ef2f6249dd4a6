import type { Random } from '@meridian/core';
import { LogUnavailable, type Follower, type LogMessage } from '@meridian/journal';
import { Gate } from './gate.ts';
import { NetworkLog } from './network-log.ts';
import type { Site } from './site.ts';
import type { Task, World } from './world.ts';

/** Starts the process: reads what it must and follows what it follows. */
export type Start = (instance: Instance) => void | Promise<void>;

/** What a process follows; the name is that of its checkpoint. */
export interface Following {
  readonly name: string;
  readonly stream: string;
  readonly filters: readonly string[];
}

/** How long after a start that failed for want of an answer the next one is made, in ms. */
const startAgainMs = 200;
/** The mean time from a message that was handled to the checkpoint that holds it, in ms. */
const saveAfterMs = 800;

/** One life of a process: what it has in memory ends with it. */
export class Instance {
  readonly log: NetworkLog;
  readonly now: () => number;
  readonly random: Random;
  /** How many lives the node had before. */
  readonly number: number;
  /** The way into the process. */
  readonly gate: Gate;
  readonly site: Site;
  readonly #world: World;
  readonly #node: SimulatedNode;

  constructor(world: World, node: SimulatedNode, number: number) {
    this.#world = world;
    this.#node = node;
    this.number = number;
    this.now = world.now;
    this.random = world.random.fork(`${node.name}#${number}`);
    this.gate = new Gate(world);
    this.site = node.site;
    this.log = new NetworkLog(world, node.name, this.random.fork('network'), {
      site: node.site,
      gate: this.gate,
      onDisturbance: (fromMs, toMs) => node.disturbed(fromMs, toMs),
    });
  }

  get alive(): boolean {
    return !this.gate.isClosed;
  }

  /** The monotonic clock of its machine, in ms since some moment: it drifts, and never stands still. */
  readonly monotonicMs = (): number =>
    (this.#world.now() - this.#world.startMs) * (1 + this.site.drift);

  /** Resolves after a time, or never when the process dies first. */
  readonly wait = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      this.after(delayMs, resolve);
    });

  /** Does something later by its own clock, unless the process is dead by then. */
  after(delayMs: number, run: () => void): Task {
    const task: Task = this.#world.after(delayMs / (1 + this.site.drift), () =>
      this.gate.pass(() => {
        if (!task.isCanceled) run();
      }),
    );
    return task;
  }

  cancel(task: Task | undefined): void {
    this.#world.cancel(task);
  }

  /** Something happened that must not: the run ends. */
  fail(error: unknown): void {
    this.#world.fail(error);
  }

  /**
   * Follows on from the node's checkpoint, which is kept now and then and may lag; so what was
   * handled shortly before a crash comes again.
   */
  follow(
    { name, stream, filters }: Following,
    handle: (message: LogMessage) => Promise<unknown>,
  ): Follower {
    let saving: Task | undefined;
    const follower = this.log.follow(
      stream,
      {
        after: this.#node.checkpoint(name),
        filters,
        onFailure: (error) => this.fail(error),
      },
      async (message) => {
        this.#node.delivered(name, message.sequence);
        await handle(message);
        saving ??= this.after(this.random.exponential(saveAfterMs), () => {
          saving = undefined;
          this.#node.keep(name, follower);
        });
      },
    );
    return follower;
  }

  die(): void {
    this.gate.close();
    this.log.die();
  }
}

/** What a follower's checkpoint is taken from; another choice than `position` is a fault. */
export type CheckpointOf = (follower: Follower) => number;

/** A process that can crash and be started again, and its checkpoints, which outlive it. */
export class SimulatedNode {
  readonly name: string;
  readonly site: Site;
  /** When it could not answer for its work, in epoch ms. */
  readonly disturbances: { readonly fromMs: number; readonly toMs: number }[] = [];
  checkpointOf: CheckpointOf = (follower) => follower.position;
  readonly #world: World;
  readonly #start: Start;
  readonly #alive: Instance[] = [];
  readonly #checkpoints = new Map<string, number>();
  readonly #delivered = new Map<string, number>();
  #lives = 0;

  constructor(world: World, name: string, start: Start, site: Site) {
    this.#world = world;
    this.name = name;
    this.site = site;
    this.#start = start;
  }

  /** The living instances, the oldest first: none while it is down, two while one is a zombie. */
  get instances(): readonly Instance[] {
    return this.#alive;
  }

  /** Starts one more instance, unless its site is down. */
  start(): void {
    if (!this.site.isUp) return;
    const instance = new Instance(this.#world, this, this.#lives);
    this.#lives += 1;
    this.#alive.push(instance);
    const fromMs = this.#world.now();
    void (async () => {
      try {
        await this.#start(instance);
        this.disturbed(fromMs, this.#world.now());
      } catch (error) {
        if (!(error instanceof LogUnavailable)) {
          this.#world.fail(error);
          return;
        }
        this.#world.count('starts that failed');
        this.#kill(instance, startAgainMs);
      }
    })();
  }

  /** The instance that lives longest dies and is started again `downMs` later. */
  crash(downMs: number): void {
    const [instance] = this.#alive;
    if (instance === undefined) return;
    this.#world.count('crashes');
    this.#kill(instance, downMs);
  }

  /** Starts a second instance; the first dies `overlapMs` later, if it lives that long. */
  replace(overlapMs: number): void {
    const [instance] = this.#alive;
    if (instance === undefined) return;
    this.#world.count('zombies');
    this.start();
    this.#world.after(overlapMs, () => {
      // The second one may have died meanwhile.
      if (this.#end(instance) && this.#alive.length === 0) this.start();
    });
  }

  /** Every instance stands still for a while. */
  pause(forMs: number): void {
    for (const { gate } of this.#alive) {
      if (gate.isHeld) continue;
      this.#world.count('pauses');
      gate.hold();
      this.#world.after(forMs, () => gate.release());
    }
    const fromMs = this.#world.now();
    this.disturbed(fromMs, fromMs + forMs);
  }

  /** Every instance dies, and none is started: its site is gone. */
  dieAll(): void {
    for (const instance of this.#alive.splice(0)) instance.die();
  }

  /** What was kept of positions is gone, as of a store that came back short. */
  forget(): void {
    this.#checkpoints.clear();
  }

  /** Where a follower begins: what was kept of its position. */
  checkpoint(name: string): number {
    return this.#checkpoints.get(name) ?? 0;
  }

  keep(name: string, follower: Follower): void {
    this.#checkpoints.set(name, this.checkpointOf(follower));
  }

  disturbed(fromMs: number, toMs: number): void {
    this.disturbances.push({ fromMs, toMs });
  }

  /** Counts what comes again. */
  delivered(name: string, sequence: number): void {
    const before = this.#delivered.get(name) ?? 0;
    if (sequence <= before) this.#world.count('messages delivered again');
    else this.#delivered.set(name, sequence);
  }

  #kill(instance: Instance, downMs: number): void {
    if (!this.#end(instance)) return;
    const fromMs = this.#world.now();
    this.#world.after(downMs, () => {
      this.disturbed(fromMs, this.#world.now());
      if (this.#alive.length === 0) this.start();
    });
  }

  #end(instance: Instance): boolean {
    const index = this.#alive.indexOf(instance);
    if (index === -1) return false;
    this.#alive.splice(index, 1);
    instance.die();
    return true;
  }
}
