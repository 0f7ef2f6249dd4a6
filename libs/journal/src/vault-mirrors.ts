import {
  jetstreamManager,
  type ConsumerConfig,
  type ConsumerInfo,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { peerManager, unlessMissing } from './ask-server.ts';
import { LogUnavailable } from './errors.ts';
import {
  mirrorConfig,
  mirrorDifferences,
  replication,
  sourceConsumer,
  type EnsuredMirror,
  type Mirror,
} from './mirrors.ts';
import { StreamDiffers, streamNames, type RegionStreamsOptions } from './streams.ts';

const mirrorOf = (region: string, origin: string): Mirror => ({
  stream: streamNames(origin).vault,
  origin,
  source: origin,
  region,
});

/** The names under which `here` mirrors the vault of `origin`. */
export function vaultReplication(
  here: string,
  origin: string,
): { readonly stream: string; readonly consumer: string; readonly deliverSubject: string } {
  const mirror = mirrorOf(here, origin);
  return { stream: mirror.stream, ...replication({ here, ...mirror }) };
}

/** All sets of regions that have `including` in them, each sorted and joined by `-`. */
export function residencySets(regions: readonly string[], including: readonly string[]): string[] {
  const others = regions.filter((region) => !including.includes(region));
  let sets: (readonly string[])[] = [[...including]];
  for (const other of others) sets = sets.flatMap((set) => [set, [...set, other]]);
  return sets.map((set) => set.toSorted().join('-')).toSorted();
}

/**
 * The durable consumer of a vault that feeds its mirror in `here`: it leaves out the keys of tenants
 * whose residency set does not name that region.
 */
export function vaultConsumer(
  here: string,
  origin: string,
  regions: readonly string[],
): ConsumerConfig & { readonly durable_name: string; readonly filter_subjects: string[] } {
  const sets = residencySets(regions, [origin, here]);
  return {
    ...sourceConsumer(mirrorOf(here, origin)),
    filter_subjects: sets.map((set) => `vault.${origin}.${set}.>`),
  };
}

/** The configuration of a vault's mirror: what it holds can be deleted, and is not compressed. */
export function vaultMirrorConfig(
  here: string,
  origin: string,
  options: RegionStreamsOptions = {},
): Partial<StreamConfig> & { readonly name: string } {
  const { compression: _, ...config } = mirrorConfig(mirrorOf(here, origin), options);
  return { ...config, deny_delete: false, deny_purge: false };
}

/**
 * One pass over the vaults: makes the consumers of the own one that its peers' mirrors need, and the
 * mirrors that are missing here. A mirror that has less than its consumer gave out already (it was
 * lost, and made anew) is given it again. Whoever is away hinders nothing; a later pass comes to it.
 * @throws StreamDiffers when a stream of that name is no such mirror
 * @throws LogUnavailable when the region's own JetStream does not answer
 */
export async function ensureVaultMirrors(
  connection: NatsConnection,
  region: string,
  regions: readonly string[],
  options: RegionStreamsOptions = {},
): Promise<EnsuredMirror[]> {
  const peers = regions.filter((peer) => peer !== region);
  try {
    const own = await jetstreamManager(connection, { checkAPI: false });
    const made: EnsuredMirror[] = [];
    for (const peer of peers) await ensureOwnConsumer(own, peer, region, regions);
    for (const origin of peers) {
      made.push(await ensureMirror(connection, own, mirrorOf(region, origin), options));
    }
    return made;
  } catch (cause) {
    if (cause instanceof StreamDiffers) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogUnavailable(
      `The vaults' mirrors of ${region} could not be seen to on ${connection.getServer()}: ${reason}.`,
      'Check that the server runs with JetStream enabled and room for its store.',
      { cause },
    );
  }
}

/** Several services may do so at the same time: the same consumer is made, or changed, once. */
async function ensureOwnConsumer(
  own: JetStreamManager,
  peer: string,
  region: string,
  regions: readonly string[],
): Promise<void> {
  const { stream } = mirrorOf(peer, region);
  const config = vaultConsumer(peer, region, regions);
  const name = config.durable_name;
  const found = await unlessMissing('consumer', () => own.consumers.info(stream, name));
  if (found === undefined) await own.consumers.add(stream, config);
  else if (filtersOf(found) !== config.filter_subjects.join()) {
    await own.consumers.update(stream, name, { filter_subjects: config.filter_subjects });
  }
}

const filtersOf = ({ config }: ConsumerInfo): string =>
  (config.filter_subjects ?? [config.filter_subject ?? '']).toSorted().join();

async function ensureMirror(
  connection: NatsConnection,
  own: JetStreamManager,
  mirror: Mirror,
  options: RegionStreamsOptions,
): Promise<EnsuredMirror> {
  const { stream, region, origin } = mirror;
  const config = vaultMirrorConfig(region, origin, options);
  const { consumer } = vaultReplication(region, origin);
  // Asked before the mirror is looked at, which then has at least what was confirmed until here.
  const source = await peerOf(connection, origin, (peer) => peer.consumers.info(stream, consumer));
  const found = await unlessMissing('stream', () => own.streams.info(stream));
  if (found !== undefined) {
    const differing = mirrorDifferences(config, found);
    if (differing.length > 0) throw new StreamDiffers(differing);
  }
  const given = source.answer?.ack_floor.stream_seq ?? 0;
  const has = lastOf(found);
  const again =
    given > has
      ? await peerOf(connection, origin, (peer) => peer.consumers.reset(stream, consumer, has + 1))
      : undefined;
  if (found === undefined) await own.streams.add(config);
  const reason = source.reason ?? again?.reason;
  return {
    ...mirror,
    created: found === undefined,
    consumer: reason !== undefined ? 'away' : again === undefined ? 'present' : 'made',
    ...(reason === undefined ? {} : { reason }),
  };
}

const lastOf = (info: StreamInfo | undefined): number => info?.state.last_seq ?? 0;

/** What the origin answers, or why it does not. */
async function peerOf<T>(
  connection: NatsConnection,
  origin: string,
  ask: (peer: JetStreamManager) => Promise<T>,
): Promise<{ readonly answer?: T; readonly reason?: string }> {
  try {
    return { answer: await ask(await peerManager(connection, origin)) };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
