import { toTimestamp } from '@meridian/core';
import { LogUnavailable } from '@meridian/journal';
import { NetworkLog, type World } from '@meridian/testing';
import { intakeMessageId, intakeStream, intakeSubject, type IntakeEnvelope } from '@meridian/wire';
import type { Publishing, RequestToPublish } from './publishing.ts';
import { region, tenant } from './scenario.ts';

/** A request that the log acknowledged to its publisher. */
export interface Acknowledged {
  readonly event: IntakeEnvelope;
  readonly sequence: number;
}

const retryMs = 250;
/** How likely a publisher repeats what was acknowledged already: at once, or after the window. */
const repeatSoon = 0.05;
const repeatLate = 0.03;

/**
 * Those outside who publish requests: one after the other for each of them, again and again until
 * the log has acknowledged, and some of them once more after that.
 */
export class Publisher implements Publishing {
  readonly acknowledged: Acknowledged[] = [];
  readonly #world: World;
  readonly #log: NetworkLog;
  readonly #random;
  readonly #windowMs: number;
  readonly #untilMs: number;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #counters = new Map<string, number>();

  /**
   * @param windowMs how long the log knows a message id
   * @param untilMs after this nothing is repeated without need, epoch ms
   */
  constructor(world: World, windowMs: number, untilMs: number) {
    this.#world = world;
    this.#random = world.random.fork('publisher');
    this.#log = new NetworkLog(world, 'publishers', this.#random.fork('network'));
    this.#windowMs = windowMs;
    this.#untilMs = untilMs;
  }

  /** @param who publishes; what one publishes is stored in the order of the calls */
  publish(who: string, request: RequestToPublish): void {
    const number = (this.#counters.get(who) ?? 0) + 1;
    this.#counters.set(who, number);
    const event: IntakeEnvelope = {
      specversion: '1.0',
      id: `${who}-${number}`,
      source: `/sim/${who}`,
      type: request.type,
      subject: request.subject,
      time: toTimestamp(this.#world.now()),
      tenant,
      datacontenttype: 'application/json',
      data: request.data,
    };
    const before = this.#tails.get(who) ?? Promise.resolve();
    this.#tails.set(
      who,
      before.then(async () => {
        const sequence = await this.#store(event);
        this.acknowledged.push({ event, sequence });
        this.#maybeRepeat(event);
      }),
    );
  }

  #maybeRepeat(event: IntakeEnvelope): void {
    const chance = this.#random.next();
    if (chance < repeatSoon) this.#repeatAfter(this.#random.exponential(500), event);
    else if (chance < repeatSoon + repeatLate) {
      this.#repeatAfter(this.#windowMs + this.#random.exponential(this.#windowMs), event);
    }
  }

  #repeatAfter(delayMs: number, event: IntakeEnvelope): void {
    if (this.#world.now() + delayMs > this.#untilMs) return;
    this.#world.after(delayMs, () => {
      this.#world.count('publishes repeated');
      void this.#store(event);
    });
  }

  async #store(event: IntakeEnvelope): Promise<number> {
    const [, entity = ''] = event.type.split('.');
    const message = {
      subject: intakeSubject(region, region, { tenant, entity, id: event.subject }),
      data: JSON.stringify(event),
      messageId: intakeMessageId(event),
    };
    for (;;) {
      try {
        const { sequence, duplicate } = await this.#log.append(intakeStream(region), message);
        if (duplicate) this.#world.count('publishes recognized as repeated');
        return sequence;
      } catch (error) {
        if (!(error instanceof LogUnavailable)) {
          this.#world.fail(error);
          throw error;
        }
        await new Promise<void>((resolve) => {
          this.#world.after(retryMs, resolve);
        });
      }
    }
  }
}
