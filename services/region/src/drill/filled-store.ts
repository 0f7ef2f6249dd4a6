import { jetstream, JetStreamApiError, jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

const stream = 'DRILL_FILLER';
const subject = 'drill.filler';
/** What is stored at a time: much at first, then what still fits. */
const pieces = [524_288, 16_384, 512, 32];
const refillMs = 50;

/** A stream of a drill's own that takes all that a region's server may store. */
export class FilledStore {
  #connection: NatsConnection | undefined;
  #refill: NodeJS.Timeout | undefined;
  #filling: Promise<void> = Promise.resolve();

  /** Takes all that is left, and what becomes free, until `empty`. @param connection its own from now on */
  async fill(connection: NatsConnection): Promise<void> {
    this.#connection = connection;
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: stream, subjects: [subject], storage: StorageType.File });
    await this.#fillNow(connection);
    this.#refill = setInterval(() => {
      this.#filling = this.#filling.then(() => this.#fillNow(connection)).catch(() => {});
    }, refillMs);
  }

  async empty(): Promise<void> {
    clearInterval(this.#refill);
    await this.#filling;
    if (this.#connection === undefined) return;
    const manager = await jetstreamManager(this.#connection);
    await manager.streams.delete(stream);
    await this.#connection.close();
  }

  async #fillNow(connection: NatsConnection): Promise<void> {
    const client = jetstream(connection);
    for (const bytes of pieces) {
      try {
        for (;;) await client.publish(subject, new Uint8Array(bytes));
      } catch (error) {
        if (!(error instanceof JetStreamApiError)) throw error;
      }
    }
  }
}
