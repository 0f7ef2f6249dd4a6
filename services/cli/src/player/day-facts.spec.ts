import { describe, expect, it } from '@jest/globals';
import { summarise } from '../day/index.ts';
import { buildReceipt, inconsistenciesOf, type Receipt } from '../receipt/index.ts';
import { dayFacts } from './day-facts.ts';
import { reportLines, summaryLine, type Disastrous, type PlayReport } from './report.ts';

const startedAt = 90_000;
const killedAt = 100_000;

const disaster: Disastrous = {
  region: 'eu',
  at: Date.UTC(1999, 7, 2, 12, 0, 7),
  killedAt,
  recoveredMs: 7_123.4,
  sentAgain: 3,
  missing: [{ id: 'c', stream: 'IN_eu', sequence: 9, atMs: 99_990 }],
  owners: { eu: 'us', us: 'us', ap: 'ap' },
  restartedAt: 150_000,
  returnedMs: 31_000,
  takeovers: [
    {
      home: 'us',
      epoch: 2,
      from: 'us',
      to: 'ap',
      kind: 'PLANNED',
      detectedAt: null,
      completedAt: 9_000,
      rpoMs: 0,
      firstOfferAt: 9_500,
    },
    {
      home: 'eu',
      epoch: 2,
      from: 'eu',
      to: 'us',
      kind: 'UNPLANNED',
      detectedAt: 105_200,
      completedAt: 105_900,
      rpoMs: 40,
      firstOfferAt: 107_400,
    },
  ],
  ownership: {
    eu: [
      { epoch: 1, owner: 'eu', upTo: 77 },
      { epoch: 2, owner: 'us', upTo: null },
    ],
    us: [
      { epoch: 1, owner: 'us', upTo: 5 },
      { epoch: 2, owner: 'ap', upTo: null },
    ],
    ap: [{ epoch: 1, owner: 'ap', upTo: null }],
  },
  orphansAt: new Map([
    ['EV_us:6', 8_990],
    ['EV_eu:78', 99_960],
  ]),
  lost: [],
  differing: [],
  acknowledgements: {
    places: [
      { id: 'a', stream: 'IN_us', sequence: 1, atMs: 90_100 },
      { id: 'b', stream: 'IN_us', sequence: 2, atMs: 140_000 },
    ],
    requests: 2,
    unanswered: 0,
    retried: 4,
    longestPauseMs: { eu: 7_200, us: 12 },
  },
};

const report: PlayReport = {
  run: 'r1',
  date: '1999-08-02',
  seed: '7',
  speed: 'max',
  movedByMs: 0,
  assumptions: [],
  figures: summarise({ contacts: [], agents: [] }),
  real: null,
  eventsStored: 50,
  requestsStored: 12,
  steps: { requests: 12, settlings: 30 },
  startedAt,
  endedAt: 190_000,
  wallSeconds: 50,
  offerLatency: { offers: 2, measured: 1, p50: 4, p99: 9 },
  check: {
    entries: 40,
    events: 50,
    contacts: 3,
    reservations: 2,
    violationCount: 0,
    counts: {},
    violations: [],
    orphans: [
      { home: 'us', epoch: 1, stream: 'EV_us', sequence: 6, subject: 's', outcome: 'adopted' },
      { home: 'eu', epoch: 1, stream: 'EV_eu', sequence: 78, subject: 's', outcome: 'adopted' },
    ],
  },
  disagreements: [],
  lateEvents: 0,
  failures: 0,
  regions: ['eu', 'us', 'ap'],
  disaster,
};

/** The receipt of a day, with what whoever started the regions adds. */
function receiptOf(changed: Partial<PlayReport> = {}): Receipt {
  const facts = dayFacts({ ...report, ...changed });
  if (facts === undefined) throw new Error('No region was lost.');
  const versions = { meridian: '0.1.0', natsServer: '2.15.1', node: '24.21.0' };
  const parameters = { ...facts.parameters, leaseMs: 5_000 };
  return buildReceipt({ ...facts, id: 'day-1', versions, parameters });
}

const broken = ({ verdicts }: Receipt): string[] =>
  verdicts.filter(({ kept }) => !kept).map(({ code }) => code);

describe('the receipt of a day that lost a region', () => {
  it('fits together, and has no more promises than could be measured', () => {
    const receipt = receiptOf();
    expect(inconsistenciesOf(receipt)).toEqual([]);
    expect(broken(receipt)).toEqual([]);
    expect(receipt.verdicts.map(({ code }) => code)).toEqual([
      'MIRRORED_KEPT',
      'NOTHING_LOST',
      'ONE_AGENT_ONE_CONTACT',
      'ORPHANS_ACCOUNTED',
      'INVARIANTS',
      'COPIES_ALIKE',
      'RETRIES_CURE',
      'RPO',
      'RTO',
      'PLAYED_OUT',
      'AS_SEEN',
    ]);
  });

  it('counts from the kill, and leaves out what an older log says of other days', () => {
    expect(receiptOf()).toMatchObject({
      exercise: 'kill eu at 12:00:07 of the day 1999-08-02',
      startedAt: '1970-01-01T00:01:30.000Z',
      actions: [
        { atMs: 10_000, what: 'kill eu, at 12:00:07 of the day' },
        { atMs: 17_123 },
        { atMs: 60_000, what: 'the day is over: start eu' },
        { atMs: 91_000, what: 'all regions rest' },
      ],
      publishing: {
        acknowledged: { region: 2, mirrored: 0, all: 0 },
        tookMs: 50_000,
        retried: 4,
        uncured: 0,
        longestPauseMs: { eu: 7_200, us: 12 },
      },
      missing: { count: { region: 1 }, ranges: [{ stream: 'IN_eu', from: 9, to: 9 }] },
      rpoMs: 40,
      times: { detectionMs: 5_200, takeoverMs: 5_900, firstOfferMs: 7_400, returnMs: 31_000 },
      takeovers: [{ home: 'eu', epoch: 2, detectedAtMs: 15_200, completedAtMs: 15_900 }],
      orphans: { found: 1, adopted: 1, setAside: 0 },
    });
  });

  it.each<[string, Partial<PlayReport>]>([
    [
      'NOTHING_LOST',
      { disaster: { ...disaster, lost: [{ durability: 'region', stream: 'IN_eu', sequence: 9 }] } },
    ],
    ['COPIES_ALIKE', { disaster: { ...disaster, differing: ['EV_eu in us'] } }],
    [
      'RETRIES_CURE',
      {
        disaster: {
          ...disaster,
          acknowledgements: {
            ...disaster.acknowledgements,
            unanswered: 1,
          },
        },
      },
    ],
    ['RPO', { disaster: { ...disaster, orphansAt: new Map([['EV_eu:78', 98_000]]) } }],
    [
      'RTO',
      {
        disaster: {
          ...disaster,
          takeovers: disaster.takeovers.map((one) => ({
            ...one,
            firstOfferAt: null,
          })),
        },
      },
    ],
    ['PLAYED_OUT', { figures: { ...report.figures, unfinished: 1 } }],
    ['AS_SEEN', { disagreements: ['x'] }],
    ['ONE_AGENT_ONE_CONTACT', { check: { ...report.check, counts: { capacity: 1 } } }],
    [
      'ORPHANS_ACCOUNTED',
      {
        check: {
          ...report.check,
          orphans: report.check.orphans.map((one) => ({
            ...one,
            outcome: undefined,
          })),
        },
      },
    ],
  ])('breaks %s when that is so', (code, changed) => {
    const receipt = receiptOf(changed);
    expect(broken(receipt)).toContain(code);
    expect(receipt.passed).toBe(false);
    expect(inconsistenciesOf(receipt)).toEqual([]);
  });

  it('stands in the line for machines, which is good only when the receipt is', () => {
    const kept = { receipt: receiptOf(), file: '/d/day-1.json' };
    expect(JSON.parse(summaryLine(report, kept))).toMatchObject({
      ok: true,
      failover: {
        region: 'eu',
        rpoMs: 40,
        takeoverMs: 5_900,
        missing: 1,
        lost: 0,
        orphans: { found: 1, adopted: 1, setAside: 0 },
        passed: true,
        receipt: '/d/day-1.json',
      },
    });
    const slow = receiptOf({ disaster: { ...disaster, takeovers: [] } });
    expect(JSON.parse(summaryLine(report, { ...kept, receipt: slow }))).toMatchObject({
      ok: false,
      failover: { passed: false, firstOfferMs: null },
    });
    expect(summaryLine(report)).not.toContain('failover');
    expect(reportLines(report)).toContainEqual(
      expect.stringContaining('who takes over may differ'),
    );
  });

  it('is none where no region was lost', () => {
    expect(dayFacts({ ...report, disaster: null })).toBeUndefined();
  });
});
