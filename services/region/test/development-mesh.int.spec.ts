import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectNats, mirrorState } from '@meridian/journal';
import { eventually, natsServerBinary, temporaryFolder } from '@meridian/testing';
import type { NatsConnection } from '@nats-io/nats-core';
import { startDevelopmentMesh, type DevelopmentMesh } from '../src/index.ts';

const names = ['eu', 'us'];
const folder = temporaryFolder('meridian-development-mesh-');
let mesh: DevelopmentMesh;

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const pidsOf = (region: string): number[] => [...mesh.region(region).pids.values()];

/** Asks again while the region still finds out what lives elsewhere. */
async function initiate(region: string, id: string): Promise<string> {
  const { url, key } = mesh.region(region);
  const send = () =>
    fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify({
        specversion: '1.0',
        id,
        source: '/test',
        type: 'meridian.contact.initiate.v1',
        subject: id,
        data: { method: 'INBOUND', channel: 'VOICE' },
      }),
    });
  const answer = await eventually(`${region} takes requests in`, async () => {
    const one = await send();
    return one.status === 503 ? undefined : one;
  });
  const { accepted } = (await answer.json()) as {
    accepted: { stream: string; sequence: number }[];
  };
  return `${answer.status} ${accepted[0]?.stream}`;
}

async function connected<T>(
  region: string,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const { natsUrl, seeds } = mesh.region(region);
  const connection = await connectNats({ servers: natsUrl, seedFile: seeds.services });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Waits until `region` holds that many messages of the stream of another one. */
const holds = (region: string, stream: string, sequence: number): Promise<boolean> =>
  connected(region, (connection) =>
    eventually(
      `${stream} in ${region}`,
      async () => {
        const states = await mirrorState(connection, region, names);
        const held = states.find((state) => state.stream === stream)?.lastSequence;
        if ((held ?? 0) < sequence) throw new Error(`It holds ${held}, not ${sequence}`);
        return true;
      },
      { timeoutMs: 60_000, pauseMs: 50 },
    ),
  );

beforeAll(async () => {
  mesh = await startDevelopmentMesh({
    dataDir: folder.path,
    natsServer: natsServerBinary(),
    regions: names,
    cuttable: true,
    ownership: 'static',
  });
}, 120_000);

afterAll(async () => {
  const pids = names.flatMap(pidsOf);
  await mesh.stop();
  folder.remove();
  expect(pids.length).toBeGreaterThan(0);
  expect(pids.filter(alive)).toEqual([]);
}, 60_000);

describe('regions on one machine', () => {
  it('take requests each, and hold what the others took', async () => {
    expect(await initiate('eu', 'c1')).toBe('202 IN_eu');
    expect(await initiate('us', 'c2')).toBe('202 IN_us');
    await holds('us', 'IN_eu', 1);
    await holds('eu', 'IN_us', 1);
    await holds('us', 'EV_eu', 1);
  }, 120_000);

  it('can be killed whole and started again while the others go on', async () => {
    const before = pidsOf('us');
    const { url, natsUrl } = mesh.region('us');
    await mesh.region('us').kill();
    expect(before.filter(alive)).toEqual([]);
    expect(pidsOf('us')).toEqual([]);
    expect(await initiate('eu', 'c3')).toBe('202 IN_eu');
    await mesh.region('us').start();
    expect(mesh.region('us')).toMatchObject({ url, natsUrl, isRunning: true });
    expect(pidsOf('us').some((pid) => before.includes(pid))).toBe(false);
    expect(await initiate('us', 'c4')).toBe('202 IN_us');
    await holds('us', 'IN_eu', 2);
    await holds('eu', 'IN_us', 2);
  }, 120_000);

  it('can be cut from each other', async () => {
    mesh.links?.cut(['eu'], ['us'], { by: 'reset' });
    expect(await initiate('eu', 'c5')).toBe('202 IN_eu');
    mesh.links?.heal();
    await holds('us', 'IN_eu', 3);
  }, 120_000);

  it('start a service again that ends by itself', async () => {
    const child = mesh.region('eu').children.get('region');
    const pid = child?.pid;
    child?.kill('SIGKILL');
    await eventually('another process', () => child?.pid !== undefined && child.pid !== pid, {
      timeoutMs: 30_000,
    });
    await eventually(
      'its interface',
      async () => (await fetch(`${mesh.region('eu').url}/health/ready`)).ok,
      {
        timeoutMs: 60_000,
        pauseMs: 100,
      },
    );
    expect(await initiate('eu', 'c6')).toBe('202 IN_eu');
  }, 120_000);
});
