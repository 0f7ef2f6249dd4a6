import { describe, expect, it } from '@jest/globals';
import type { RawEntry } from '../check/index.ts';
import { summarise, type DayFigures } from '../day/index.ts';
import { disagreements, type Belief } from './audit.ts';
import { noAgents, noContacts } from './counts.ts';
import { OfferLatencies } from './offerLatency.ts';
import { progressLine, renderProgress, type Progress } from './progress.ts';
import { isGood, reportLines, summaryLine, type PlayReport } from './report.ts';
import { View } from './view.ts';

const figures: DayFigures = summarise({
  contacts: [
    {
      outcome: 'SERVED',
      queuedAt: 0,
      connectedAt: 3000,
      endedAt: 60_000,
      talkSeconds: 57,
      wrapUpSeconds: 3.5,
    },
    {
      outcome: 'ABANDONED',
      queuedAt: 0,
      connectedAt: null,
      endedAt: 9000,
      talkSeconds: 0,
      wrapUpSeconds: 0,
    },
    {
      outcome: 'LEFT_IN_IVR',
      queuedAt: null,
      connectedAt: null,
      endedAt: 9000,
      talkSeconds: 0,
      wrapUpSeconds: 0,
    },
  ],
  agents: [
    { signedIn: [{ startAt: 0, endAt: 100_000 }], busy: [{ startAt: 3000, endAt: 63_500 }] },
  ],
});

const report: PlayReport = {
  run: 'r1',
  date: '1999-08-02',
  seed: '7',
  speed: 'max',
  movedByMs: 0,
  assumptions: ['Nobody sleeps.'],
  figures,
  real: null,
  eventsStored: 50,
  requestsStored: 12,
  steps: { requests: 12, settlings: 30 },
  startedAt: 1_000,
  endedAt: 4_000,
  wallSeconds: 2,
  offerLatency: { offers: 2, measured: 1, p50: 4, p99: 9 },
  check: {
    entries: 40,
    events: 50,
    contacts: 3,
    reservations: 2,
    violationCount: 0,
    counts: {},
    violations: [],
    orphans: [],
  },
  disagreements: [],
  lateEvents: 0,
  failures: 0,
  regions: null,
  disaster: null,
};

describe('the summary', () => {
  it('is one line of JSON', () => {
    const line = summaryLine(report);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual({
      ok: true,
      contacts: 3,
      served: 1,
      abandoned: 1,
      leftInIvr: 1,
      unfinished: 0,
      serviceLevel20s: 0.5,
      asaSeconds: 3,
      ahtSeconds: 60.5,
      occupancy: 0.605,
      eventsStored: 50,
      requestsStored: 12,
      eventsPerSecond: 25,
      offerLatencyMs: { p50: 4, p99: 9 },
      invariantViolations: 0,
      disagreements: 0,
      lateEvents: 0,
      failedAttempts: 0,
      steps: 12,
      stepsPerSecond: 6,
      day: '1999-08-02',
      seed: '7',
      speed: 'max',
      run: 'r1',
      wallSeconds: 2,
      real: null,
    });
  });

  it('puts the real centre beside it', () => {
    const real = { ...figures, served: 77, averageHandleSeconds: 216.4159 };
    const both = { ...report, real };
    expect(JSON.parse(summaryLine(both))).toMatchObject({
      served: 1,
      real: { served: 77, ahtSeconds: 216.42 },
    });
    const lines = reportLines(both);
    expect(lines[2]).toMatch(/this run\s+real centre$/);
    expect(lines.find((line) => line.includes('Served'))).toMatch(/ 1\s+77$/);
    expect(lines).toContain('  - Nobody sleeps.');
  });

  it.each([
    [
      'a contact that did not end',
      { figures: { ...figures, unfinished: 1 } },
      '1 contacts did not come to an end.',
    ],
    [
      'a violation',
      {
        check: {
          violationCount: 1,
          counts: { capacity: 1 },
          violations: [
            {
              invariant: 1,
              rule: 'capacity',
              sequence: 9,
              index: 0,
              aggregate: 'x',
              expected: 'a',
              found: 'b',
            },
          ],
        },
      },
      '1 violations of the invariants: {"capacity":1}',
    ],
    [
      'a disagreement',
      { disagreements: ['The log holds 1 x, the player counted 2.'] },
      'The log holds 1 x',
    ],
  ] as const)('is not good with %s', (_, part, sentence) => {
    const bad = { ...report, ...part } as PlayReport;
    expect(isGood(bad)).toBe(false);
    expect(JSON.parse(summaryLine(bad))).toMatchObject({ ok: false });
    expect(reportLines(bad)).toContainEqual(expect.stringContaining(sentence));
    expect(isGood(report)).toBe(true);
  });

  it('says how little time an offer has to end at a high speed', () => {
    const counts = { 'offer-end': 2 };
    const check = { ...report.check, violationCount: 2, counts };
    const advice =
      'At speed 3000 the second that an offer may end late is 0.33 ms of real time: ' +
      'play slower, or with --speed max.';
    expect(reportLines({ ...report, check, speed: 3000 })).toContain(advice);
    expect(reportLines({ ...report, check })).not.toContainEqual(
      expect.stringContaining('of real time: play'),
    );
  });

  it('says that totals vary when played by the clock', () => {
    expect(reportLines({ ...report, speed: 60 })).toContainEqual(
      expect.stringContaining('totals vary'),
    );
  });
});

describe('the comparison with what the player saw', () => {
  const belief: Belief = {
    contacts: { ...noContacts(), SERVED: 1, ABANDONED: 1, LEFT_IN_IVR: 1 },
    events: 50,
    requests: 12,
    first: { EV_eu: 1 },
    last: { EV_eu: 20 },
    tenant: 'demo',
    offersToStrangers: 0,
  };
  const stored = { requestsStored: 12, eventsStored: 50 };

  it('finds nothing when both say the same', () => {
    expect(disagreements(figures, stored, 3, belief)).toEqual([]);
  });

  it('names each total that differs', () => {
    expect(
      disagreements(figures, { ...stored, eventsStored: 49 }, 4, {
        ...belief,
        offersToStrangers: 2,
      }),
    ).toEqual([
      'The log holds 3 contacts, the player counted 4.',
      'The log holds 49 events, the player counted 50.',
      '2 offers went to agents who are not of this day: others are signed in.',
    ]);
  });
});

describe('the latency of offers', () => {
  const entry = (storedAt: number, events: readonly object[]): RawEntry => ({
    stream: 'EV_eu',
    sequence: 1,
    subject: 's',
    storedAt,
    data: JSON.stringify(events),
  });
  const offer = (causationid: string, contactId = 'c1') => ({
    type: 'meridian.reservation.created.v1',
    id: 'x',
    causationid,
    data: { contactId },
  });

  it('is from the storing of the cause, request or event, to that of the offer', () => {
    const latencies = new OfferLatencies((contactId) => contactId === 'c1');
    latencies.readRequest({
      ...entry(1000, []),
      data: JSON.stringify({ source: 'player/r', id: 'a/sign_in/1' }),
    });
    latencies.readDecision(
      entry(1010, [{ type: 'meridian.contact.queued.v1', id: 'demo.contact.c1.4', data: {} }]),
    );
    latencies.readDecision(entry(1013, [offer('demo.contact.c1.4')]));
    latencies.readDecision(entry(1020, [offer('player/r#a/sign_in/1')]));
    latencies.readDecision(entry(1030, [offer('demo.routing.eu.timer')]));
    latencies.readDecision(entry(1900, [offer('demo.contact.c1.4', 'somebody-else')]));
    expect(latencies.finish()).toEqual({ offers: 3, measured: 2, p50: 3, p99: 20 });
  });
});

describe('the view', () => {
  const progress: Progress = {
    logAt: Date.UTC(1999, 7, 2, 9, 5, 7),
    contacts: {
      ...noContacts(),
      PLANNED: 5,
      IVR: 1,
      QUEUED: 2,
      OFFERED: 1,
      TALKING: 3,
      WRAP_UP: 1,
      SERVED: 6,
      ABANDONED: 1,
    },
    agents: { ...noAgents(), IDLE: 1, TALKING: 3, OFFLINE: 4 },
    planned: 20,
    answeredInTime: 8,
    events: 99,
    steps: 44,
    eventsPerSecond: 250.4,
    stepsPerSecond: 99.6,
    lagMs: null,
    pace: 5000,
    failures: 0,
  };

  it('draws a few lines', () => {
    expect(renderProgress(progress)).toEqual([
      '09:05:07  [##############..........................] 7 of 20 contacts',
      'contacts  IVR 1  queue 2  ringing 1  talking 3  wrap-up 1  |  served 6  abandoned 1  left in IVR 0',
      'agents    idle 1  ringing 0  talking 3  wrap-up 0  not responding 0  off 4',
      'service level 72.7 %  |  5000 x real time, 100 steps/s, 250 events/s, lockstep',
    ]);
  });

  it('says everything on one line where nothing can be drawn', () => {
    expect(progressLine({ ...progress, lagMs: 12.3, failures: 2 })).toBe(
      '09:05:07 ended 7/20, waiting 3, agents busy 3/4, service level 72.7 %, ' +
        '5000 x real time, 100 steps/s, 250 events/s, lag 12 ms, 2 failed attempts',
    );
  });

  it('draws over what it drew on a terminal, five times a second at most', () => {
    let now = 0;
    const written: string[] = [];
    const view = new View({ isTTY: true, write: (text) => written.push(text) }, () => now);
    view.show(progress);
    now = 199;
    expect(view.isDue(progress.logAt)).toBe(false);
    now = 200;
    expect(view.isDue(progress.logAt)).toBe(true);
    view.show(progress);
    expect(written[0]).not.toContain('\u001B[4A');
    expect(written[1]).toContain('\u001B[4A');
    view.say('A line.');
    view.say('Another.');
    view.show(progress);
    expect(written.slice(2, 4)).toEqual(['\u001B[4A\u001B[JA line.\n', 'Another.\n']);
    expect(written[4]).not.toContain('\u001B[4A');
  });

  it('writes a line an hour of log time, or every ten seconds, elsewhere', () => {
    let now = 0;
    const written: string[] = [];
    const view = new View({ write: (text) => written.push(text) }, () => now);
    expect(view.isDue(progress.logAt)).toBe(true);
    view.show(progress);
    expect(view.isDue(progress.logAt + 60_000)).toBe(false);
    expect(view.isDue(progress.logAt + 3_600_000)).toBe(true);
    now = 10_000;
    expect(view.isDue(progress.logAt + 60_000)).toBe(true);
    expect(written).toEqual([`${progressLine(progress)}\n`]);
  });
});
