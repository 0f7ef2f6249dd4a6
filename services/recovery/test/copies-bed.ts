import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Registry } from 'prom-client';
import { copiedStreams, ensureMirrors, ensureStreams } from '@meridian/journal';
import type { AsideRecord } from '@meridian/nest';
import { eventually, startMesh, type Mesh } from '@meridian/testing';
import {
  CopiesMetrics,
  CopyKeeper,
  type CopiesSettings,
  type CopyNote,
  type Fence,
} from '../src/copies/index.ts';
import { hashAfter } from '../src/copies/copied-message.ts';
import { copyInfo, readRange } from '../src/copies/read-copy.ts';

export const regions = ['eu', 'us', 'ap'];
const development = { development: true };
const patience = { timeoutMs: 240_000, pauseMs: 50 };

/** Quicker than in earnest. */
const settings: Partial<CopiesSettings> = {
  everyMs: 300,
  scrubRoundMs: 3_000,
  freshMs: 2_000,
  stalledMs: 2_000,
};

/** A writer of one region: stores in its streams for as long as nothing fences it off. */
class Writer implements Fence {
  readonly acknowledged: string[] = [];
  readonly #connection: NatsConnection;
  readonly #region: string;
  readonly #reasons = new Set<string>();
  #running: Promise<void> | undefined;
  #isStopped = false;
  #storing: Promise<void> = Promise.resolve();

  constructor(connection: NatsConnection, region: string) {
    this.#connection = connection;
    this.#region = region;
  }

  get isFenced(): boolean {
    return this.#reasons.size > 0;
  }

  async close(reason: string): Promise<void> {
    this.#reasons.add(reason);
    await this.#storing;
  }

  open(reason: string): void {
    this.#reasons.delete(reason);
  }

  start(): void {
    this.#isStopped = false;
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#running = undefined;
  }

  async #run(): Promise<void> {
    for (let count = this.acknowledged.length; !this.#isStopped; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (this.isFenced) continue;
      this.#storing = this.#store(`${this.#region}-${count}`);
      await this.#storing;
    }
  }

  async #store(id: string): Promise<void> {
    const kind = this.acknowledged.length % 2 === 0 ? 'ev' : 'in';
    const subject = `${kind}.${this.#region}.demo.contact.${id}`;
    try {
      await jetstream(this.#connection, { timeout: 2_000 }).publish(subject, id, { msgID: id });
      this.acknowledged.push(subject);
    } catch {
      // Not acknowledged: nothing was promised.
    }
  }
}

/** One region with what compares its copies. */
export interface BedRegion {
  readonly name: string;
  readonly connection: NatsConnection;
  readonly writer: Writer;
  readonly notes: { readonly note: CopyNote; readonly atMs: number }[];
  readonly troubles: unknown[];
  readonly registry: Registry;
  readonly storeDir: string;
  readonly keeper: CopyKeeper;
}

/** Three regions whose streams are written to, and compared, for a test to damage. */
export class Bed {
  readonly mesh: Mesh;
  readonly regions = new Map<string, BedRegion>();

  private constructor(mesh: Mesh) {
    this.mesh = mesh;
  }

  static async start(given: Partial<CopiesSettings> = settings): Promise<Bed> {
    const bed = new Bed(await startMesh({ regions }));
    for (const name of regions) {
      const connection = await eventually(
        `a connection to ${name}`,
        () => bed.mesh.region(name).connect({ maxReconnectAttempts: -1 }),
        patience,
      );
      await ensureStreams(connection, name, development);
      const writer = new Writer(connection, name);
      const notes: BedRegion['notes'] = [];
      const troubles: unknown[] = [];
      const registry = new Registry();
      const keeper = new CopyKeeper({
        connection,
        region: name,
        regions,
        development: true,
        fence: writer,
        onNote: (note) => notes.push({ note, atMs: performance.now() }),
        onTrouble: (error) => troubles.push(error),
        metrics: new CopiesMetrics(registry),
        settings: given,
      });
      const { storeDir } = bed.mesh.region(name).server;
      bed.regions.set(name, {
        name,
        connection,
        writer,
        notes,
        troubles,
        registry,
        storeDir,
        keeper,
      });
    }
    for (const { name, connection } of bed.all) {
      await ensureMirrors(connection, name, regions, development);
    }
    return bed;
  }

  get all(): BedRegion[] {
    return [...this.regions.values()];
  }

  of(name: string): BedRegion {
    const found = this.regions.get(name);
    if (found === undefined) throw new Error(`There is no region ${name}.`);
    return found;
  }

  /** Stores so many messages of 4 kB in a region's log: several blocks of it. */
  async fill(name: string, count: number): Promise<void> {
    const client = jetstream(this.of(name).connection, { timeout: 30_000 });
    for (let from = 0; from < count; from += 200) {
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => {
          const data = crypto.getRandomValues(new Uint8Array(4_000));
          return client.publish(`ev.${name}.demo.contact.filled${from + index}`, data);
        }),
      );
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ writer }) => writer.stop()));
    await Promise.all(this.all.map(({ keeper }) => keeper.stop()));
    await Promise.all(this.all.map(({ connection }) => connection.close()));
    await this.mesh.stop();
  }

  /** Waits until every region holds what the origin of a stream has stored by now. */
  async mirrored(stream: string): Promise<void> {
    const origin = this.of(stream.split('_')[1] as string);
    const last = (await copyInfo(origin, stream))?.last ?? 0;
    for (const one of this.all) {
      await eventually(
        `${stream} in ${one.name} at ${last}`,
        async () => ((await copyInfo(one, stream))?.last ?? -1) >= last,
        patience,
      );
    }
  }

  /**
   * Kills a server, does something to its files, and starts the region as its services do.
   * @param fenced whether nobody writes before the copies were compared, as it should be
   */
  async whileDown(name: string, work: () => void, fenced = true): Promise<void> {
    const { connection, writer, keeper } = this.of(name);
    if (fenced) await writer.close('start');
    const { server } = this.mesh.region(name);
    await server.kill();
    work();
    await server.start();
    await eventually(
      'the server',
      async () => {
        await connection.flush();
        await jetstreamManager(connection);
        return true;
      },
      patience,
    );
    await ensureStreams(connection, name, development);
    if (!fenced) return;
    void eventually('the comparison', async () => (await keeper.compare()) === 'whole', {
      timeoutMs: 240_000,
      pauseMs: 200,
    }).then(() => writer.open('start'));
  }

  /** One hash over everything that a region holds of a stream up to a sequence. */
  async digest(name: string, stream: string, last: number): Promise<string> {
    let hash = '';
    for (let from = 1; from <= last; from += 4_096) {
      const to = Math.min(last, from + 4_095);
      const messages = await readRange(this.of(name), stream, from, to);
      for (let sequence = from; sequence <= to; sequence += 1) {
        const message = messages.get(sequence);
        hash = message === undefined ? `${hash} without ${sequence}` : hashAfter(hash, message);
      }
    }
    return hash;
  }

  /** Waits until all copies are as far as their origins, and reads all of them in all regions. */
  async digests(): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const { stream, origin } of copiedStreams(regions)) {
      await this.mirrored(stream);
      const last = (await copyInfo(this.of(origin), stream))?.last ?? -1;
      found[stream] = await Promise.all(
        regions.map(async (name) => {
          const end = (await copyInfo(this.of(name), stream))?.last ?? -1;
          return `${end} ${await this.digest(name, stream, last)}`;
        }),
      );
    }
    return found;
  }

  /** The subjects of all messages that a region holds. */
  async subjects(name: string): Promise<Set<string>> {
    const all = new Set<string>();
    for (const { stream } of copiedStreams(regions)) {
      const last = (await copyInfo(this.of(name), stream))?.last ?? 0;
      for (let from = 1; from <= last; from += 4_096) {
        const messages = await readRange(this.of(name), stream, from, from + 4_095);
        for (const { subject } of messages.values()) all.add(subject);
      }
    }
    return all;
  }

  /** The subjects of the messages that a region has set aside. */
  async setAside(name: string): Promise<Set<string>> {
    const stream = `ASIDE_${name}`;
    const last = (await copyInfo(this.of(name), stream))?.last ?? 0;
    const messages = await readRange(this.of(name), stream, 1, Math.max(1, last));
    const records = [...messages.values()].map(
      ({ data }) => JSON.parse(Buffer.from(data).toString()) as AsideRecord,
    );
    return new Set(records.map(({ subject }) => subject));
  }

  /** How many comparisons with each peer had an outcome. */
  async compared(name: string, outcome: 'same' | 'differs'): Promise<Record<string, number>> {
    const { registry } = this.of(name);
    const metric = await registry.getSingleMetric('meridian_copies_compared_total')?.get();
    const values = metric?.values.filter(({ labels }) => labels['outcome'] === outcome) ?? [];
    return Object.fromEntries(values.map(({ labels, value }) => [labels['peer'], value]));
  }
}
