import { describe, expect, it } from '@jest/globals';
import { Gate } from '../gate.ts';
import { World } from '../world.ts';
import {
  ControlUnavailable,
  WrongRevision,
  type ControlClient,
  type ControlEntry,
} from './control-store.ts';
import { noMeshFaults, type MeshFaults } from './faults.ts';
import { SimulatedMesh } from './mesh.ts';

const regions = ['eu', 'us', 'ap'];

function storeWith(faults: Partial<MeshFaults>, names: readonly string[] = regions) {
  const world = new World({ seed: 1, startMs: 0 });
  const mesh = new SimulatedMesh(world, {
    regions: names,
    streamsOf: () => [],
    faults: { ...noMeshFaults, ...faults },
  });
  const client = (region: string, gate = new Gate(world)): ControlClient =>
    mesh.control.client(region, gate, world.random.fork(region));
  /** Runs the world until a promise is settled. */
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = promise.catch(() => undefined);
    let isSettled = false;
    void settled.then(() => (isSettled = true));
    for (let count = 0; count < 1_000 && !isSettled; count += 1) await world.run(world.now() + 10);
    return promise;
  };
  return { world, mesh, client, settle };
}

const cutOff = (region: string, scope: 'all' | 'streams' = 'all') =>
  regions
    .filter((other) => other !== region)
    .flatMap((other) => [
      { fromMs: 0, toMs: 30_000, from: region, to: other, scope },
      { fromMs: 0, toMs: 30_000, from: other, to: region, scope },
    ]);

describe('the control store', () => {
  it('lets one of two writers win', async () => {
    const { client, settle } = storeWith({});
    const [eu, us] = [client('eu'), client('us')];
    const outcomes = await settle(
      Promise.allSettled([eu.compareAndSet('k', 'eu', 0), us.compareAndSet('k', 'us', 0)]),
    );
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const entry = await settle(eu.get('k'));
    expect(entry?.revision).toBe(1);
    await expect(settle(us.compareAndSet('k', 'us', 7))).rejects.toThrow(WrongRevision);
    expect(await settle(us.compareAndSet('k', 'us', 1))).toBe(2);
    expect(await settle(eu.list('k'))).toEqual([{ key: 'k', value: 'us', revision: 2 }]);
  });

  it('serves the majority and not who is cut off from it', async () => {
    const { world, mesh, client, settle } = storeWith({ cuts: cutOff('eu') });
    expect(regions.map((region) => mesh.control.serves(region))).toEqual([false, true, true]);
    await expect(settle(client('eu').put('k', 'v'))).rejects.toThrow(ControlUnavailable);
    expect(await settle(client('us').put('k', 'w'))).toBe(1);
    await world.run(30_000);
    expect((await settle(client('eu').get('k')))?.value).toBe('w');
  });

  it('serves a region through another one when their own way is cut', async () => {
    const [there, back] = cutOff('eu');
    const { mesh, client, settle } = storeWith({ cuts: [there!, back!] });
    expect(regions.map((region) => mesh.control.serves(region))).toEqual([true, true, true]);
    expect(await settle(client('eu').put('k', 'v'))).toBe(1);
  });

  it('is not concerned by a cut of the streams alone', async () => {
    const { mesh } = storeWith({ cuts: cutOff('eu', 'streams') });
    expect(mesh.control.serves('eu')).toBe(true);
    expect(mesh.links.isOpen('eu', 'us')).toBe(false);
  });

  it('serves nobody without a majority, and a region that is alone in its mesh', async () => {
    const losses = ['us', 'ap'].map((region) => ({
      atMs: 0,
      region,
      downMs: 1_000,
      lostMessages: 0,
    }));
    const { world, mesh } = storeWith({ losses });
    await world.run(500);
    expect(mesh.control.serves('eu')).toBe(false);
    await world.run(2_000);
    expect(mesh.control.serves('eu')).toBe(true);
    expect(storeWith({}, ['eu']).mesh.control.serves('eu')).toBe(true);
  });

  it('shows who watches what was written while nothing came through', async () => {
    const { world, client, settle } = storeWith({ cuts: cutOff('eu') });
    const seen: ControlEntry[] = [];
    client('eu').watch('home.', (entry) => seen.push(entry));
    await settle(client('us').put('home.eu', '1'));
    await settle(client('us').put('lease.us', '1'));
    await settle(client('us').put('home.eu', '2'));
    await world.run(29_000);
    expect(seen).toEqual([]);
    await world.run(31_000);
    expect(seen).toEqual([{ key: 'home.eu', value: '2', revision: 3 }]);
  });

  it('does what it gives no answer to, or does it late, or never', async () => {
    const trouble = { fromMs: 0, toMs: 500, region: 'eu', refuse: 1, loseAnswer: 1, late: 1 };
    const { world, mesh, client } = storeWith({ control: [{ ...trouble, slowMs: 0 }] });
    const eu = client('eu');
    const answers = Array.from({ length: 60 }, (_, index) => eu.put(`k${index}`, ''));
    const settled = Promise.allSettled(answers);
    await world.run(1_000);
    const soon = mesh.control.entries.size;
    await world.run(60_000);
    const all = mesh.control.entries.size;
    expect(0 < soon && soon < all && all < 60).toBe(true);
    expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['rejected']));
  });

  it('answers nobody who is dead', async () => {
    const { world, client } = storeWith({});
    const gate = new Gate(world);
    let answered = false;
    void client('eu', gate)
      .put('k', 'v')
      .then(() => (answered = true));
    gate.close();
    await world.run(10_000);
    expect(answered).toBe(false);
  });
});
