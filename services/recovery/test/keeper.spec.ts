import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { memoryLog, readEntry, type Log, type MemoryLog } from '@meridian/journal';
import { memoryBeat, openLeases, type Leases } from '@meridian/nest';
import { intakeStream, intakeSubject } from '@meridian/wire';
import { settingsOf } from '../src/domain/settings.ts';
import { Keeper, MemoryControlCluster, type Control } from '../src/index.ts';

const names = ['ap', 'eu', 'us'];

interface Stage {
  readonly name: string;
  readonly keeper: Keeper;
  readonly leases: Leases;
  close(): Promise<void>;
}

let stages: Stage[] = [];

afterEach(async () => {
  await Promise.all(stages.map((stage) => stage.close()));
  stages = [];
  jest.useRealTimers();
});

/** All regions' streams in one log: every copy holds everything at once. */
async function start(log: MemoryLog, control: Control, name: string): Promise<Stage> {
  const beat = memoryBeat();
  const keeper = new Keeper({
    settings: settingsOf({ region: name, regions: names, instance: `${name}-${stages.length}` }),
    log,
    control,
    beat,
    positions: () =>
      Object.fromEntries(names.map((one) => [one, { sequence: log.messages(`EV_${one}`).length }])),
    compare: () => Promise.resolve('whole'),
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    every: (periodMs, run) => {
      const timer = setInterval(run, periodMs);
      return () => clearInterval(timer);
    },
    onReport: () => {},
    onFailure: (error) => {
      throw error;
    },
  });
  await keeper.open();
  const leases = openLeases({ beat, region: name, instance: `d-${name}`, deciding: () => ({}) });
  const stage: Stage = {
    name,
    keeper,
    leases,
    async close() {
      leases.close();
      await keeper.close();
    },
  };
  stages.push(stage);
  return stage;
}

const holders = (home: string): string[] =>
  stages.filter(({ leases }) => leases.holds(home)).map(({ name }) => name);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

async function mesh() {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] });
  const log = memoryLog({ now: () => Date.now() });
  const cluster = new MemoryControlCluster();
  for (const name of names) await start(log, cluster.client(), name);
  await pass(2_000);
  return { log, cluster };
}

async function request(log: Log, home: string, data: object, id = 'r1'): Promise<void> {
  const aggregate = { tenant: 'meridian', entity: 'failover', id: home };
  await log.append(intakeStream('ap'), {
    subject: intakeSubject('ap', home, aggregate),
    data: JSON.stringify({
      specversion: '1.0',
      id,
      source: '/test',
      type: 'meridian.failover.request.v1',
      subject: home,
      time: '2026-01-31T08:15:00.000Z',
      tenant: 'meridian',
      datacontenttype: 'application/json',
      data,
    }),
  });
}

async function history(log: Log, writer: string, home: string) {
  const found = await log.load(`EV_${writer}`, `ev.${writer}.${home}.meridian.ownership.${home}`);
  return found.map((message) =>
    readEntry(message).events.map(
      ({ type, epoch, revision }) => `${type.split('.')[2]} ${epoch}.${revision}`,
    ),
  );
}

describe('three regions', () => {
  it('each decide for their own home', async () => {
    await mesh();
    expect(names.map(holders)).toEqual([['ap'], ['eu'], ['us']]);
    expect(stages.every(({ leases }) => leases.intakeOpen)).toBe(true);
  });

  it('move a home as planned and back; its history goes on without a gap', async () => {
    const { log } = await mesh();
    await pass(5_000);
    await request(log, 'eu', { to: 'us', kind: 'PLANNED', reason: 'a test' });
    await pass(2_000);
    expect(holders('eu')).toEqual(['us']);
    await pass(5_000);
    await request(log, 'eu', { to: 'eu', kind: 'PLANNED' }, 'r2');
    await pass(2_000);
    expect(holders('eu')).toEqual(['eu']);
    expect(await history(log, 'eu', 'eu')).toEqual([
      ['requested 1.0', 'started 1.1'],
      ['sealed 1.2'],
      ['completed 3.7', 'failed_back 3.8'],
    ]);
    expect(await history(log, 'us', 'eu')).toEqual([
      ['completed 2.3'],
      ['requested 2.4', 'started 2.5'],
      ['sealed 2.6'],
    ]);
  });

  it('take over from one that is gone; back again it owns nothing until it is given back', async () => {
    const { log, cluster } = await mesh();
    const eu = stages.find(({ name }) => name === 'eu') as Stage;
    await eu.close();
    stages = stages.filter((stage) => stage !== eu);
    await pass(12_000);
    expect(holders('eu')).toEqual(['ap']);
    expect(await history(log, 'ap', 'eu')).toEqual([['started 2.0', 'completed 2.1']]);
    await start(log, cluster.client(), 'eu');
    await pass(5_000);
    expect([holders('eu'), holders('ap')]).toEqual([['ap'], ['ap']]);
    await pass(5_000);
    await request(log, 'eu', { to: 'eu', kind: 'PLANNED' });
    await pass(3_000);
    expect(holders('eu')).toEqual(['eu']);
  });

  it('refuse what cannot be, on the log, once', async () => {
    const { log } = await mesh();
    await request(log, 'eu', { to: 'us', kind: 'UNPLANNED' });
    await pass(2_000);
    expect(await history(log, 'eu', 'eu')).toEqual([['requested 1.0', 'failed 1.1']]);
    expect(holders('eu')).toEqual(['eu']);
    // Another start reads the request again.
    await start(log, new MemoryControlCluster().client(), 'eu');
    await pass(2_000);
    expect(await history(log, 'eu', 'eu')).toHaveLength(1);
  });

  it('stop deciding without a quorum and keep the way in open', async () => {
    const { cluster } = await mesh();
    cluster.hasQuorum = false;
    await pass(4_500);
    expect([names.map(holders), stages.map(({ leases }) => leases.intakeOpen)]).toEqual([
      [[], [], []],
      [true, true, true],
    ]);
    cluster.hasQuorum = true;
    await pass(4_000);
    expect(names.map(holders)).toEqual([['ap'], ['eu'], ['us']]);
  });

  it('a glass is broken when nobody answers: one region decides for all', async () => {
    const { log, cluster } = await mesh();
    cluster.hasQuorum = false;
    const gone = stages.filter(({ name }) => name !== 'ap');
    await Promise.all(gone.map((stage) => stage.close()));
    stages = stages.filter((stage) => !gone.includes(stage));
    await pass(8_000);
    expect(holders('ap')).toEqual([]);
    for (const home of names) {
      await request(log, home, { to: 'ap', kind: 'UNPLANNED', breakGlass: true }, `glass-${home}`);
    }
    await pass(3_000);
    expect(names.map(holders)).toEqual([['ap'], ['ap'], ['ap']]);
    expect(stages[0]?.leases.grantOf('eu')).toEqual({ epoch: 2 });
    expect(stages[0]?.leases.grantOf('ap')).toEqual({ epoch: 1 });
    cluster.hasQuorum = true;
    await pass(4_000);
    expect(names.map(holders)).toEqual([['ap'], ['ap'], ['ap']]);
    expect(stages[0]?.keeper.state.view.homes.get('eu')?.value).toMatchObject({
      owner: 'ap',
      epoch: 2,
    });
  });

  it('go on when the control cluster was lost and made anew', async () => {
    const { log, cluster } = await mesh();
    await pass(5_000);
    await request(log, 'eu', { to: 'us', kind: 'PLANNED' });
    await pass(2_000);
    cluster.remake();
    await pass(8_000);
    expect(names.map(holders)).toEqual([['ap'], ['us'], ['us']]);
    expect(stages[0]?.keeper.state.view.homes.get('eu')?.value).toMatchObject({
      owner: 'us',
      epoch: 2,
    });
  });
});
