import { describe, expect, it } from '@jest/globals';
import { dayLog } from '../../test/day-log.ts';
import { contact, routing } from '../../test/drafts.ts';
import { at, LogBuilder, startMs } from '../../test/log-builder.ts';
import type { RawEntry, Source } from '../check/index.ts';
import type { AgentAct, RecordedDay } from './day.ts';
import { readDay } from './read-day.ts';
import { DayTally } from './tally.ts';

const sourcesOf = (entries: readonly RawEntry[]): Source[] => [
  {
    stream: 'EV_eu',
    grows: false,
    async *read() {
      yield entries.map((entry) => JSON.stringify(entry));
    },
  },
];
const read = (
  entries: readonly RawEntry[],
  choice: Parameters<typeof readDay>[1] = {},
): Promise<RecordedDay> => readDay(sourcesOf(entries), choice);
const after = (seconds: number): number => startMs + seconds * 1000;

/** One call that is declined, rings out, and is answered; one that gives up; and the agents' day. */
function smallDay(): LogBuilder {
  const log = new LogBuilder();
  const spent = { QUEUED: 10 };
  log.add('routing.eu', 0, [routing.queue('q1', { serviceLevelMs: 30_000 })]);
  log.add('routing.eu', 1, [routing.signedIn('a1', 1, 'AVAILABLE', [{ skill: 'x', level: 3 }])]);
  log.add('contact.c1', 10, contact.initiated('c1'));
  log.add('contact.c1', 12, contact.queued('c1', 2, [{ skill: 'x', minimumLevel: 2 }]));
  log.add('routing.eu', 12, [
    routing.decided('c1', 'OFFERED', 'CONTACT_QUEUED', 12, { agentId: 'a1' }),
    routing.created('c1-r1', 'c1', 'a1', 32),
  ]);
  log.add('contact.c1', 12, contact.offered('c1', 'c1-r1', 'a1', 32));
  log.add('routing.eu', 32, [
    routing.changed('timed_out', 'c1-r1', 'c1', 'a1'),
    routing.notResponding('a1', 'c1-r1'),
  ]);
  log.add('contact.c2', 33, contact.initiated('c2'));
  log.add('contact.c2', 34, contact.queued('c2'));
  log.add('routing.eu', 37, [
    routing.presence('a1', 'NOT_RESPONDING', 'AVAILABLE'),
    routing.decided('c1', 'OFFERED', 'AGENT_FREED', 12, { agentId: 'a1' }),
    routing.created('c1-r2', 'c1', 'a1', 57),
  ]);
  log.add('routing.eu', 40, [routing.changed('accepted', 'c1-r2', 'c1', 'a1')]);
  log.add('contact.c1', 40, contact.connected('c1', 'c1-r2', 'a1', 28));
  log.add('contact.c2', 44, contact.gaveUp('c2', 10, spent));
  log.add('contact.c1', 100, contact.hungUp('c1', 'a1', 400));
  log.add('contact.c1', 107, contact.completed('c1', spent));
  log.add('routing.eu', 107, [routing.changed('completed', 'c1-r2', 'c1', 'a1')]);
  log.add('routing.eu', 110, [routing.presence('a1', 'AVAILABLE', 'AWAY')]);
  log.add('routing.eu', 120, [routing.signedOut('a1')]);
  return log;
}

describe('a day read from its log', () => {
  it('has of a contact what it asked for, how long it took, and what each agent did', async () => {
    const day = await read(smallDay().entries);
    expect(day.contacts).toEqual([
      {
        id: 'c1',
        home: 'eu',
        channel: 'VOICE',
        queueId: 'q1',
        priority: 2,
        requirements: [{ skill: 'x', minimumLevel: 2 }],
        queuedAtMs: after(12),
        outcome: 'ANSWERED',
        waitedMs: 28_000,
        agentId: 'a1',
        handling: { talkMs: 60_000, wrapUpMs: 7_000, by: 'CUSTOMER' },
        offers: [
          { agentId: 'a1', reaction: { kind: 'MISSES', backAfterMs: 5_000 } },
          { agentId: 'a1', reaction: { kind: 'ACCEPTS', afterMs: 3_000 } },
        ],
      },
      {
        id: 'c2',
        home: 'eu',
        channel: 'VOICE',
        queueId: 'q1',
        priority: 0,
        requirements: [],
        queuedAtMs: after(34),
        outcome: 'ABANDONED',
        waitedMs: 10_000,
        offers: [],
      },
    ]);
  });

  it('has of agents what they did themselves, and not what became of an offer', async () => {
    const [agent] = (await read(smallDay().entries)).agents;
    expect(agent?.id).toBe('a1');
    expect(agent?.acts.map(({ kind, atMs }: AgentAct) => [kind, atMs])).toEqual([
      ['SIGN_IN', after(1)],
      ['PRESENCE', after(110)],
      ['SIGN_OUT', after(120)],
    ]);
    expect(agent?.acts[0]).toMatchObject({
      skills: [{ skill: 'x', level: 3 }],
      capacities: [{ channel: 'VOICE', limit: 1 }],
    });
  });

  it('takes who asked to leave as leaving then, not when the last contact was over', async () => {
    const log = smallDay();
    log.add('routing.eu', 130, [routing.signedIn('a1')]);
    log.add('routing.eu', 140, [
      { type: 'meridian.agent.sign_out_requested.v1', subject: 'a1', data: {} },
    ]);
    log.add('routing.eu', 150, [routing.signedOut('a1')]);
    const [agent] = (await read(log.entries)).agents;
    expect(agent?.acts.slice(-2).map(({ kind, atMs }) => [kind, atMs])).toEqual([
      ['SIGN_IN', after(130)],
      ['SIGN_OUT', after(140)],
    ]);
  });

  it('leaves to the later session whom a sign-in in another home ended', async () => {
    const log = smallDay();
    log.add('routing.eu', 130, [routing.signedIn('a1')]);
    log.add('routing.eu', 140, [
      {
        type: 'meridian.agent.signed_out.v1',
        subject: 'a1',
        data: { sessionId: 'a1-s1', elsewhere: 'us' },
      },
    ]);
    const [agent] = (await read(log.entries)).agents;
    expect(agent?.acts.at(-1)).toMatchObject({ kind: 'SIGN_IN', atMs: after(130) });
  });

  it('acts out who was there around the time chosen, and counts only who joined in it', async () => {
    const log = smallDay();
    log.add('contact.c3', 200, contact.initiated('c3'));
    log.add('contact.c3', 201, contact.queued('c3'));
    const day = await read(log.entries, { fromMs: after(30), toMs: after(100) });
    // c1 was there when c2 came; c3 came when nobody was.
    expect(day.contacts.map(({ id }) => id)).toEqual(['c1', 'c2']);
    const all = await read(log.entries);
    expect(all.contacts.at(-1)).toMatchObject({ id: 'c3', outcome: 'OPEN', waitedMs: 0 });
    await expect(read(log.entries, { fromMs: after(300) })).rejects.toThrow(
      /No contact of tenant demo joined a queue from 2026-03-02T08:05:00.000Z/,
    );
  });

  it('asks for a tenant where there are several', async () => {
    const log = smallDay();
    log.add('contact.c9', 200, contact.initiated('c9'), { tenant: 'other' });
    log.add('contact.c9', 201, contact.queued('c9'), { tenant: 'other' });
    await expect(read(log.entries)).rejects.toThrow('several tenants: demo, other.\nChoose one');
    expect((await read(log.entries, { tenant: 'other' })).contacts).toHaveLength(1);
  });
});

it('what is tallied of a log is what its contacts say', async () => {
  const tally = new DayTally();
  const day = await readDay(sourcesOf(dayLog('tally', 60)), {}, (event, home) =>
    tally.see(event, home),
  );
  const { all, queues, occupancy } = tally.figures({
    ...day,
    serviceLevelMs: new Map([['q1', 15_000]]),
  });
  const answered = day.contacts.filter(({ outcome }) => outcome === 'ANSWERED');
  const abandoned = day.contacts.filter(({ outcome }) => outcome === 'ABANDONED');
  const waits = answered.map(({ waitedMs }) => waitedMs);
  expect(answered.length).toBeGreaterThan(30);
  expect(abandoned.length).toBeGreaterThan(0);
  expect(all).toMatchObject({
    contacts: 60,
    answered: answered.length,
    abandoned: abandoned.length,
    asaMs: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    serviceLevel:
      waits.filter((wait) => wait <= 15_000).length / (answered.length + abandoned.length),
    offers: day.contacts.flatMap(({ offers }) => offers).length,
  });
  expect(queues).toEqual({ q1: all });
  expect(occupancy).toBeGreaterThan(0);
  expect(occupancy).toBeLessThan(1);
  expect(at(0)).toBe(new Date(day.beginMs).toISOString());
});
