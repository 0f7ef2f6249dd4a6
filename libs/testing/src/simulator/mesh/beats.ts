import { compileFilters } from '@meridian/journal';
import type { Random } from '@meridian/core';
import type { Gate } from '../gate.ts';
import type { World } from '../world.ts';

/** The mean of a beat's way within a region, in ms. */
const wayMs = 2;

/** Liveness within one region: what is published reaches whoever listens, soon, or not at all. */
export class Beats {
  readonly #world: World;
  readonly #random: Random;
  readonly #loss: number;
  readonly #listeners = new Set<(subject: string, body: unknown) => void>();

  /** @param loss how likely a beat does not reach one listener */
  constructor(world: World, region: string, loss: number) {
    this.#world = world;
    this.#random = world.random.fork(`beats/${region}`);
    this.#loss = loss;
  }

  publish(subject: string, body: unknown): void {
    for (const listen of this.#listeners) listen(subject, body);
  }

  /** Hears what is published under a filter, until the process is dead. @returns what ends it */
  subscribe(
    filter: string,
    gate: Gate,
    onBeat: (body: unknown, subject: string) => void,
  ): () => void {
    const matches = compileFilters([filter]);
    const end = (): void => {
      this.#listeners.delete(listen);
    };
    const listen = (subject: string, body: unknown): void => {
      if (gate.isClosed) end();
      else if (matches(subject)) {
        if (this.#random.next() < this.#loss) this.#world.count('beats lost');
        else {
          this.#world.after(1 + this.#random.exponential(wayMs), () =>
            gate.pass(() => onBeat(body, subject)),
          );
        }
      }
    };
    this.#listeners.add(listen);
    return end;
  }
}
