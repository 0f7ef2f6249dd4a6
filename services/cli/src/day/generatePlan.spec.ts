import { describe, expect, test } from '@jest/globals';
import { contactTypes } from './call.ts';
import { DayFault } from './fault.ts';
import { generatePlan, hourlyArrivals, kindCounts } from './generatePlan.ts';
import { quantile } from './summary.ts';

const hourMs = 3_600_000;
const midnightAt = Date.parse('1999-08-02T00:00:00Z');
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a large generated day', () => {
  const { contacts } = generatePlan('large', { contacts: 20_000 });
  const total = hourlyArrivals.reduce((sum, count) => sum + count, 0);

  test('arrives by the hour as the bank did', () => {
    const expected = hourlyArrivals.map((count) => (count / total) * 20_000);
    const found = hourlyArrivals.map((_, index) => {
      const from = midnightAt + (7 + index) * hourMs;
      const until = from + hourMs;
      return contacts.filter((one) => one.arrivalAt >= from && one.arrivalAt < until).length;
    });
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(20_000);
    const terms = found.map((count, hour) => (count - expected[hour]!) ** 2 / expected[hour]!);
    // Chi-square with 16 degrees of freedom: the 99.9th percentile is 39.3.
    expect(terms.reduce((sum, term) => sum + term, 0)).toBeLessThan(39.3);
  });

  test('arrives within the hour as a Poisson process does: gaps vary as much as their mean', () => {
    const busy = contacts.filter((one) => one.arrivalAt >= midnightAt + 10 * hourMs);
    const hour = busy.filter((one) => one.arrivalAt < midnightAt + 11 * hourMs);
    const gaps = hour.slice(1).map((one, index) => one.arrivalAt - hour[index]!.arrivalAt);
    const average = mean(gaps);
    const deviation = Math.sqrt(mean(gaps.map((gap) => (gap - average) ** 2)));
    expect(deviation / average).toBeGreaterThan(0.9);
    expect(deviation / average).toBeLessThan(1.1);
    const minutes = contacts.map((one) => ((one.arrivalAt - midnightAt) % hourMs) / 60_000);
    expect(Math.abs(mean(minutes) - 30)).toBeLessThan(0.5);
    expect(Math.max(...minutes)).toBeGreaterThan(59.9);
  });

  test('has the bank’s types and priorities', () => {
    const all = kindCounts.reduce((sum, [, , count]) => sum + count, 0);
    for (const [type, priority, count] of kindCounts) {
      const found = contacts.filter((one) => one.type === type && one.priority === priority);
      const share = count / all;
      const error = Math.sqrt((share * (1 - share)) / 20_000);
      expect(Math.abs(found.length / 20_000 - share)).toBeLessThan(4 * error);
    }
  });

  test('has lognormal services of median 114 s and mean 185 s', () => {
    const services = contacts.map((contact) => contact.serviceSeconds);
    expect(Math.abs(quantile(services, 0.5)! - 114)).toBeLessThan(4);
    expect(Math.abs(mean(services) - 185)).toBeLessThan(8);
    const logs = services.map((seconds) => (Math.log(seconds) - Math.log(114)) / 0.984);
    expect(Math.abs(mean(logs.map((log) => log ** 2)) - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean(logs.map((log) => log ** 3)))).toBeLessThan(0.12);
  });

  test('has exponential patience, and about 8 % that leave in the IVR', () => {
    const patience = contacts.map((contact) => contact.patienceSeconds);
    expect(Math.abs(mean(patience) / 408 - 1)).toBeLessThan(0.03);
    expect(Math.abs(quantile(patience, 0.5)! / (408 * Math.LN2) - 1)).toBeLessThan(0.04);
    const leaving = contacts.filter((contact) => contact.leavesInIvr);
    expect(Math.abs(leaving.length / 20_000 - 0.082)).toBeLessThan(0.008);
    expect(Math.abs(mean(leaving.map((one) => one.ivrSeconds)) / 59 - 1)).toBeLessThan(0.11);
    const others = contacts.filter((one) => !one.leavesInIvr).map((one) => one.ivrSeconds);
    expect(Math.abs(quantile(others, 0.5)! - 6)).toBeLessThan(0.2);
  });

  test('draws its values independently of each other', () => {
    const ranks = (values: number[]): number[] => {
      const sorted = [...values].sort((one, two) => one - two);
      const rankOf = new Map(sorted.map((value, index) => [value, index / values.length - 0.5]));
      return values.map((value) => rankOf.get(value)!);
    };
    const service = ranks(contacts.map((one) => one.serviceSeconds));
    const patience = ranks(contacts.map((one) => one.patienceSeconds));
    const product = (shift: number, other: number[]): number =>
      12 * mean(service.slice(shift).map((value, index) => value * other[index]!));
    // Four standard errors of a rank correlation of 20,000 pairs.
    expect(Math.abs(product(0, patience))).toBeLessThan(0.0283);
    expect(Math.abs(product(1, service))).toBeLessThan(0.0283);
    expect(Math.abs(product(1, patience))).toBeLessThan(0.0283);
  });
});

describe.each([10, 11, 12, 13, 17, 20, 25, 31])('a generated day of %i agents', (size) => {
  const plans = ['a', 'b', 'c'].map((seed) => generatePlan(seed, { contacts: 300, agents: size }));

  test('repeats with its seed only', () => {
    expect(generatePlan('a', { contacts: 300, agents: size })).toStrictEqual(plans[0]);
    expect(plans[1]?.contacts).not.toStrictEqual(plans[0]?.contacts);
    expect(plans[1]?.agents).not.toStrictEqual(plans[0]?.agents);
  });

  test('has what it was asked for, in order, in whole milliseconds', () => {
    for (const { contacts, agents } of plans) {
      expect([contacts.length, agents.length]).toStrictEqual([300, size]);
      expect(new Set(contacts.map((one) => one.id)).size).toBe(300);
      expect(contacts.map((one) => one.id).toSorted()).toStrictEqual(contacts.map((one) => one.id));
      const wrong = contacts.filter((one, index) => {
        const least = Math.min(one.ivrSeconds, one.patienceSeconds, one.wrapUpSeconds);
        const parts = Math.round((one.talkSeconds + one.wrapUpSeconds) * 1000);
        const whole = parts === Math.round(one.serviceSeconds * 1000);
        const ordered = one.arrivalAt >= (contacts[index - 1]?.arrivalAt ?? 0);
        return !(Number.isInteger(one.arrivalAt) && least >= 0 && whole && ordered);
      });
      expect(wrong).toStrictEqual([]);
    }
  });

  test('has shifts inside its hours, and always somebody for every type', () => {
    for (const { agents } of plans) {
      const shifts = agents.flatMap((agent) => agent.shifts);
      expect(Math.min(...shifts.map((shift) => shift.signInAt))).toBe(midnightAt + 7 * hourMs);
      expect(Math.max(...shifts.map((shift) => shift.signOutAt))).toBe(midnightAt + 24 * hourMs);
      for (const skill of contactTypes) {
        const able = agents.filter((agent) => agent.skills.some((one) => one.skill === skill));
        const stretches = able.flatMap((agent) => agent.shifts);
        const nobody = Array.from({ length: 17 * 12 }, (_, index) => 7 + index / 12)
          .map((hour) => midnightAt + hour * hourMs)
          .filter((at) => !stretches.some((one) => one.signInAt <= at && at < one.signOutAt))
          .map((at) => `${skill} ${new Date(at).toISOString()}`);
        expect(nobody).toStrictEqual([]);
      }
    }
  });
});

test('a contact’s values do not change with how many agents there are', () => {
  const few = generatePlan('seed', { contacts: 50, agents: 10 });
  expect(generatePlan('seed', { contacts: 50, agents: 31 }).contacts).toStrictEqual(few.contacts);
});

test('no assumption shows more digits than a person wants to read', () => {
  const { assumptions } = generatePlan('seed', { contacts: 1, agents: 1 });
  expect(assumptions.filter((text) => /\.\d{4}/.test(text))).toStrictEqual([]);
  expect(assumptions.join('\n')).toContain('8.2 % of the contacts leave in the IVR');
});

test('one agent is enough for a plan', () => {
  const { agents } = generatePlan('seed', { contacts: 1, agents: 1 });
  expect(agents[0]?.skills.map((one) => one.skill)).toStrictEqual([...contactTypes]);
});

test.each([
  [{ contacts: 0 }, 'contacts is 0.\nGive a whole number from 1 to 1000000.'],
  [{ contacts: 1.5 }, 'contacts is 1.5.'],
  [{ agents: 10_001 }, 'agents is 10001.\nGive a whole number from 1 to 10000.'],
  [{ date: '1999-13-01' }, 'The day "1999-13-01" is not a date.'],
  [{ wrapUpShare: -1 }, 'wrapUpShare is -1.\nGive a share from 0 to 1.'],
])('%j is refused', (options, message) => {
  expect(() => generatePlan('seed', options)).toThrow(DayFault);
  expect(() => generatePlan('seed', options)).toThrow(message);
});
