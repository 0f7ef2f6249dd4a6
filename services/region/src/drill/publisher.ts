import { setTimeout as wait } from 'node:timers/promises';
import type { Durability } from '@meridian/cli';
import type { Acknowledgements } from './acknowledgements.ts';
import type { Door } from './doors.ts';
import type { OutsideRequest } from './post.ts';
import { sendUntilAcknowledged } from './sender.ts';

export interface PublisherOptions {
  /** Unique in the drill; ids of requests and contacts begin with it. */
  readonly name: string;
  readonly home: string;
  readonly durability: Durability;
  readonly batchSize: number;
  readonly batchesPerSecond: number;
  readonly door: Door;
  readonly acknowledgements: Acknowledgements;
}

/** How often a contact is spoken of: it begins, is described again and again, ends. */
const rounds = 10;

/**
 * A system outside that tells the mesh of its chats, in batches, as a CRM does: each begins, its
 * attributes are sent with every round whether they changed or not (they change once), and it ends.
 * What is due while an acknowledgement is missing is sent afterwards.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  #batch = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes for so long.
   * @param signal ends it early; what is not acknowledged then is counted as not cured
   */
  async run(seconds: number, signal: AbortSignal): Promise<void> {
    const { batchesPerSecond, durability, home, door, acknowledgements } = this.#options;
    const start = performance.now();
    const total = Math.round(seconds * batchesPerSecond);
    while (this.#batch < total && !signal.aborted) {
      const dueMs = start + (this.#batch * 1_000) / batchesPerSecond;
      const untilDueMs = dueMs - performance.now();
      if (untilDueMs > 0) await wait(untilDueMs, undefined, { signal }).catch(() => {});
      const took = await sendUntilAcknowledged(door, this.#next(), durability, {
        acknowledgements,
        signal,
      });
      if (took !== undefined) acknowledgements.waited(durability === 'all' ? 'all' : home, took);
    }
  }

  #next(): OutsideRequest[] {
    const { name, home, batchSize } = this.#options;
    const round = this.#batch % rounds;
    const generation = Math.floor(this.#batch / rounds);
    this.#batch += 1;
    return Array.from({ length: batchSize }, (_, index) => {
      const subject = `${name}-${generation}-${index}`;
      return { id: `${subject}-${round}`, subject, region: home, ...requestOf(round) };
    });
  }
}

function requestOf(round: number): Pick<OutsideRequest, 'type' | 'data'> {
  if (round === 0) {
    return {
      type: 'meridian.contact.initiate.v1',
      data: { method: 'INBOUND', channel: 'CHAT' },
    };
  }
  if (round === rounds - 1) {
    return { type: 'meridian.contact.hang_up.v1', data: { by: 'CUSTOMER', reason: 'done' } };
  }
  return {
    type: 'meridian.contact.update_attributes.v1',
    data: { attributes: { language: 'en', tier: round < rounds / 2 ? 'new' : 'known' } },
  };
}
