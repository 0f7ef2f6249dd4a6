import type { Random } from '@meridian/core';
import type { World } from '../world.ts';
import type { LinkScope, MeshFaults } from './faults.ts';

/** The shortest and the longest way between two regions in good health, in ms. */
const nearestMs = 4;
const farthestMs = 60;

/** The ways between regions: how long each takes, and whether anything comes through now. */
export class Links {
  readonly #world: World;
  readonly #faults: MeshFaults;
  readonly #isUp: (region: string) => boolean;
  readonly #random: Random;
  readonly #distancesMs = new Map<string, number>();

  constructor(
    world: World,
    regions: readonly string[],
    faults: MeshFaults,
    isUp: (region: string) => boolean,
  ) {
    this.#world = world;
    this.#faults = faults;
    this.#isUp = isUp;
    this.#random = world.random.fork('links');
    for (const one of regions) {
      for (const other of regions.filter((name) => name > one)) {
        const distanceMs = nearestMs + this.#random.int(farthestMs - nearestMs);
        this.#distancesMs.set(`${one} ${other}`, distanceMs).set(`${other} ${one}`, distanceMs);
      }
    }
  }

  /** Whether something that goes from one region to another comes through at this moment. */
  isOpen(from: string, to: string, scope: LinkScope = 'streams'): boolean {
    if (!this.#isUp(from) || !this.#isUp(to)) return false;
    if (from === to) return true;
    const nowMs = this.#world.now();
    return !this.#faults.cuts.some(
      (cut) =>
        cut.from === from &&
        cut.to === to &&
        cut.fromMs <= nowMs &&
        nowMs < cut.toMs &&
        (scope === 'streams' || cut.scope === 'all'),
    );
  }

  /** How long the next message from one region to another is under way, in ms. */
  delayMs(from: string, to: string): number {
    const nowMs = this.#world.now();
    const slow = this.#faults.slowLinks.findLast(
      (one) => one.from === from && one.to === to && one.fromMs <= nowMs && nowMs < one.toMs,
    );
    const distanceMs = this.#distancesMs.get(`${from} ${to}`) ?? 0;
    return (
      1 +
      Math.floor(
        distanceMs +
          this.#random.exponential(1 + distanceMs / 10) +
          (slow === undefined ? 0 : this.#random.exponential(slow.slowMs)),
      )
    );
  }

  /** Sends something that is lost when the way is cut now or on arrival. */
  send(from: string, to: string, arrive: () => void): void {
    if (!this.isOpen(from, to)) return;
    this.#world.after(this.delayMs(from, to), () => {
      if (this.isOpen(from, to)) arrive();
    });
  }
}
