import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { eventually } from './eventually.ts';
import { startMesh, type Mesh } from './mesh.ts';

const regions = ['eu', 'us', 'ap'];
let mesh: Mesh;
const connections = new Map<string, NatsConnection>();
const buckets = new Map<string, KV>();
const bucket = (region: string): KV => buckets.get(region) as KV;

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

beforeAll(async () => {
  mesh = await startMesh({ regions, control: true, tls: true });
  for (const name of regions) {
    // Each through its own region's server only: what is cut off has no other way.
    const url = mesh.region(name).control?.url as string;
    const connection = await mesh.region(name).connectControl({ servers: url });
    connections.set(name, connection);
  }
  await eventually(
    'a control bucket',
    async () => {
      const connection = connections.get('eu') as NatsConnection;
      buckets.set('eu', await new Kvm(connection).create('CONTROL', { replicas: 3 }));
      return true;
    },
    { timeoutMs: 60_000, pauseMs: 200 },
  );
  for (const name of ['us', 'ap']) {
    buckets.set(name, await new Kvm(connections.get(name) as NatsConnection).open('CONTROL'));
  }
}, 120_000);

afterAll(async () => {
  const pids = [...mesh.regions.values()].flatMap(({ server, control }) => [
    server.pid,
    control?.pid ?? 0,
  ]);
  await Promise.all([...connections.values()].map((connection) => connection.close()));
  await mesh.stop();
  expect(pids.filter((pid) => pid !== 0 && alive(pid))).toEqual([]);
});

/** Writes until it is accepted: a new leader may have to be chosen first. */
const put = (region: string, key: string, value: string): Promise<number> =>
  eventually(`${key} of ${region}`, () => bucket(region).put(key, value), {
    timeoutMs: 60_000,
    pauseMs: 100,
  });

describe('a mesh with a control cluster', () => {
  it('compares and sets in one bucket from every region', async () => {
    const revision = await put('eu', 'home.eu', '1');
    const next = await bucket('us').update('home.eu', '2', revision);
    expect(next).toBeGreaterThan(revision);
    await expect(bucket('ap').update('home.eu', '3', revision)).rejects.toThrow(
      /wrong last sequence/,
    );
  });

  it('refuses writes where the quorum cannot be reached, and takes them elsewhere', async () => {
    mesh.links.cut(['ap'], ['eu', 'us'], { by: 'black hole' });
    await put('us', 'home.us', 'decided without ap');
    await expect(bucket('ap').put('home.us', 'decided alone')).rejects.toThrow(
      /timeout|not enabled|no responders|503/i,
    );
    mesh.links.heal();
    await put('ap', 'home.ap', 'back');
    await eventually(
      'ap has what it missed',
      async () => (await bucket('ap').get('home.us'))?.string() === 'decided without ap',
      { timeoutMs: 60_000, pauseMs: 100 },
    );
  }, 120_000);

  it('goes on while a control server is killed or stands still', async () => {
    await mesh.region('us').control?.kill();
    await put('eu', 'home.us', 'without the server of us');
    await mesh.region('us').control?.start();
    mesh.region('ap').control?.pause();
    await put('eu', 'home.us', 'while that of ap stands still');
    mesh.region('ap').control?.resume();
    await eventually(
      'us has it too',
      async () => (await bucket('us').get('home.us'))?.string() === 'while that of ap stands still',
      { timeoutMs: 60_000 },
    );
  }, 180_000);

  it('lets no recovery delete or purge what it keeps', async () => {
    const connection = connections.get('eu') as NatsConnection;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await expect(manager.streams.delete('KV_CONTROL')).rejects.toThrow(/ermissions|timeout/);
    await expect(manager.streams.purge('KV_CONTROL')).rejects.toThrow(/ermissions|timeout/);
    await eventually('it is all there', () => bucket('us').get('home.us'), { pauseMs: 100 });
  });
});
