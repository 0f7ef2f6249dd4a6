import { LogUnavailable, StreamMissing } from '@meridian/journal';
import { JetStreamApiError } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';

/** Where followers go on after a restart, by service and name. */
export interface Checkpoints {
  /** The last sequence handled; 0 when nothing was kept. */
  load(service: string, name: string): Promise<number>;
  /** Keeps a position. */
  save(service: string, name: string, position: number): Promise<void>;
}

const streamNotFound = 10_059;

/**
 * Checkpoints in the key-value bucket `CHECKPOINT_<region>`, which `ensureStreams` makes.
 * Both calls throw StreamMissing when it is not there, and LogUnavailable without an answer.
 */
export function kvCheckpoints(connection: NatsConnection, region: string): Checkpoints {
  const bucket = `CHECKPOINT_${region}`;
  let opened: Promise<KV> | undefined;
  const within = async <T>(work: (kv: KV) => Promise<T>): Promise<T> => {
    try {
      opened ??= new Kvm(connection).open(bucket);
      return await work(await opened);
    } catch (cause) {
      opened = undefined;
      if (cause instanceof JetStreamApiError && cause.code === streamNotFound) {
        throw new StreamMissing(`KV_${bucket}`, { cause });
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      const what = `The bucket ${bucket} could not be used: ${why}.`;
      throw new LogUnavailable(what, 'Try again once the server answers.', { cause });
    }
  };
  return {
    async load(service, name) {
      const key = `${service}.${name}`;
      const entry = await within((kv) => kv.get(key));
      if (entry === null || entry.operation !== 'PUT') return 0;
      const text = entry.string();
      if (/^\d{1,16}$/.test(text)) return Number(text);
      throw new Error(
        `The checkpoint ${key} in ${bucket} is ${JSON.stringify(text.slice(0, 60))}, not a sequence.\n` +
          'Delete the key to begin at the start of the stream: what is read twice is harmless.',
      );
    },
    async save(service, name, position) {
      await within((kv) => kv.put(`${service}.${name}`, String(position)));
    },
  };
}

/** Checkpoints in memory, for specifications. */
export function memoryCheckpoints(): Checkpoints {
  const kept = new Map<string, number>();
  return {
    load: (service, name) => Promise.resolve(kept.get(`${service}.${name}`) ?? 0),
    async save(service, name, position) {
      kept.set(`${service}.${name}`, position);
    },
  };
}

/** The shortest time between two writes of one checkpoint. */
const saveEveryMs = 100;

/**
 * Writes one follower's position now and then: at most every 100 ms, only when it has grown, one
 * write at a time, never below what was kept before.
 */
export class CheckpointWriter {
  readonly #save: (position: number) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #kept: number;
  #wanted: number;
  #saving: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param kept the position that is kept already */
  constructor(
    kept: number,
    save: (position: number) => Promise<void>,
    onFailure: (error: unknown) => void,
  ) {
    this.#kept = kept;
    this.#wanted = kept;
    this.#save = save;
    this.#onFailure = onFailure;
  }

  /** The position that is kept for certain. */
  get kept(): number {
    return this.#kept;
  }

  /** The position has come here. */
  moved(position: number): void {
    if (position <= this.#wanted) return;
    this.#wanted = position;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, saveEveryMs);
  }

  /** Writes what is not written yet; resolves also when it could not be written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#saving;
    await this.#write();
  }

  async #write(): Promise<void> {
    if (this.#saving !== undefined || this.#wanted <= this.#kept) return;
    const position = this.#wanted;
    this.#saving = this.#save(position).then(
      () => {
        this.#kept = position;
      },
      (error: unknown) => {
        this.#onFailure(error);
        // The next movement tries again.
        this.#wanted = this.#kept;
      },
    );
    await this.#saving;
    this.#saving = undefined;
  }
}
