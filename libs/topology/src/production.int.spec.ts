import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectNats, ensureMirrors, ensureStreams, mirrorState } from '@meridian/journal';
import {
  eventually,
  freeLoopbackPort,
  startNatsServer,
  temporaryFolder,
  type NatsServer,
} from '@meridian/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import {
  clientUrls,
  locationsIn,
  parseTopology,
  regionFiles,
  writeMesh,
  type Topology,
} from './index.ts';

/** Two regions of three servers each in the production profile, on loopback. */
const names = ['eu', 'us'];
const folder = temporaryFolder('meridian-production-');
const servers = new Map<string, NatsServer>();
const connections = new Map<string, NatsConnection>();
const of = (region: string): NatsConnection => connections.get(region) as NatsConnection;
let topology: Topology;

async function describeMesh(): Promise<string> {
  const ports = async (kinds: readonly string[]): Promise<string> => {
    const each: string[] = [];
    for (const kind of kinds) each.push(`${kind}: ${await freeLoopbackPort()}`);
    return `{ ${each.join(', ')} }`;
  };
  const lines = ['version: 1', 'regions:'];
  for (const name of names) {
    lines.push(`  ${name}:`, '    servers:');
    for (const index of [1, 2, 3]) {
      const own = await ports(['client', 'monitor', 'leaf', 'cluster']);
      lines.push(`      - { name: ${name}-${index}, host: 127.0.0.1, ports: ${own} }`);
    }
    const control = await ports(['client', 'monitor', 'cluster']);
    lines.push(`    control: { name: control-${name}, host: 127.0.0.1, ports: ${control} }`);
  }
  return lines.join('\n');
}

const lastSequence = async (region: string, stream: string): Promise<number> =>
  (await (await jetstreamManager(of(region), { checkAPI: false })).streams.info(stream)).state
    .last_seq;

const store = async (region: string, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) {
    await eventually(
      'an acknowledgement',
      () => jetstream(of(region)).publish(`ev.${region}.${region}.demo.contact.c${i}`, `${i}`),
      { pauseMs: 100 },
    );
  }
};

beforeAll(async () => {
  topology = parseTopology(await describeMesh());
  await writeMesh(topology, folder.path);
  const locations = locationsIn(folder.path);
  await Promise.all(
    topology.regions.flatMap(({ name, servers: all }) =>
      all.map(async (server, index) => {
        const configFile = regionFiles(topology, folder.path, name).servers[index] as string;
        const storeDir = locations.store(name, server.name);
        servers.set(
          server.name,
          await startNatsServer({ configFile, storeDir, port: server.ports.client }),
        );
      }),
    ),
  );
  for (const name of names) {
    const { servicesSeed, caFile } = regionFiles(topology, folder.path, name);
    const connection = await connectNats({
      servers: clientUrls(topology, name).split(','),
      seedFile: servicesSeed,
      caFile,
    });
    connections.set(name, connection);
    await eventually(`the streams of ${name}`, () => ensureStreams(connection, name), {
      timeoutMs: 60_000,
      pauseMs: 200,
    });
  }
}, 120_000);

afterAll(async () => {
  await Promise.all([...connections.values()].map((connection) => connection.close()));
  await Promise.all([...servers.values()].map((server) => server.stop()));
  folder.remove();
});

describe('regions of three servers in the production profile', () => {
  it('mirror each other with three replicas, and go on without any one server', async () => {
    for (const name of names) {
      await eventually(
        `the mirrors of ${name}`,
        async () =>
          (await ensureMirrors(of(name), name, names)).every(({ consumer }) => consumer !== 'away'),
        { timeoutMs: 60_000, pauseMs: 500 },
      );
    }
    await store('eu', 20);
    const arrived = (sequence: number): Promise<boolean> =>
      eventually(
        `EV_eu in us at ${sequence}`,
        async () => (await lastSequence('us', 'EV_eu')) === sequence,
        { timeoutMs: 60_000, pauseMs: 100 },
      );
    await arrived(20);
    const manager = await jetstreamManager(of('us'), { checkAPI: false });
    const mirrored = await eventually('EV_eu in us', () => manager.streams.info('EV_eu'));
    expect(mirrored.config.num_replicas).toBe(3);
    for (const name of ['eu-1', 'us-1']) {
      await servers.get(name)?.kill();
      await store('eu', 10);
      // A new leader may have to be chosen before anybody answers.
      await arrived(
        await eventually('the end of EV_eu', () => lastSequence('eu', 'EV_eu'), {
          timeoutMs: 60_000,
          pauseMs: 200,
        }),
      );
      await servers.get(name)?.restart();
    }
    const states = await eventually('all leaders', () => mirrorState(of('us'), 'us', names));
    expect(states.map(({ stream }) => stream)).toEqual(['IN_eu', 'EV_eu']);
  }, 240_000);
});
