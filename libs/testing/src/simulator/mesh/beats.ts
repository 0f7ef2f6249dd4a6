import type { Random } from '@meridian/core';
import { hasWildcard, matchesFilter } from '@meridian/journal';
import type { Gate } from '../gate.ts';
import type { World } from '../world.ts';

/** The mean of a beat's way within a region, in ms. */
const wayMs = 2;

interface Listener {
  readonly filter: string;
  readonly gate: Gate;
  readonly onBeat: (body: unknown, subject: string) => void;
}

/** Liveness within one region: what is published reaches whoever listens, soon, or not at all. */
export class Beats {
  readonly #world: World;
  readonly #random: Random;
  readonly #loss: number;
  /** By filter; those with wildcards are looked at for every subject. */
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #wide = new Set<Listener>();

  /** @param loss how likely a beat does not reach one listener */
  constructor(world: World, region: string, loss: number) {
    this.#world = world;
    this.#random = world.random.fork(`beats/${region}`);
    this.#loss = loss;
  }

  publish(subject: string, body: unknown): void {
    for (const listener of this.#listeners.get(subject) ?? []) {
      this.#send(listener, subject, body);
    }
    for (const listener of this.#wide) {
      if (matchesFilter(listener.filter, subject)) this.#send(listener, subject, body);
    }
  }

  /** Hears what is published under a filter, until the process is dead. @returns what ends it */
  subscribe(
    filter: string,
    gate: Gate,
    onBeat: (body: unknown, subject: string) => void,
  ): () => void {
    const listener = { filter, gate, onBeat };
    if (hasWildcard(filter)) this.#wide.add(listener);
    else {
      const known = this.#listeners.get(filter);
      if (known === undefined) this.#listeners.set(filter, new Set([listener]));
      else known.add(listener);
    }
    return () => this.#end(listener);
  }

  #end(listener: Listener): void {
    this.#wide.delete(listener);
    this.#listeners.get(listener.filter)?.delete(listener);
  }

  #send(listener: Listener, subject: string, body: unknown): void {
    const { gate, onBeat } = listener;
    if (gate.isClosed) {
      this.#end(listener);
      return;
    }
    if (this.#loss > 0 && this.#random.next() < this.#loss) {
      this.#world.count('beats lost');
      return;
    }
    this.#world.after(1 + this.#random.exponential(wayMs), () =>
      gate.pass(() => onBeat(body, subject)),
    );
  }
}
