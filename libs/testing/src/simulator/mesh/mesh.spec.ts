import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import type { Instance } from '../node.ts';
import { World } from '../world.ts';
import { drawMeshFaults, noMeshFaults, type MeshFaults } from './faults.ts';
import { SimulatedMesh } from './mesh.ts';

const regions = ['eu', 'us', 'ap'];
const untilMs = 600_000;

function meshWith(faults: Partial<MeshFaults>, seed = 1) {
  const world = new World({ seed, startMs: 0 });
  const mesh = new SimulatedMesh(world, {
    regions,
    streamsOf: (region) => [`IN_${region}`],
    faults: { ...noMeshFaults, ...faults },
  });
  /** A process of eu that stores a message each 100 ms from 0 on, `count` in all. */
  const write = (count: number): void => {
    mesh.region('eu').node('writer', (instance: Instance) => {
      const step = (number: number): void => {
        if (number > count) return;
        instance.log
          .append('IN_eu', { subject: 'in.a', data: `${number}`, messageId: `${number}` })
          .then(
            () => instance.after(100, () => step(number + 1)),
            () => instance.after(100, () => step(number)),
          );
      };
      step(mesh.region('eu').log.messages('IN_eu').length + 1);
    });
  };
  const texts = (region: string): string[] =>
    mesh
      .region(region)
      .log.messages('IN_eu')
      .map((message) => message.text());
  const numbers = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${index + 1}`);
  return { world, mesh, write, texts, numbers };
}

const cut = (fromMs: number, toMs: number, from: string, to: string) =>
  ({ fromMs, toMs, from, to, scope: 'all' }) as const;

describe('a simulated mesh', () => {
  it('copies every stream with its sequences and times', async () => {
    const { world, mesh, write, texts, numbers } = meshWith({});
    write(20);
    expect(await world.run(untilMs)).toBe(true);
    expect(texts('us')).toEqual(numbers(20));
    const places = regions.map((region) =>
      mesh
        .region(region)
        .log.messages('IN_eu')
        .map(({ sequence, storedAtMs }) => [sequence, storedAtMs]),
    );
    expect(places[1]).toEqual(places[0]);
    expect(places[2]).toEqual(places[0]);
    expect(mesh.isLevel).toBe(true);
  });

  it('holds a mirror back while the way to it is cut, and only that one', async () => {
    const { world, mesh, write, texts, numbers } = meshWith({
      cuts: [cut(500, 60_000, 'eu', 'us')],
    });
    write(20);
    await world.run(59_999);
    expect(texts('us').length).toBeLessThan(10);
    expect(texts('ap')).toEqual(numbers(20));
    expect(mesh.isLevel).toBe(false);
    await world.run(untilMs);
    expect(texts('us')).toEqual(numbers(20));
    expect(mesh.isLevel).toBe(true);
  });

  it('keeps the order on a slow link', async () => {
    const slow = { fromMs: 0, toMs: 30_000, from: 'eu', to: 'us', slowMs: 3_000 };
    const { world, write, texts, numbers } = meshWith({ slowLinks: [slow] });
    write(50);
    await world.run(5_500);
    expect(texts('us').length).toBeLessThan(texts('ap').length);
    await world.run(untilMs);
    expect(texts('us')).toEqual(numbers(50));
  });

  it('kills a region whole and brings it back with what it had stored', async () => {
    const loss = { atMs: 1_000, region: 'eu', downMs: 20_000, lostMessages: 0 };
    const { world, mesh, write, texts, numbers } = meshWith({ losses: [loss] });
    write(20);
    await world.run(20_000);
    expect(mesh.region('eu').isUp).toBe(false);
    expect(mesh.region('eu').nodes.flatMap(({ instances }) => instances)).toEqual([]);
    await world.run(untilMs);
    expect(texts('eu')).toEqual(numbers(20));
    expect(texts('us')).toEqual(numbers(20));
    expect(mesh.region('eu').nodes[0]?.instances[0]?.number).toBe(1);
  });

  it('brings a store back short; what it writes then differs from the copies, which keep theirs', async () => {
    const loss = { atMs: 1_500, region: 'eu', downMs: 5_000, lostMessages: 9 };
    const { world, mesh } = meshWith({ losses: [loss] }, 2);
    let life = 0;
    mesh.region('eu').node('writer', (instance) => {
      life += 1;
      const data = `life ${life}`;
      for (let count = 0; count < 12; count += 1) {
        void instance.log.append('IN_eu', { subject: 'in.a', data });
      }
    });
    await world.run(untilMs);
    const [original, copy] = ['eu', 'us'].map((region) =>
      mesh
        .region(region)
        .log.messages('IN_eu')
        .map((message) => message.text()),
    ) as [string[], string[]];
    expect(world.counts['messages lost with the power']).toBeGreaterThan(0);
    expect(original.length).toBe(copy.length);
    expect(copy.filter((text) => text === 'life 1')).toHaveLength(12);
    expect(original.filter((text) => text === 'life 1').length).toBeLessThan(12);
  });

  it('lets a process stand still while what it had sent arrives', async () => {
    const pause = { atMs: 50, node: 'eu.writer', forMs: 10_000 };
    const { world, mesh } = meshWith({ pauses: [pause] });
    const heard: number[] = [];
    mesh.region('eu').node('writer', (instance) => {
      instance.after(48, () => {
        void instance.log
          .append('IN_eu', { subject: 'in.a', data: 'x' })
          .then(() => heard.push(world.now()));
      });
      instance.after(1_000, () => heard.push(world.now()));
    });
    await world.run(9_000);
    expect(mesh.region('us').log.messages('IN_eu')).toHaveLength(1);
    expect(heard).toEqual([]);
    await world.run(untilMs);
    expect(heard).toEqual([10_050, 10_050]);
  });

  it('loses some beats, and never one of another region', async () => {
    const { world, mesh } = meshWith({ beatLoss: 0.5 });
    const heard: number[] = [];
    mesh.region('eu').node('a', ({ gate }) => {
      mesh.region('eu').beats.subscribe('beat.eu.*', gate, (body) => heard.push(body as number));
    });
    mesh.region('us').node('a', ({ gate }) => {
      mesh.region('us').beats.subscribe('beat.>', gate, () => heard.push(-1));
    });
    for (let count = 0; count < 100; count += 1) {
      world.after(10 + count, () => mesh.region('eu').beats.publish('beat.eu.x', count));
      world.after(10 + count, () => mesh.region('eu').beats.publish('beat.ap.x', -2));
    }
    await world.run(untilMs);
    expect(heard.length).toBeGreaterThan(20);
    expect(heard.length).toBeLessThan(80);
    expect(heard).not.toContain(-1);
    expect(heard).not.toContain(-2);
  });

  it('has clocks that drift by less than 1 %', async () => {
    const { world, mesh } = meshWith({});
    const passed: number[] = [];
    for (const region of mesh.regions) {
      region.node('a', (instance) => {
        instance.after(100_000, () => passed.push(instance.monotonicMs()));
      });
    }
    await world.run(untilMs);
    expect(new Set(mesh.regions.map(({ drift }) => drift)).size).toBe(3);
    for (const { drift } of mesh.regions) expect(Math.abs(drift)).toBeLessThan(0.01);
    for (const ms of passed) expect(Math.abs(ms - 100_000)).toBeLessThan(2);
    expect(passed).toHaveLength(3);
  });

  it('is the same for the same seed', async () => {
    const history = async (seed: number): Promise<string> => {
      const random = seeded(seed);
      const faults = drawMeshFaults(random, {
        regions,
        nodes: ['eu.writer'],
        fromMs: 0,
        toMs: 20_000,
      });
      const { world, mesh, write } = meshWith(faults, seed);
      write(100);
      await world.run(untilMs);
      const copies = mesh.regions.map(({ log }) =>
        log.messages('IN_eu').map(({ storedAtMs, ...message }) => [storedAtMs, message.sequence]),
      );
      return JSON.stringify([faults, copies, world.counts]);
    };
    const histories: string[] = [];
    for (let seed = 1; seed <= 10; seed += 1) {
      const first = await history(seed);
      expect(await history(seed)).toBe(first);
      histories.push(first);
    }
    expect(new Set(histories).size).toBe(10);
  });
});
