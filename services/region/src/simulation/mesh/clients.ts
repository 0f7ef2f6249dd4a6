import { toTimestamp, type Random } from '@meridian/core';
import { meshTenant } from '@meridian/journal';
import type { SimulatedMesh, World } from '@meridian/testing';
import type { IntakeEnvelope } from '@meridian/wire';
import type { Publishing, RequestToPublish } from '../publishing.ts';
import { tenant } from '../scenario.ts';
import type { Durability, SimulatedEdge, Stored } from './edge.ts';

/** A request that an edge acknowledged to its publisher. */
export interface MeshAcknowledged extends Stored {
  readonly event: IntakeEnvelope;
  readonly durability: Durability;
  readonly atMs: number;
}

export interface ClientsOptions {
  readonly world: World;
  readonly mesh: SimulatedMesh;
  /** The living edge of a region, if there is one. */
  readonly edgeOf: (region: string) => SimulatedEdge | undefined;
  /** Where somebody goes first. */
  readonly homeOf: (who: string) => string;
  /** How long a log knows a message id, in ms. */
  readonly windowMs: number;
  /** After this nothing is repeated without need, epoch ms. */
  readonly untilMs: number;
}

/** How long a client waits for an edge's answer, in ms. */
const answerTimeoutMs = 4_000;
const retryMs = 300;
/** The mean of one way between a client and an edge beyond its first millisecond, in ms. */
const wayMs = 10;
/** How likely a publisher repeats what was acknowledged already: at once, or after the window. */
const repeatSoon = 0.05;
const repeatLate = 0.03;
/** How often a durability that cannot be had now is asked for before the client does without. */
const durableAttempts = 3;

const creating = new Set(['meridian.contact.initiate.v1', 'meridian.agent.sign_in.v1']);

/**
 * Those outside who publish requests, each through the edge of a region: one after the other, again
 * and again until an edge has acknowledged it, at another region's edge when theirs gives no answer.
 */
export class Clients implements Publishing {
  readonly acknowledged: MeshAcknowledged[] = [];
  readonly #options: ClientsOptions;
  readonly #random: Random;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #counters = new Map<string, number>();
  /** Where each one goes at present. */
  readonly #regions = new Map<string, string>();
  /** The home of a contact, reservation or agent, as the events that a client saw say. */
  readonly #homes = new Map<string, string>();
  #underWay = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#random = options.world.random.fork('clients');
  }

  /** How many requests are not acknowledged yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** An event that clients react to names the home of its aggregate, and they repeat it. */
  saw(subject: string, home: string): void {
    this.#homes.set(subject, home);
  }

  publish(who: string, request: RequestToPublish): void {
    const { world } = this.#options;
    const number = (this.#counters.get(who) ?? 0) + 1;
    this.#counters.set(who, number);
    const event: IntakeEnvelope = {
      specversion: '1.0',
      id: `${who}-${number}`,
      source: `/sim/${who}`,
      type: request.type,
      subject: request.subject,
      time: toTimestamp(world.now()),
      tenant: request.type.startsWith('meridian.failover.') ? meshTenant : tenant,
      datacontenttype: 'application/json',
      data: request.data,
    };
    const before = this.#tails.get(who) ?? Promise.resolve();
    this.#underWay += 1;
    this.#tails.set(
      who,
      before.then(async () => {
        await this.#store(who, event, this.#drawDurability(), true);
        this.#underWay -= 1;
        this.#maybeRepeat(who, event);
      }),
    );
  }

  #drawDurability(): Durability {
    const chance = this.#random.next();
    return chance < 0.7 ? 'region' : chance < 0.95 ? 'mirrored' : 'all';
  }

  #maybeRepeat(who: string, event: IntakeEnvelope): void {
    const chance = this.#random.next();
    if (chance < repeatSoon) this.#repeatAfter(this.#random.exponential(500), who, event);
    else if (chance < repeatSoon + repeatLate) {
      const { windowMs } = this.#options;
      this.#repeatAfter(windowMs + this.#random.exponential(windowMs), who, event);
    }
  }

  #repeatAfter(delayMs: number, who: string, event: IntakeEnvelope): void {
    const { world, untilMs } = this.#options;
    if (world.now() + delayMs > untilMs) return;
    this.#underWay += 1;
    world.after(delayMs, () => {
      world.count('publishes repeated');
      void this.#store(who, event, 'region', false).then(() => {
        this.#underWay -= 1;
      });
    });
  }

  async #store(
    who: string,
    original: IntakeEnvelope,
    asked: Durability,
    isFirst: boolean,
  ): Promise<void> {
    const { world, mesh, homeOf } = this.#options;
    let event = original;
    for (let attempt = 1; ; attempt += 1) {
      const region = this.#regions.get(who) ?? homeOf(who);
      event = this.#withHome(event, region);
      const durability = attempt > durableAttempts ? 'region' : asked;
      const answer = await this.#ask(region, event, durability);
      if (answer !== undefined) {
        if (answer.duplicate) world.count('publishes recognized as repeated');
        if (isFirst) {
          this.acknowledged.push({ ...answer, event, durability, atMs: world.now() });
        }
        if (this.#random.next() < 0.2) this.#regions.delete(who);
        return;
      }
      const others = mesh.regions.map(({ name }) => name).filter((name) => name !== region);
      if (others.length > 0 && this.#random.next() < 0.7) {
        world.count('publishers that went to another region');
        this.#regions.set(who, this.#random.pick(others));
      }
      await new Promise<void>((resolve) => {
        world.after(retryMs, resolve);
      });
    }
  }

  /**
   * Names the home, as far as the client knows it: what may have been stored in one region keeps that
   * home, wherever it is sent again, and so does what is asked of it later.
   */
  #withHome(event: IntakeEnvelope, region: string): IntakeEnvelope {
    const { subject, type } = event;
    if (event.region !== undefined) return event;
    const known = this.#homes.get(subject);
    if (known !== undefined) return { ...event, region: known };
    if (creating.has(type)) this.#homes.set(subject, region);
    return event;
  }

  /** @returns what the edge answered; undefined when it refused or gave no answer in time */
  #ask(region: string, event: IntakeEnvelope, durability: Durability): Promise<Stored | undefined> {
    const { world, edgeOf } = this.#options;
    return new Promise((resolve) => {
      world.after(answerTimeoutMs, () => resolve(undefined));
      world.after(this.#delay(), () => {
        const edge = edgeOf(region);
        const answer = (stored: Stored | undefined): void => {
          world.after(this.#delay(), () => resolve(stored));
        };
        if (edge === undefined) answer(undefined);
        else edge.accept(event, durability).then(answer, () => answer(undefined));
      });
    });
  }

  #delay(): number {
    return 1 + this.#random.exponential(wayMs);
  }
}
