import { describe, expect, it } from '@jest/globals';
import { Backlog } from './backlog.ts';
import { RegionWatch, type Look } from './health.ts';
import { accountFor, type CauseFate, type Orphan } from './orphan.ts';

describe('a backlog', () => {
  it('knows what each peer lacks, and for how long', () => {
    const backlog = new Backlog(['us', 'ap']);
    backlog.stored(1, 1_000);
    backlog.stored(2, 1_100);
    backlog.stored(3, 1_200);
    expect([backlog.behind('us'), backlog.ageMs('us', 1_300), backlog.atRiskMs(1_300)]).toEqual([
      3, 300, 300,
    ]);
    backlog.held('us', 2);
    expect([backlog.behind('us'), backlog.ageMs('us', 1_300)]).toEqual([1, 100]);
    expect([backlog.behind('ap'), backlog.ageMs('ap', 1_300), backlog.atRiskMs(1_300)]).toEqual([
      3, 300, 100,
    ]);
    backlog.held('ap', 3);
    backlog.held('us', 3);
    expect([backlog.behind('us'), backlog.ageMs('us', 9_000), backlog.atRiskMs(9_000)]).toEqual([
      0, 0, 0,
    ]);
  });

  it('never takes an entry for younger than it is, however much has piled up', () => {
    const backlog = new Backlog(['us']);
    for (let sequence = 1; sequence <= 50_000; sequence += 1) backlog.stored(sequence, sequence);
    expect([backlog.ageMs('us', 50_000), backlog.behind('us')]).toEqual([49_999, 50_000]);
    backlog.held('us', 25_000);
    const age = backlog.ageMs('us', 50_000);
    expect(age).toBeGreaterThanOrEqual(24_999);
    expect(age).toBeLessThan(30_000);
  });

  it('passes over what is older than is known, and who is no peer', () => {
    const backlog = new Backlog(['us']);
    backlog.stored(5, 1_000);
    expect([backlog.held('us', 5), backlog.held('us', 4), backlog.held('mars', 5)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

const calm: Look = {
  sights: [],
  unreachable: [],
  isControlSilent: false,
  isServing: false,
  lags: [],
};

describe('a region watch', () => {
  const watch = () =>
    new RegionWatch({ region: 'us', peers: 2, lagLimitMs: 1_000, settleMs: 1_000 });
  const at = (nowMs: number) => ({ nowMs, wallMs: 1_700_000_000_000 + nowMs });
  const lost: Look = {
    ...calm,
    sights: [{ region: 'eu', health: 'LOST', reasons: ['LEASE_LAPSED: gone.'] }],
  };

  it('tells a health that has lasted, once', () => {
    const one = watch();
    expect(one.look(lost, at(0))).toEqual([]);
    expect(one.look(lost, at(1_000))).toEqual([
      {
        atMs: 1_700_000_001_000,
        event: {
          type: 'meridian.region.health_changed.v1',
          subject: 'eu',
          data: { from: 'HEALTHY', to: 'LOST', reasons: ['LEASE_LAPSED: gone.'] },
        },
      },
    ]);
    expect(one.look(lost, at(5_000))).toEqual([]);
  });

  it('tells an isolation when neither a peer nor the control cluster is seen, and its end', () => {
    const one = watch();
    const cut: Look = { ...calm, unreachable: ['ap', 'eu'], isControlSilent: true };
    expect(one.look({ ...cut, isControlSilent: false }, at(0))).toEqual([]);
    expect(one.look({ ...cut, unreachable: ['eu'] }, at(1))).toEqual([]);
    expect(one.look(cut, at(2)).map(({ event }) => event)).toEqual([
      {
        type: 'meridian.region.isolated.v1',
        subject: 'us',
        data: { unreachable: ['ap', 'eu'], since: '2023-11-14T22:13:20.002Z', serving: false },
      },
    ]);
    expect(one.isIsolated).toBe(true);
    expect(one.look(calm, at(502)).map(({ event }) => event)).toEqual([
      {
        type: 'meridian.region.rejoined.v1',
        subject: 'us',
        data: { isolatedSince: '2023-11-14T22:13:20.002Z', isolatedMs: 500 },
      },
    ]);
  });

  it('tells a lag over the limit when it begins and when it ends, with the longest', () => {
    const one = watch();
    const lag = (lagMs: number): Look => ({
      ...calm,
      lags: [{ stream: 'EV_us', region: 'eu', behind: 7, lagMs }],
    });
    const told = [400, 1_200, 3_000, 2_000, 300, 200].flatMap((lagMs, index) =>
      one.look(lag(lagMs), at(index)).map(({ event }) => event.data),
    );
    expect(told).toEqual([
      { stream: 'EV_us', behind: 7, limitMs: 1_000, change: 'EXCEEDED', lagMs: 1_200 },
      { stream: 'EV_us', behind: 7, limitMs: 1_000, change: 'RECOVERED', lagMs: 3_000 },
    ]);
  });
});

describe('an orphan', () => {
  const orphan: Orphan = {
    home: 'eu',
    epoch: 4,
    region: 'eu',
    stream: 'EV_eu',
    sequence: 12,
    tenant: 'demo',
    entity: 'contact',
    id: 'c1',
    types: ['meridian.contact.queued.v1'],
    causes: ['/pbx#1', 'demo.routing.eu.7'],
  };
  const told = (one: CauseFate, other: CauseFate, change: Partial<Orphan> = {}) => {
    const fates = new Map([
      ['/pbx#1', one],
      ['demo.routing.eu.7', other],
    ]);
    const { type, subject, data } = accountFor({ ...orphan, ...change }, fates);
    return [type.split('.')[2], subject, 'adoption' in data ? data.adoption : data.code];
  };

  it.each([
    ['decided', 'decided', 'adopted', 'REDECIDED'],
    ['decided', 'readable', 'adopted', 'WAITING'],
    ['decided', 'orphan', 'set_aside', 'FOLLOWS_AN_ORPHAN'],
    ['readable', 'timer', 'set_aside', 'TIMER'],
    ['unknown', 'decided', 'set_aside', 'CAUSE_UNKNOWN'],
  ] as const)('whose causes are %s and %s is %s: %s', (one, other, fate, code) => {
    expect(told(one, other)).toEqual([fate, 'EV_eu-12', code]);
  });

  it('of the mesh itself is set aside', () => {
    expect(told('decided', 'decided', { tenant: 'meridian' })).toEqual([
      'set_aside',
      'EV_eu-12',
      'OF_THE_MESH',
    ]);
  });
});
