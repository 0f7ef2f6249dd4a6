import { describe, expect, test } from '@jest/globals';
import { callColumns, contactTypes, parseRow, type Call } from './call.ts';
import type { CallLog } from './callLog.ts';
import { DayFault } from './fault.ts';
import { fitSurvival } from './kaplanMeier.ts';
import { splitService } from './plan.ts';
import { patienceObservations, planFromLog } from './planFromLog.ts';

const rows = [
  '1999-08-02T07:00:00,AA0101,PS,2,147,5,5,30,AGENT,36,114,A05',
  '1999-08-02T07:00:10,AA0102,NW,0,,9,,0,AGENT,8,60,A06',
  '1999-08-02T07:01:00,AA0103,PS,1,12,6,6,90,HANG,,280,',
  '1999-08-02T07:02:00,AA0104,PS,0,,17,,0,HANG,,0,',
  '1999-08-02T07:03:00,AA0105,PS,0,,4,4,10,AGENT,15,301,A06',
  '1999-08-02T07:04:00,AA0106,IN,0,,3,3,400,HANG,,0,',
  '1999-08-02T07:05:00,AA0107,TT,1,,0,,0,AGENT,0,77,',
];

function logOf(texts: readonly string[]): CallLog {
  const calls = texts.map((text, index) => parseRow(text, index + 2).call as Call);
  const counts = { rows: calls.length, phantoms: 0, clampedRows: 0, inferredStarts: 0 };
  return { date: '1999-08-02', calls, ...counts };
}

const log = logOf(rows);
const plan = planFromLog(log, 'seed');
const at = (time: string): number => Date.parse(`1999-08-02T${time}Z`);

describe('the plan of a log', () => {
  test('keeps what the log shows', () => {
    expect(plan.contacts[2]).toMatchObject({
      id: 'contact-00003',
      arrivalAt: at('07:01:00'),
      type: 'PS',
      priority: 1,
      ivrSeconds: 6,
      leavesInIvr: false,
      patienceSeconds: 90,
      customer: '12',
    });
    expect(plan.contacts[0]).toMatchObject({
      serviceSeconds: 114,
      talkSeconds: 102.6,
      wrapUpSeconds: 11.4,
    });
    expect(plan.contacts[3]).toMatchObject({ leavesInIvr: true, ivrSeconds: 17 });
    expect(Object.keys(plan.contacts[1]!)).not.toContain('customer');
    expect(plan.agents.map((agent) => agent.id)).toStrictEqual(['A05', 'A06']);
    expect(plan.queues.map((queue) => queue.id)).toStrictEqual([...contactTypes]);
  });

  test('has somebody for every type that calls', () => {
    const skills = new Set(plan.agents.flatMap((agent) => agent.skills.map((one) => one.skill)));
    expect(plan.contacts.every((contact) => skills.has(contact.type))).toBe(true);
  });

  test('takes patience as exact for who hung up and as longer than the wait for the served', () => {
    expect(patienceObservations(log.calls)).toStrictEqual([
      { seconds: 30, gaveUp: false },
      { seconds: 0, gaveUp: false },
      { seconds: 90, gaveUp: true },
      { seconds: 10, gaveUp: false },
      { seconds: 400, gaveUp: true },
      { seconds: 0, gaveUp: false },
    ]);
    for (const [index, call] of log.calls.entries()) {
      const patience = plan.contacts[index]!.patienceSeconds;
      if (call.outcome === 'ABANDONED') expect(patience).toBe(call.waitSeconds);
      else expect([90, 400]).toContain(patience);
    }
  });

  test('draws the service of who was not served from the served of the type', () => {
    const seeds = Array.from({ length: 40 }, (_, index) => planFromLog(log, `seed-${index}`));
    const drawn = seeds.map((one) => one.contacts[2]!.serviceSeconds);
    expect(new Set(drawn)).toStrictEqual(new Set([114, 301]));
    // Nobody served IN that day: any served call will do.
    const other = new Set(seeds.map((one) => one.contacts[5]!.serviceSeconds));
    expect([...other].every((seconds) => [60, 77, 114, 301].includes(seconds))).toBe(true);
    expect(other.size).toBeGreaterThan(2);
  });

  test('is the same for the same seed, and draws differently for another', () => {
    expect(planFromLog(log, 'seed')).toStrictEqual(plan);
    const many = logOf(Array.from({ length: 50 }, (_, index) => rows[index % 7]!));
    const patience = (seed: string): number[] =>
      planFromLog(many, seed).contacts.map((contact) => contact.patienceSeconds);
    expect(patience('one')).not.toStrictEqual(patience('two'));
  });

  test('does not depend on the order of the rows', () => {
    const turned = { ...log, calls: [...log.calls].reverse() };
    expect(planFromLog(turned, 'seed')).toStrictEqual(plan);
  });

  test('of several days, or with options out of range, is refused', () => {
    expect(() => planFromLog({ ...log, date: null }, 'seed')).toThrow(DayFault);
    expect(() => planFromLog(log, 'seed', { wrapUpShare: 1.5 })).toThrow(DayFault);
    expect(() => planFromLog(log, 'seed', { ring: { rejectRate: 2 } })).toThrow(DayFault);
  });

  test('says what it assumes, with the values in use', () => {
    const other = planFromLog(log, 'seed', {
      gapMinutes: 45,
      wrapUpShare: 0.25,
      ring: { missedOfferRate: 0.125 },
    });
    const text = other.assumptions.join('\n');
    expect(text).toContain('treated as UTC');
    expect(text).toContain('at most 45 minutes apart');
    expect(text).toContain('Wrap-up is 25 % of each service');
    expect(text).toContain('lets 12.5 % of the offers time out');
    expect(text).toContain('No named agent served IN, TT: everybody can, at level 1.');
    expect(text).toContain('1 services name no agent');
    expect(other.assumptions.every((sentence) => sentence.endsWith('.'))).toBe(true);
  });
});

test('patience drawn for who was served follows the estimate given the wait', () => {
  const served = Array.from({ length: 3000 }, () => rows[0]!);
  const hangUps = [10, 40, 60, 100, 200].flatMap((wait) =>
    Array.from({ length: 300 }, () => rows[2]!.replace(',90,', `,${wait},`)),
  );
  const many = logOf([...served, ...hangUps]);
  const curve = fitSurvival(patienceObservations(many.calls));
  const drawn = planFromLog(many, 'seed')
    .contacts.filter((contact) => contact.priority === 2)
    .map((contact) => contact.patienceSeconds);
  expect(drawn.length).toBe(3000);
  for (const seconds of [30, 40, 60, 100]) {
    const longer = drawn.filter((patience) => patience > seconds).length / 3000;
    const expected = curve.survival(seconds) / curve.survival(30);
    // Four standard errors of a share in 3,000 draws are below 0.037.
    expect(Math.abs(longer - expected)).toBeLessThan(0.037);
  }
});

test('a service is split into talk and wrap-up that add up to it', () => {
  for (let serviceMs = 0; serviceMs < 5000; serviceMs += 37) {
    const split = splitService(serviceMs / 1000, 0.1);
    const talkMs = Math.round(split.talkSeconds * 1000);
    expect(talkMs + Math.round(split.wrapUpSeconds * 1000)).toBe(serviceMs);
    expect(split.wrapUpSeconds).toBeCloseTo(serviceMs / 10_000, 2);
  }
});

test('the columns of the rows above are those of the log', () => {
  expect(rows.every((row) => row.split(',').length === callColumns.length)).toBe(true);
});
