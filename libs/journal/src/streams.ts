import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type JetStreamManager,
  type StreamConfig,
  type StreamUpdateConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { unlessMissing } from './ask-server.ts';
import { LogFault, LogUnavailable } from './errors.ts';

const REGION = /^[a-z][a-z0-9]{0,15}$/;
const NANOS = 1_000_000;
const MINUTE_MS = 60_000;

/** What a stream is for. */
export type StreamRole =
  | 'intake'
  | 'decisions'
  | 'beats'
  | 'aside'
  | 'keys'
  | 'checkpoints'
  | 'vault';

export interface RegionStream {
  readonly role: StreamRole;
  /** The configuration as JetStream takes it; what it leaves out is the server's choice. */
  readonly config: Partial<StreamConfig> & { readonly name: string };
}

export interface RegionStreamsOptions {
  /** One server and one replica; otherwise three. Default false. */
  readonly development?: boolean;
}

/** How many copies of a stream a region's servers hold. */
export const replicas = ({ development = false }: RegionStreamsOptions): number =>
  development ? 1 : 3;

/** What is stored in a region; streams and key-value buckets alike. */
export function regionStreams(region: string, options: RegionStreamsOptions = {}): RegionStream[] {
  if (!REGION.test(region)) {
    throw new RangeError(
      `The region is ${JSON.stringify(region)}.\n` +
        'It must be a lower-case letter and up to 15 more lower-case letters or digits.',
    );
  }
  const copies = replicas(options);
  const names = streamNames(region);
  return [
    { role: 'intake', config: journal(names.intake, `in.${region}.>`, copies) },
    { role: 'decisions', config: journal(names.decisions, `ev.${region}.>`, copies) },
    {
      role: 'beats',
      config: {
        ...common(names.beats, `beat.${region}.>`, copies),
        storage: StorageType.Memory,
        max_age: MINUTE_MS * NANOS,
        max_bytes: 64 * 1_048_576,
        max_msgs_per_subject: 4,
        duplicate_window: 1_000 * NANOS,
      },
    },
    { role: 'aside', config: journal(names.aside, `aside.${region}.>`, copies) },
    { role: 'keys', config: bucket(names.keys, copies) },
    { role: 'checkpoints', config: bucket(names.checkpoints, copies) },
    { role: 'vault', config: vault(names.vault, `vault.${region}.>`, copies) },
  ];
}

/** The names of a region's streams by their role; a bucket's own name comes after `KV_`. */
export function streamNames(region: string): Record<StreamRole, string> {
  return {
    intake: `IN_${region}`,
    decisions: `EV_${region}`,
    beats: `BEAT_${region}`,
    aside: `ASIDE_${region}`,
    keys: `KV_KEYS_${region}`,
    checkpoints: `KV_CHECKPOINT_${region}`,
    vault: `VAULT_${region}`,
  };
}

function common(name: string, subject: string, copies: number) {
  return {
    name,
    subjects: [subject],
    num_replicas: copies,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    allow_direct: true,
    deny_delete: false,
    deny_purge: false,
    compression: StoreCompression.None,
  };
}

/** Append-only: what was stored can be neither deleted nor purged, and that cannot be undone. */
function journal(name: string, subject: string, copies: number) {
  return {
    ...common(name, subject, copies),
    storage: StorageType.File,
    compression: StoreCompression.S2,
    deny_delete: true,
    deny_purge: true,
    duplicate_window: 2 * MINUTE_MS * NANOS,
  };
}

/** A key-value bucket as the NATS clients make it. */
function bucket(name: string, copies: number) {
  return {
    ...common(name, `$KV.${name.slice('KV_'.length)}.>`, copies),
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    duplicate_window: 2 * MINUTE_MS * NANOS,
  };
}

/** Keys of data subjects, one a subject: they can be deleted, and uncompressed they are overwritten then. */
function vault(name: string, subject: string, copies: number) {
  return {
    ...common(name, subject, copies),
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    duplicate_window: 2 * MINUTE_MS * NANOS,
  };
}

/** A stream is not as this release wants it. Nothing was changed. */
export class StreamDiffers extends LogFault {
  readonly differences: readonly string[];

  constructor(differences: readonly string[]) {
    super(
      'StreamDiffers',
      `Streams on this server differ from what this release of Meridian expects:\n  ${differences.join(
        '\n  ',
      )}\n` +
        'Nothing was changed. Edit the streams with the nats tool where that is meant, or start ' +
        'on an empty store.',
      false,
    );
    this.differences = differences;
  }
}

/**
 * Creates the streams that are missing and compares the others; several services may do so at the
 * same time.
 * @returns the names of those created
 * @throws StreamDiffers naming each setting, its value and the one expected
 * @throws LogUnavailable when JetStream does not answer
 */
export async function ensureStreams(
  connection: NatsConnection,
  region: string,
  options: RegionStreamsOptions = {},
): Promise<string[]> {
  const streams = regionStreams(region, options);
  const created: string[] = [];
  const differing: string[] = [];
  try {
    const manager = await jetstreamManager(connection);
    for (const { config } of streams) {
      const actual = await existing(manager, config.name);
      if (actual === undefined) {
        await manager.streams.add(config);
        created.push(config.name);
      } else differing.push(...differences(config, actual));
    }
  } catch (cause) {
    if (cause instanceof LogFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogUnavailable(
      `The streams of ${region} could not be checked on ${connection.getServer()}: ${reason}.`,
      'Check that the server runs with JetStream enabled and room for its store.',
      { cause },
    );
  }
  if (differing.length > 0) throw new StreamDiffers(differing);
  return created;
}

async function existing(
  manager: JetStreamManager,
  name: string,
): Promise<StreamUpdateConfig | undefined> {
  return (await unlessMissing('stream', () => manager.streams.info(name)))?.config;
}

/** One line for each setting that is not as expected; what the server adds to them is passed over. */
export function differences(expected: RegionStream['config'], actual: object): string[] {
  const found = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(expected)
    .filter(([key, value]) => canonical(value) !== canonical(found.get(key) ?? absent(value)))
    .map(
      ([key, value]) =>
        `${expected.name}: ${key} is ${canonical(found.get(key))}, expected ${canonical(value)}`,
    );
}

/** What it means when the server leaves a setting out. */
function absent(value: unknown): unknown {
  if (typeof value === 'boolean') return false;
  return typeof value === 'number' ? 0 : undefined;
}

function canonical(value: unknown): string {
  return JSON.stringify(value) ?? 'absent';
}
