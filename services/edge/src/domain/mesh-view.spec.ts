import { describe, expect, it } from '@jest/globals';
import { failoverPlan, type PlanQuestion } from './failover-plan.ts';
import {
  meshView,
  statusAgeLimitMs,
  type HeardStatus,
  type MeshFacts,
  type MeshStatus,
  type OwnershipView,
} from './mesh-view.ts';

const status: MeshStatus = {
  owners: { eu: 'eu', us: 'us', ap: 'ap' },
  epochs: { eu: 1, us: 1, ap: 1 },
  leases: { eu: { ageMs: 100 }, us: { ageMs: 200 }, ap: { ageMs: 300 } },
  links: { us: { events: 3, ms: 40 }, ap: { events: 0, ms: 0 } },
  isolated: false,
  riskMs: 40,
  control: 'ok',
  failovers: [],
};
const heard = (given: Partial<MeshStatus> = {}, heardMsAgo = 10): HeardStatus => ({
  status: { ...status, ...given },
  heardMsAgo,
});
const ledgerOf = (homes: Readonly<Record<string, readonly OwnershipView[]>> = {}) => {
  return (home: string): readonly OwnershipView[] => homes[home] ?? [{ epoch: 1, owner: home }];
};
const facts = (given: Partial<MeshFacts> = {}): MeshFacts => ({
  region: 'eu',
  regions: ['ap', 'eu', 'us'],
  epochs: ledgerOf(),
  heard: new Map([['eu', heard()]]),
  atRisk: { IN_eu: 3, EV_eu: 0 },
  intakeOpen: true,
  ...given,
});

describe('the mesh as a region sees it', () => {
  it('says owners, leases, links and what is at risk', () => {
    const region = (name: string, ageMs: number, own: object) => ({
      region: name,
      owns: [name],
      lease: { holder: name, ageMs },
      isolated: null,
      control: null,
      ...own,
    });
    const home = (name: string) => ({
      home: name,
      owner: name,
      epoch: 1,
      state: 'ACTIVE',
      failover: null,
      seals: [],
    });
    expect(meshView(facts())).toEqual({
      region: 'eu',
      regions: [
        region('ap', 310, {}),
        region('eu', 110, { isolated: false, control: 'ok' }),
        region('us', 210, {}),
      ],
      homes: [home('ap'), home('eu'), home('us')],
      links: [
        { from: 'eu', to: 'ap', events: 0, ms: 0 },
        { from: 'eu', to: 'us', events: 3, ms: 40 },
      ],
      isolated: false,
      atRisk: { ms: 40, messages: { IN_eu: 3, EV_eu: 0 } },
      intakeOpen: true,
      control: 'ok',
      recovery: { heardMsAgo: 10 },
    });
  });

  it('says nothing of what was not heard lately', () => {
    const old = heard({}, statusAgeLimitMs + 1);
    for (const silent of [new Map<string, HeardStatus>(), new Map([['eu', old]])]) {
      expect(meshView(facts({ heard: silent }))).toMatchObject({
        regions: [{ lease: null }, { lease: null, isolated: null }, { lease: null }],
        links: [],
        isolated: null,
        atRisk: { ms: null, messages: { IN_eu: 3 } },
        control: null,
        recovery: null,
      });
    }
  });

  it('tells an owner that the log knows from one that is only named yet', () => {
    const epochs = ledgerOf({
      us: [
        { epoch: 1, owner: 'us', upTo: 77 },
        { epoch: 2, owner: 'eu' },
      ],
    });
    const failovers = [{ home: 'eu', to: 'us', kind: 'PLANNED', step: 'sealing' } as const];
    const said = heard({ owners: { ap: 'eu', us: 'us' }, epochs: { ap: 2, us: 1 }, failovers });
    expect(meshView(facts({ epochs, heard: new Map([['eu', said]]) }))).toMatchObject({
      regions: [{ owns: [] }, { owns: ['ap', 'eu', 'us'] }, { owns: [] }],
      homes: [
        { home: 'ap', owner: 'eu', epoch: 2, state: 'TAKING_OVER', seals: [] },
        {
          home: 'eu',
          owner: 'eu',
          epoch: 1,
          state: 'FAILING_OVER',
          failover: { to: 'us', kind: 'PLANNED', step: 'sealing' },
        },
        {
          home: 'us',
          owner: 'eu',
          epoch: 2,
          state: 'ACTIVE',
          seals: [{ epoch: 1, owner: 'us', upTo: 77 }],
        },
      ],
    });
  });
});

describe('the plan of a failover', () => {
  const radius = {
    contacts: { open: 5, waiting: 2, offered: 1, connected: 1 },
    agents: { signedIn: 3 },
  };
  const question: PlanQuestion = {
    home: 'eu',
    to: 'us',
    leaseMs: 5_000,
    radius,
    intakeBehind: 4,
  };
  const codes = (given: Partial<MeshFacts>, asked: Partial<PlanQuestion> = {}): string[] =>
    (
      failoverPlan(facts(given), { ...question, ...asked })['blockers'] as readonly {
        readonly code: string;
      }[]
    ).map(({ code }) => code);
  const says = (given: Partial<MeshStatus>): Partial<MeshFacts> => ({
    heard: new Map([['eu', heard(given)]]),
  });

  it('says what would happen and to whom', () => {
    const plan = failoverPlan(facts(), question);
    expect(plan).toMatchObject({
      home: 'eu',
      from: 'eu',
      to: 'us',
      epoch: 1,
      nextEpoch: 2,
      kind: 'PLANNED',
      failback: false,
      blastRadius: { ...radius, intakeBehind: 4 },
      blockers: [],
    });
    expect(plan['steps']).toHaveLength(4);
    expect(
      failoverPlan(facts(), { ...question, radius: undefined, intakeBehind: undefined })[
        'blastRadius'
      ],
    ).toEqual({ contacts: null, agents: null, intakeBehind: null });
  });

  it('is unplanned when the owner gives no sign of life, and a failback to the home itself', () => {
    const epochs = ledgerOf({
      eu: [
        { epoch: 1, owner: 'eu', upTo: 9 },
        { epoch: 2, owner: 'ap' },
      ],
    });
    const lost = says({
      owners: { eu: 'ap' },
      leases: { eu: { ageMs: 1 }, us: { ageMs: 1 }, ap: { ageMs: 5_001 } },
    });
    expect(failoverPlan(facts({ ...lost, epochs }), { ...question, to: 'eu' })).toMatchObject({
      from: 'ap',
      epoch: 2,
      kind: 'UNPLANNED',
      failback: true,
      blockers: [],
    });
  });

  it.each<[string, Partial<MeshFacts>, Partial<PlanQuestion>, string[]]>([
    ['the target decides already', {}, { to: 'eu' }, ['ALREADY_OWNER']],
    ['recovery is silent', { heard: new Map() }, {}, ['RECOVERY_AWAY']],
    ['the control cluster is away', says({ control: 'away' }), {}, ['NO_QUORUM']],
    [
      'another one is under way',
      says({ failovers: [{ home: 'eu', to: 'ap', kind: 'PLANNED', step: 'sealing' }] }),
      {},
      ['FAILOVER_UNDER_WAY'],
    ],
    [
      'one of another home is under way, which is none',
      says({ failovers: [{ home: 'ap', to: 'us', kind: 'PLANNED', step: 'sealing' }] }),
      {},
      [],
    ],
    [
      'the target is lost',
      says({ leases: { eu: { ageMs: 1 }, us: { ageMs: 4_991 } } }),
      {},
      ['TARGET_LOST'],
    ],
    ['the target was never seen', says({ leases: { eu: { ageMs: 1 } } }), {}, ['TARGET_LOST']],
    [
      'the target is isolated',
      {
        heard: new Map([
          ['eu', heard()],
          ['us', heard({ isolated: true })],
        ]),
      },
      {},
      ['TARGET_ISOLATED'],
    ],
    [
      'the target is behind',
      says({ links: { us: { events: 900, ms: 1_001 } } }),
      {},
      ['TARGET_NOT_CAUGHT_UP'],
    ],
    [
      'the target is behind, and the owner is gone',
      says({ leases: { us: { ageMs: 1 } }, links: { us: { events: 900, ms: 1_001 } } }),
      {},
      [],
    ],
  ])('names what is in its way: %s', (_what, given, asked, expected) => {
    expect(codes(given, asked)).toEqual(expected);
  });
});
