import type { World } from './world.ts';

/**
 * The way into a process. What comes to a dead one is lost; what comes to one that stands still
 * waits, and comes in its order once the process goes on.
 */
export class Gate {
  readonly #world: World;
  #held: (() => void)[] = [];
  #state: 'open' | 'held' | 'draining' | 'closed' = 'open';

  constructor(world: World) {
    this.#world = world;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Whether the process stands still, or has not made up for it yet. */
  get isHeld(): boolean {
    return this.#state === 'held' || this.#state === 'draining';
  }

  /** Lets something happen in the process: now, later, or never. */
  pass(run: () => void): void {
    if (this.#state === 'open') run();
    else if (this.#state !== 'closed') this.#held.push(run);
  }

  /** The process stands still from now on, as after SIGSTOP. */
  hold(): void {
    if (this.#state !== 'closed') this.#state = 'held';
  }

  /** The process goes on: what has come meanwhile happens one after the other. */
  release(): void {
    if (this.#state !== 'held') return;
    this.#state = 'draining';
    this.#world.after(0, () => this.#drain());
  }

  close(): void {
    this.#state = 'closed';
    this.#held = [];
  }

  #drain(): void {
    if (this.#state !== 'draining') return;
    const next = this.#held.shift();
    if (next === undefined) {
      this.#state = 'open';
      return;
    }
    this.#world.after(0, () => this.#drain());
    next();
  }
}
