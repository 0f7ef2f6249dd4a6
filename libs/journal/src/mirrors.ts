import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstreamManager,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type ConsumerConfig,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { peerManager, unlessMissing } from './ask-server.ts';
import { LogFault, LogUnavailable } from './errors.ts';
import { differences, replicas, StreamDiffers, streamNames } from './streams.ts';
import type { RegionStreamsOptions } from './streams.ts';

const NANOS = 1_000_000;
const MAX_IN_FLIGHT = 10_000;

export interface CopiedStream {
  readonly stream: string;
  /** The region that writes it. */
  readonly origin: string;
}

/** The log, which every region holds: its own streams, and mirrors of the others' under the same names. */
export function copiedStreams(regions: readonly string[]): CopiedStream[] {
  return regions.flatMap((origin) => {
    const { intake, decisions } = streamNames(origin);
    return [intake, decisions].map((stream) => ({ stream, origin }));
  });
}

/** What each region has mirrors of: the log, and the API keys, so that a key opens every edge. */
export function mirroredStreams(regions: readonly string[]): CopiedStream[] {
  const keys = regions.map((origin) => ({ stream: streamNames(origin).keys, origin }));
  return [...copiedStreams(regions), ...keys];
}

/** Names that the mirror in `here` of a stream of `origin` uses at the region it copies from. */
export function replication({
  here,
  source,
  origin,
  stream,
}: CopiedStream & { readonly here: string; readonly source: string }): {
  readonly consumer: string;
  readonly deliverSubject: string;
} {
  return {
    // Flow control has the consumer's name in its subject, which says over which link it goes.
    consumer: source === origin ? `mirror_${here}` : `relay_${here}_${source}`,
    deliverSubject: `repl.${here}.${source}.${stream}`,
  };
}

/** A mirror of `stream` in `region`, copied from the region that writes it or from another's mirror. */
export interface Mirror extends CopiedStream {
  readonly region: string;
  readonly source: string;
}

/** The durable consumer at the source that feeds a mirror. */
export function sourceConsumer(mirror: Mirror): ConsumerConfig & { readonly durable_name: string } {
  const { consumer, deliverSubject } = replication({ here: mirror.region, ...mirror });
  return {
    name: consumer,
    durable_name: consumer,
    deliver_subject: deliverSubject,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.FlowControl,
    replay_policy: ReplayPolicy.Instant,
    flow_control: true,
    idle_heartbeat: 1_000 * NANOS,
    max_ack_pending: MAX_IN_FLIGHT,
  };
}

/** The configuration of a mirror as JetStream takes it. */
export function mirrorConfig(
  mirror: Mirror,
  options: RegionStreamsOptions = {},
): Partial<StreamConfig> & { readonly name: string } {
  const { stream, source } = mirror;
  const { consumer, deliverSubject } = replication({ here: mirror.region, ...mirror });
  return {
    name: stream,
    mirror: {
      name: stream,
      external: { api: `$JS.${source}.API`, deliver: '' },
      consumer: { name: consumer, deliver_subject: deliverSubject },
    },
    mirror_direct: true,
    allow_direct: true,
    num_replicas: replicas(options),
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    ...(isLog(stream) ? { compression: StoreCompression.S2 } : { max_msgs_per_subject: 1 }),
    deny_delete: true,
    deny_purge: true,
  };
}

/** The log is kept whole; of the other streams the last message of a subject counts. */
const isLog = (stream: string): boolean => /^(?:IN|EV)_/.test(stream);

/** What one pass of `ensureMirrors` found or did about one mirror. */
export interface EnsuredMirror extends Mirror {
  /** Whether the stream was made by this pass. */
  readonly created: boolean;
  /**
   * The durable consumer at the source: there already, made or made anew by this pass, or not known
   * because the source did not answer.
   */
  readonly consumer: 'present' | 'made' | 'away';
  /** Why the source counts as away. */
  readonly reason?: string;
}

/**
 * One pass over all mirrors of a region: makes those that are missing, compares the others, and makes
 * missing or different durable consumers at their sources. A source that is away hinders nothing:
 * its mirror is made and waits; a later pass makes the consumer. Several services may do so at the
 * same time, again and again.
 * @throws StreamDiffers when a stream of that name is no such mirror; nothing was changed
 * @throws LogUnavailable when the region's own JetStream does not answer
 */
export async function ensureMirrors(
  connection: NatsConnection,
  region: string,
  regions: readonly string[],
  options: RegionStreamsOptions = {},
): Promise<EnsuredMirror[]> {
  const own = await localManager(connection, region);
  const wanted = mirroredStreams(regions).filter(({ origin }) => origin !== region);
  return Promise.all(
    wanted.map(async ({ stream, origin }): Promise<EnsuredMirror> => {
      const found = await local(connection, region, () => existing(own, stream));
      const source = (found === undefined ? undefined : sourceOf(found)) ?? origin;
      const mirror: Mirror = { stream, origin, region, source };
      if (found !== undefined) {
        const differing = mirrorDifferences(mirrorConfig(mirror, options), found);
        if (differing.length > 0) throw new StreamDiffers(differing);
      }
      // The consumer comes first: a mirror that does not find it waits before it tries again.
      const peer = await ensureConsumer(connection, mirror, found === undefined);
      if (found === undefined) {
        await local(connection, region, () => own.streams.add(mirrorConfig(mirror, options)));
      }
      return { ...mirror, created: found === undefined, ...peer };
    }),
  );
}

/** One line for each setting of a mirror that is not as expected. */
export function mirrorDifferences(
  expected: ReturnType<typeof mirrorConfig>,
  { config }: StreamInfo,
) {
  const { mirror, ...rest } = expected;
  const told = (one: StreamConfig['mirror']): string =>
    one === undefined
      ? 'absent'
      : `${one.name} of ${one.external?.api} by ${one.consumer?.name ?? 'no durable consumer'}`;
  const [is, should] = [told(config.mirror), told(mirror)];
  const differing = is === should ? [] : [`${config.name}: mirror is ${is}, expected ${should}`];
  return [...differing, ...differences(rest, config)];
}

function sourceOf({ config }: StreamInfo): string | undefined {
  return /^\$JS\.([^.]+)\.API$/.exec(config.mirror?.external?.api ?? '')?.[1];
}

/** @param isNew whether there is no stream yet: what an earlier one has got, it must get again */
async function ensureConsumer(
  connection: NatsConnection,
  mirror: Mirror,
  isNew: boolean,
): Promise<Pick<EnsuredMirror, 'consumer' | 'reason'>> {
  const config = sourceConsumer(mirror);
  try {
    const peer = await peerManager(connection, mirror.source);
    const actual = await existingConsumer(peer, mirror.stream, config.durable_name);
    if (actual !== undefined) {
      const { max_ack_pending, deliver_subject, ack_policy } = actual;
      const isSame =
        !isNew &&
        max_ack_pending === config.max_ack_pending &&
        deliver_subject === config.deliver_subject &&
        ack_policy === config.ack_policy;
      if (isSame) return { consumer: 'present' };
      await peer.consumers.delete(mirror.stream, config.durable_name);
    }
    await peer.consumers.add(mirror.stream, config);
    return { consumer: 'made' };
  } catch (error) {
    return { consumer: 'away', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** How a mirror is doing. */
export interface MirrorState extends Mirror {
  /** Undefined while there is no such stream. */
  readonly lastSequence: number | undefined;
  /** Since anything, a heartbeat too, came from the source, in ms; undefined when nothing ever did. */
  readonly activeMs: number | undefined;
  /** What the server says is wrong with it. */
  readonly error?: string;
}

/** Asks the region's own server about each of its mirrors. @throws LogUnavailable */
export async function mirrorState(
  connection: NatsConnection,
  region: string,
  regions: readonly string[],
): Promise<MirrorState[]> {
  const own = await localManager(connection, region);
  const wanted = copiedStreams(regions).filter(({ origin }) => origin !== region);
  return Promise.all(
    wanted.map(async ({ stream, origin }): Promise<MirrorState> => {
      const info = await local(connection, region, () => existing(own, stream));
      const active = info?.mirror?.active ?? -1;
      const error = info?.mirror?.error?.description;
      return {
        stream,
        origin,
        region,
        source: (info === undefined ? undefined : sourceOf(info)) ?? origin,
        lastSequence: info?.state.last_seq,
        activeMs: active < 0 ? undefined : active / NANOS,
        ...(error === undefined ? {} : { error }),
      };
    }),
  );
}

export interface RemakeOptions extends RegionStreamsOptions {
  /** The region whose mirror is copied instead of the origin's stream. */
  readonly from?: string;
}

/**
 * Deletes a mirror and makes it anew, empty; it then copies everything from its source again. Readers
 * of the stream see it gone for a moment. Nothing is deleted before the source has answered.
 * @throws LogUnavailable when the source, or the region's own JetStream, does not answer
 * @throws LogFault when the stream is the region's own, or no mirror
 */
export async function remakeMirror(
  connection: NatsConnection,
  region: string,
  stream: string,
  options: RemakeOptions = {},
): Promise<void> {
  const origin = /^(?:IN|EV)_([a-z0-9]+)$/.exec(stream)?.[1];
  if (origin === undefined || origin === region || options.from === region) {
    throw new LogFault(
      'NotAMirror',
      `${stream} is no mirror that ${region} could make anew from ${options.from ?? origin}.\n` +
        'Name the IN_ or EV_ stream of another region, and a source that is not this region.',
      false,
    );
  }
  const mirror: Mirror = { stream, origin, region, source: options.from ?? origin };
  const config = sourceConsumer(mirror);
  const own = await localManager(connection, region);
  const found = await local(connection, region, () => existing(own, stream));
  if (found !== undefined && sourceOf(found) === undefined) {
    throw new StreamDiffers([`${stream}: mirror is absent, expected one`]);
  }
  const unavailable = (advice: string) => (cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `${stream} cannot be copied from ${mirror.source} to ${region}: ${reason}.`;
    throw new LogUnavailable(text, advice, { cause });
  };
  const peer = await peerManager(connection, mirror.source);
  const actual = await existingConsumer(peer, stream, config.durable_name).catch(
    unavailable('Nothing was changed. Wait until that region is back, or copy from another one.'),
  );
  // Before the consumer is made: the old mirror would get what the new one needs.
  if (found !== undefined) await local(connection, region, () => own.streams.delete(stream));
  try {
    if (actual !== undefined) await peer.consumers.delete(stream, config.durable_name);
    await peer.consumers.add(stream, config);
  } catch (cause) {
    unavailable('The mirror is there and waits; ensureMirrors makes its consumer.')(cause);
  } finally {
    await local(connection, region, () => own.streams.add(mirrorConfig(mirror, options)));
  }
}

function localManager(connection: NatsConnection, region: string): Promise<JetStreamManager> {
  return local(connection, region, () => jetstreamManager(connection, { checkAPI: false }));
}

async function local<T>(
  connection: NatsConnection,
  region: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogUnavailable(
      `The mirrors of ${region} could not be seen to on ${connection.getServer()}: ${reason}.`,
      'Check that the server runs with JetStream enabled and room for its store.',
      { cause },
    );
  }
}

function existing(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  return unlessMissing('stream', () => manager.streams.info(name));
}

async function existingConsumer(
  manager: JetStreamManager,
  stream: string,
  name: string,
): Promise<ConsumerConfig | undefined> {
  return (await unlessMissing('consumer', () => manager.consumers.info(stream, name)))?.config;
}
