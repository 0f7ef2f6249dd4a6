import { connectNats } from '@meridian/journal';
import { jetstream, JetStreamApiError, jetstreamManager, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { MeshMember } from '../development/member.ts';

const stream = 'DRILL_FILLER';
const subject = 'drill.filler';
/** What is stored at a time: much at first, then what still fits. */
const pieces = [524_288, 16_384, 512];

/** A stream of a drill's own that takes all that a region's server may store. */
export class FilledStore {
  readonly #region: string;
  #connection: NatsConnection | undefined;
  #refill: NodeJS.Timeout | undefined;

  constructor(region: string) {
    this.#region = region;
  }

  async fill({ natsUrl, seeds }: MeshMember): Promise<void> {
    const name = `drill-${this.#region}`;
    this.#connection = await connectNats({ servers: natsUrl, seedFile: seeds.services, name });
    const manager = await jetstreamManager(this.#connection);
    await manager.streams.add({ name: stream, subjects: [subject], storage: StorageType.File });
    await this.#fillNow();
    this.#refill = setInterval(() => void this.#fillNow().catch(() => {}), 100);
  }

  async empty(): Promise<void> {
    clearInterval(this.#refill);
    if (this.#connection === undefined) return;
    const manager = await jetstreamManager(this.#connection);
    await manager.streams.delete(stream);
    await this.#connection.close();
  }

  async #fillNow(): Promise<void> {
    if (this.#connection === undefined) return;
    const client = jetstream(this.#connection);
    for (const bytes of pieces) {
      try {
        for (;;) await client.publish(subject, new Uint8Array(bytes));
      } catch (error) {
        if (!(error instanceof JetStreamApiError)) throw error;
      }
    }
  }
}
