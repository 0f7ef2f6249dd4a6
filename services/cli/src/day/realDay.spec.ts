import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseRow, type Call } from './call.ts';
import { readCallLog } from './callLog.ts';
import { planFromLog } from './planFromLog.ts';
import { realFigures } from './realDay.ts';

const dateOf = (call: Call): string => new Date(call.arrivalAt).toISOString().slice(0, 10);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
const root = join(import.meta.dirname, '../../../..');
const path = join(root, '../shared/data/calls/bank_il_calls_aug1999.csv.gz');
const present = existsSync(path);
if (!present) process.stdout.write(`Skipped: the bank's call log is not there (${path}).\n`);

test('a small real day in figures', () => {
  const rows = [
    '1999-08-02T07:00:00,AA0101,PS,2,147,5,5,30,AGENT,36,100,A05',
    '1999-08-02T07:00:10,AA0102,PS,0,,9,,0,AGENT,8,60,A05',
    '1999-08-02T07:01:00,AA0103,PS,1,12,6,6,90,HANG,,280,',
    '1999-08-02T07:02:00,AA0104,PS,0,,17,,0,HANG,,0,',
    '1999-08-02T07:10:00,AA0105,PS,0,,0,0,0,AGENT,0,20,',
  ];
  const calls = rows.map((row, index) => parseRow(row, index + 2).call as Call);
  // A05 served from 7:00:18 to 7:01:18 and from 7:00:36 to 7:02:16: 118 s signed in, all busy.
  expect(realFigures(calls)).toStrictEqual({
    contacts: 5,
    served: 3,
    abandoned: 1,
    leftInIvr: 1,
    unfinished: 0,
    queued: 3,
    abandonedShare: 1 / 4,
    serviceLevelOfServed: 2 / 3,
    serviceLevelOfOffered: 2 / 4,
    averageSpeedOfAnswerSeconds: 10,
    waitP50Seconds: 0,
    waitP99Seconds: 30,
    averageAbandonSeconds: 90,
    averageHandleSeconds: 60,
    handleP50Seconds: 60,
    agents: 1,
    signedInHours: 118 / 3600,
    occupancy: 1,
  });
});

(present ? describe : describe.skip)('the bank, 1-21 August 1999', () => {
  test('has the known facts', async () => {
    const log = await readCallLog(path);
    const figures = realFigures(log.calls);
    expect([log.rows, log.phantoms]).toStrictEqual([30_138, 239]);
    expect([log.clampedRows, log.inferredStarts]).toStrictEqual([15, 37]);
    expect(figures).toMatchObject({
      contacts: 29_899,
      served: 21_035,
      abandoned: 6409,
      leftInIvr: 2455,
      unfinished: 0,
      handleP50Seconds: 114,
    });
    // The published 21,207 queued, 30.2 % of them abandoning, count the phantoms, which all queue.
    expect(figures.queued + log.phantoms).toBe(21_207);
    expect((figures.abandoned / 21_207).toFixed(3)).toBe('0.302');
    expect(figures.averageHandleSeconds?.toFixed(1)).toBe('185.5');
    expect(figures.serviceLevelOfServed?.toFixed(3)).toBe('0.399');
  });

  test('becomes a plan that keeps the whole of the agents’ time', async () => {
    const log = await readCallLog(path, '1999-08-02');
    const plan = planFromLog(log, 'seed');
    const figures = realFigures(log.calls);
    expect([figures.contacts, figures.served, figures.agents]).toStrictEqual([2348, 1577, 19]);
    expect([figures.abandoned, figures.leftInIvr]).toStrictEqual([640, 131]);
    expect(plan.contacts.length).toBe(2348);
    const pairs = log.calls
      .map((call, index) => ({ call, contact: plan.contacts[index]! }))
      .filter(({ call }) => call.outcome === 'SERVED');
    const planned = pairs.map(({ contact }) => contact.talkSeconds + contact.wrapUpSeconds);
    expect(sum(planned)).toBeCloseTo(sum(pairs.map(({ call }) => call.serviceSeconds)), 6);
    const tooShort = pairs.filter(
      ({ call, contact }) => contact.patienceSeconds <= call.waitSeconds,
    );
    expect(tooShort).toStrictEqual([]);
  });

  test('has every day planned with somebody for every type', async () => {
    const whole = await readCallLog(path);
    const days = Map.groupBy(whole.calls, dateOf);
    expect(days.size).toBe(21);
    for (const [date, day] of days) {
      const plan = planFromLog({ ...whole, date, calls: day }, 'seed');
      const skills = new Set(plan.agents.flatMap((agent) => agent.skills.map((one) => one.skill)));
      expect(plan.contacts.filter((contact) => !skills.has(contact.type))).toStrictEqual([]);
      const occupancy = realFigures(day).occupancy ?? 0;
      expect(occupancy).toBeGreaterThan(0.2);
      expect(occupancy).toBeLessThanOrEqual(1);
    }
  });
});
