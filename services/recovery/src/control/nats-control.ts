import {
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { claimKey, homeKey, leaseKey, type ControlEntry } from '../domain/control.ts';
import { ControlUnavailable, WrongRevision, type Control } from './control.ts';

const bucket = 'CONTROL';
const stream = `KV_${bucket}`;
const changedSubject = 'control.changed';
const NO_MESSAGE_FOUND = 10_037;
const STREAM_NOT_FOUND = 10_059;
const STREAM_NAME_IN_USE = 10_058;
/** The second while another write of the key is under way. */
const WRONG_LAST_SEQUENCE = new Set([10_071, 10_164]);
/** How long an answer is waited for, in ms. */
const answerMs = 2_000;
/** After this many readings without an answer another server is tried. */
const readingsUntilReconnect = 3;

export interface NatsControlOptions {
  /** To the control cluster; it stays the caller's. */
  readonly connection: NatsConnection;
  readonly regions: readonly string[];
  /** How many servers keep the bucket; default one for each region up to three. */
  readonly replicas?: number;
}

/**
 * `CONTROL` as a KV bucket on the control cluster. Every reading asks the stream's leader
 * (`allow_direct` is off); a change is told over a core subject as well, because a watch alone may
 * notice it late after a loss of the leader.
 */
export function natsControl(options: NatsControlOptions): Control {
  return new NatsControl(options);
}

class NatsControl implements Control {
  readonly #connection: NatsConnection;
  readonly #regions: readonly string[];
  readonly #replicas: number;
  readonly #ends = new Set<() => void>();
  #manager: Promise<JetStreamManager> | undefined;
  #silentReadings = 0;

  constructor({ connection, regions, replicas }: NatsControlOptions) {
    this.#connection = connection;
    this.#regions = regions;
    this.#replicas = replicas ?? Math.min(3, regions.length);
  }

  async read() {
    try {
      const incarnation = await this.#ensure();
      const homes = await this.#entries(this.#regions.map(homeKey));
      const leases = await this.#entries(this.#regions.map(leaseKey));
      const claims = await this.#entries(homes.flatMap((home) => this.#claimKeys(home)));
      this.#silentReadings = 0;
      return { incarnation, entries: [...homes, ...leases, ...claims] };
    } catch (cause) {
      this.#silentReadings += 1;
      if (this.#silentReadings % readingsUntilReconnect === 0) {
        this.#connection.reconnect().catch(() => {});
      }
      throw unavailable('reading', cause);
    }
  }

  async write(key: string, value: string, expectedRevision?: number): Promise<number> {
    let revision: number;
    try {
      const published = await jetstream(this.#connection, { timeout: answerMs }).publish(
        `$KV.${bucket}.${key}`,
        value,
        {
          timeout: answerMs,
          retries: 1,
          ...(expectedRevision === undefined
            ? {}
            : { expect: { lastSubjectSequence: expectedRevision } }),
        },
      );
      revision = published.seq;
    } catch (cause) {
      if (cause instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(cause.code)) {
        throw new WrongRevision(key, expectedRevision ?? 0, { cause });
      }
      throw unavailable(`writing ${key}`, cause);
    }
    const entry: ControlEntry = { key, value, revision };
    this.#connection.publish(changedSubject, JSON.stringify(entry));
    return revision;
  }

  watch(onEntry: (entry: ControlEntry) => void): () => void {
    const subscription = this.#connection.subscribe(changedSubject, {
      callback: (error, message) => {
        if (error === null) onEntry(message.json<ControlEntry>());
      },
    });
    const end = (): void => {
      this.#ends.delete(end);
      subscription.unsubscribe();
    };
    this.#ends.add(end);
    return end;
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
  }

  /** The claims on a home's present epoch. */
  #claimKeys({ value }: ControlEntry): string[] {
    const { home, epoch } = JSON.parse(value) as { home: string; epoch: number };
    return this.#regions.map((region) => claimKey(home, epoch, region));
  }

  async #entries(keys: readonly string[]): Promise<ControlEntry[]> {
    const manager = await this.#open();
    const found = await Promise.all(
      keys.map(async (key): Promise<ControlEntry[]> => {
        try {
          const query = { last_by_subj: `$KV.${bucket}.${key}` };
          const message = await manager.streams.getMessage(stream, query);
          if (message === null) return [];
          return [{ key, value: message.string(), revision: message.seq }];
        } catch (error) {
          if (error instanceof JetStreamApiError && error.code === NO_MESSAGE_FOUND) return [];
          throw error;
        }
      }),
    );
    return found.flat();
  }

  #open(): Promise<JetStreamManager> {
    this.#manager ??= jetstreamManager(this.#connection, { checkAPI: false, timeout: answerMs });
    return this.#manager;
  }

  /** Makes the bucket where it is missing. @returns when it was made */
  async #ensure(): Promise<string> {
    const manager = await this.#open();
    try {
      return (await manager.streams.info(stream)).created;
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error;
    }
    try {
      const made = await manager.streams.add({
        name: stream,
        subjects: [`$KV.${bucket}.>`],
        max_msgs_per_subject: 1,
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.New,
        storage: StorageType.File,
        num_replicas: this.#replicas,
        allow_direct: false,
        allow_rollup_hdrs: true,
        deny_delete: true,
      });
      return made.created;
    } catch (error) {
      // Another region was first.
      if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NAME_IN_USE) throw error;
      return (await manager.streams.info(stream)).created;
    }
  }
}

function unavailable(what: string, cause: unknown): ControlUnavailable {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ControlUnavailable(`${what}: ${reason}`, { cause });
}
