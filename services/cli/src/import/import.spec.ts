import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { acceptIntake } from '@meridian/wire';
import { groupsOf } from '../commands/import.ts';
import { readHistory, type Format } from './formats.ts';
import { momentOf } from './history.ts';
import { planImport, safeId, type ImportPlan } from './plan.ts';

const samples = join(import.meta.dirname, '../../test/import-samples');
const options = { fingerprint: 'f', serviceLevelMs: 20_000 };

function planOf(format: Format, text: string): ImportPlan {
  return planImport(readHistory(format, text, 'sample'), { ...options, format });
}

const sample = (format: Format, file: string): ImportPlan =>
  planOf(format, readFileSync(join(samples, file), 'utf8'));

/** Requests as short lines: time of day, what, whom, and what the test asks for of the data. */
const lines = ({ requests }: ImportPlan, ...names: readonly string[]): string[] =>
  requests.map(({ request }) => {
    const data = request.data as Readonly<Record<string, unknown>>;
    const shown = names.flatMap((name) => (name in data ? [JSON.stringify(data[name])] : []));
    const what = request.type.replace(/^meridian\.|\.v1$/g, '');
    return [request.time?.slice(11, 19), what, request.subject, ...shown].join(' ');
  });

const counts = (tally: ImportPlan['notMapped']): Record<string, number> =>
  Object.fromEntries([...tally].map(([name, { count }]) => [name, count]));

describe('an import', () => {
  it('of Asterisk maps calls, members and pauses, and names what it leaves', () => {
    const plan = sample('asterisk', 'asterisk.queue_log');
    expect(plan).toMatchObject({ records: 25, contacts: 5, agents: 3, queues: 2 });
    const [first, second] = ['1772438410-7-f22e8b', '1772438430-9-5b0e25'];
    const shown = lines(plan, 'by', 'presence', 'agentId');
    expect(
      shown.filter((line) => line.includes('177243841') || line.includes('177243843')),
    ).toEqual([
      `08:00:10 contact.initiate ${first}`,
      `08:00:10 contact.enter_queue ${first}`,
      `08:00:20 reservation.accept ${first}-r1 "SIP-1001-d10763"`,
      `08:01:20 contact.hang_up ${first} "CUSTOMER"`,
      `08:01:20 contact.complete_wrap_up ${first}`,
      `08:01:20 contact.initiate ${second}`,
      `08:01:20 contact.enter_queue ${second}`,
      `08:01:20 reservation.accept ${second}-r1 "SIP-1001-d10763"`,
      `08:02:00 contact.hang_up ${second} "AGENT"`,
      `08:02:00 contact.complete_wrap_up ${second}`,
    ]);
    expect(shown.filter((line) => line.includes('SIP-1002'))).toEqual([
      '08:00:05 agent.sign_in SIP-1002-e07e80 "AVAILABLE"',
      '08:01:30 agent.set_presence SIP-1002-e07e80 "AWAY"',
      '08:04:20 agent.set_presence SIP-1002-e07e80 "AVAILABLE"',
      '08:04:41 agent.sign_out SIP-1002-e07e80',
    ]);
    expect(counts(plan.notMapped)).toEqual({
      QUEUESTART: 1,
      DID: 1,
      RINGNOANSWER: 1,
      'the destination of BLINDTRANSFER': 1,
      'COMPLETECALLER of a call whose ENTERQUEUE is not in the file': 1,
      'a line that is no entry of queue_log': 1,
    });
    expect(plan.notMapped.get('RINGNOANSWER')?.first).toBe('line 7');
  });

  it('of Amazon Connect puts events in order, whatever order they came in', () => {
    const plan = sample('connect', 'connect.ndjson');
    expect(lines(plan, 'by', 'presence', 'agentId', 'method')).toEqual([
      '08:55:00 queue.configure bbbb-sales',
      '08:55:00 agent.sign_in cccc-ada "AVAILABLE"',
      '08:55:10 agent.set_presence cccc-ada "AWAY"',
      '08:59:00 agent.set_presence cccc-ada "AVAILABLE"',
      '09:00:00 contact.initiate 11111111-1111-1111-1111-111111111111 "INBOUND"',
      '09:00:05 contact.enter_queue 11111111-1111-1111-1111-111111111111',
      '09:00:12 reservation.accept 11111111-1111-1111-1111-111111111111-r1 "cccc-ada"',
      '09:01:10 contact.hang_up 11111111-1111-1111-1111-111111111111 "CUSTOMER"',
      '09:01:25 contact.complete_wrap_up 11111111-1111-1111-1111-111111111111',
      '09:03:00 agent.sign_out cccc-ada',
    ]);
    expect(counts(plan.notMapped)).toEqual({ CONNECTED_TO_SYSTEM: 1, HEART_BEAT: 1 });
  });

  it('of Twilio takes callbacks and event streams', () => {
    const plan = sample('twilio', 'twilio.ndjson');
    const agent = safeId('ada@example.org');
    expect(lines(plan, 'channel', 'queueId', 'priority', 'by', 'disposition')).toEqual([
      '09:00:00 queue.configure Sales-EMEA-' + safeId('Sales EMEA').slice(-6),
      '09:00:00 queue.configure Support',
      `09:00:00 agent.sign_in ${agent}`,
      '09:00:10 contact.initiate WT1 "VOICE"',
      `09:00:11 contact.enter_queue WT1 ${JSON.stringify(safeId('Sales EMEA'))} 5`,
      '09:00:15 reservation.accept WT1-r1',
      '09:01:15 contact.hang_up WT1 "SYSTEM"',
      '09:01:30 contact.complete_wrap_up WT1 "sold"',
      '09:02:00 contact.initiate WT2 "CHAT"',
      '09:02:01 contact.enter_queue WT2 "Support" 0',
      '09:02:40 contact.hang_up WT2 "CUSTOMER"',
      `09:03:20 agent.set_presence ${agent}`,
      `09:05:00 agent.sign_out ${agent}`,
    ]);
    expect(counts(plan.notMapped)).toEqual({
      'workflow.entered': 1,
      'reservation.created': 1,
      'a record that is no TaskRouter event': 1,
    });
  });

  it('of Genesys Cloud files a contact with its wrap-up code', () => {
    const plan = sample('genesys', 'genesys.ndjson');
    const [one, two] = [1, 2].map((n) => `c0ffee0${n}-0000-0000-0000-00000000000${n}`);
    expect(lines(plan, 'channel', 'by', 'disposition')).toEqual([
      '09:10:00 queue.configure queue-0001',
      '09:10:00 agent.sign_in user-ada',
      `09:10:00 contact.initiate ${one} "VOICE"`,
      `09:10:05 contact.enter_queue ${one}`,
      `09:10:12 reservation.accept ${one}-r1`,
      `09:11:12 contact.hang_up ${one} "AGENT"`,
      `09:11:21 contact.complete_wrap_up ${one} "code-resolved"`,
      `09:11:40 contact.initiate ${two} "CHAT"`,
      `09:11:41 contact.enter_queue ${two}`,
      `09:12:10 contact.hang_up ${two} "CUSTOMER"`,
      '09:12:10 agent.sign_out user-ada',
    ]);
    expect(counts(plan.notMapped)).toEqual({
      'a record that is no detail event of a conversation': 1,
      'flow.start': 1,
      'user.start': 1,
    });
    expect(plan.notMapped.get('flow.start')?.first).toBe('event 2');
  });

  it('makes requests that the edge takes, the same ones whenever it is made', () => {
    const files: [Format, string][] = [
      ['asterisk', 'asterisk.queue_log'],
      ['connect', 'connect.ndjson'],
      ['twilio', 'twilio.ndjson'],
      ['genesys', 'genesys.ndjson'],
    ];
    for (const [format, file] of files) {
      const plan = sample(format, file);
      for (const { request } of plan.requests) {
        const accepted = acceptIntake(request, { tenant: 'demo', now: '2026-01-01T00:00:00Z' });
        expect(accepted).toMatchObject({ ok: true });
      }
      expect(sample(format, file)).toEqual(plan);
      const ids = plan.requests.map(({ request }) => request.id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('sends a contact to whom it went: by a skill that only this agent has', () => {
    const { requests } = sample('connect', 'connect.ndjson');
    const dataOf = (what: string): unknown =>
      requests.find(({ request }) => request.type.includes(what))?.request.data;
    expect(dataOf('enter_queue')).toMatchObject({
      requirements: [{ skill: 'agent-cccc-ada', minimumLevel: 1 }],
    });
    expect(dataOf('sign_in')).toMatchObject({ skills: [{ skill: 'agent-cccc-ada', level: 1 }] });
  });

  it('gives an agent room for as many contacts as were theirs at once', () => {
    const call = (id: string, from: number, to: number): string[] => [
      `${from}|${id}|q|NONE|ENTERQUEUE||1|1`,
      `${from + 1}|${id}|q|ada|CONNECT|1|x|1`,
      `${to}|${id}|q|ada|COMPLETEAGENT|1|1|1`,
    ];
    const both = [
      ...call('a', 1_772_000_000, 1_772_000_100),
      ...call('b', 1_772_000_050, 1_772_000_150),
    ];
    const plan = planOf('asterisk', both.join('\n'));
    const signIn = plan.requests.find(({ request }) => request.type.includes('sign_in'))?.request;
    expect(signIn?.data).toMatchObject({ capacities: [{ channel: 'VOICE', limit: 2 }] });
  });

  it('is moved to where it is to begin, and is still the same requests', () => {
    const text = readFileSync(join(samples, 'connect.ndjson'), 'utf8');
    const history = readHistory('connect', text, 'sample');
    const as = { ...options, format: 'connect' } as const;
    const [was, moved] = [
      planImport(history, as),
      planImport(history, { ...as, beginMs: Date.UTC(2027, 0, 4) }),
    ];
    const without = ({ requests }: ImportPlan) =>
      requests.map(({ request: { time: _, ...rest } }) => rest);
    expect(without(moved)).toEqual(without(was));
    expect(moved.requests[0]?.request.time).toBe('2027-01-04T00:00:00.000Z');
    expect(moved.requests.at(-1)?.request.time).toBe('2027-01-04T00:08:00.000Z');
  });

  it('of Asterisk leaves times beyond all dates, and events that no table of ours has', () => {
    const plan = planOf(
      'asterisk',
      [
        '1772438410|c1|sales|NONE|ENTERQUEUE||100',
        '1772438411|c1|sales|NONE|constructor|',
        '1e300|c1|sales|NONE|ABANDON|1',
        '9e15|c1|sales|NONE|ABANDON|1',
      ].join('\n'),
    );
    expect(lines(plan)).toHaveLength(3);
    expect(counts(plan.notMapped)).toMatchObject({
      constructor: 1,
      'a line that is no entry of queue_log': 2,
    });
  });

  it('leaves what cannot follow, and says so', () => {
    const plan = planOf(
      'asterisk',
      [
        '1772000000|a|q|NONE|ENTERQUEUE||1|1',
        '1772000001|a|q|ada|CONNECT|1|x|1',
        '1772000002|a|q|bob|CONNECT|1|x|1',
        '1772000003|a|q|ada|COMPLETEAGENT|1|1|1',
        '1772000004|a|q|ada|COMPLETEAGENT|1|1|1',
        '1772000005|NONE|q|cy|REMOVEMEMBER|',
        '1772000006|open|q|NONE|ENTERQUEUE||1|1',
      ].join('\n'),
    );
    expect(counts(plan.notMapped)).toEqual({
      'a further answer to a contact': 1,
      'a further end of a contact': 1,
      'REMOVEMEMBER of a member from before the file': 1,
      'the end of a contact that is still open': 1,
    });
    expect(() => readHistory('twilio', 'no json', 'x.ndjson')).toThrow('x.ndjson, line 1');
  });
});

describe('what is published together', () => {
  it('is of one time and of nobody twice', () => {
    const { requests } = sample('asterisk', 'asterisk.queue_log');
    const groups = [...groupsOf(requests)];
    expect(groups.flat()).toEqual(requests);
    for (const group of groups) {
      expect(new Set(group.map(({ atMs }) => atMs)).size).toBe(1);
      const about = group.flatMap((one) => one.about);
      expect(new Set(about).size).toBe(about.length);
    }
    expect(groups.length).toBeLessThan(requests.length);
  });
});

describe('times', () => {
  it('are RFC 3339, epoch seconds or milliseconds', () => {
    expect(momentOf('1772438410')).toBe(1_772_438_410_000);
    expect(momentOf('1772438410.5')).toBe(1_772_438_410_500);
    expect(momentOf(1_772_438_410_500)).toBe(1_772_438_410_500);
    expect(momentOf('2026-03-02T08:00:10Z')).toBe(1_772_438_410_000);
    expect(momentOf('')).toBeUndefined();
    expect(momentOf('soon')).toBeUndefined();
  });
});
