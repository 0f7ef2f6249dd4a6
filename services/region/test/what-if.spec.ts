import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import {
  changeDay,
  DayReader,
  Habits,
  type AgentDay,
  type Changes,
  type Handling,
  type RecordedContact,
  type RecordedDay,
  type Run,
} from '@meridian/cli';
import type { QueueSettings, SkillLevel } from '@meridian/wire';
import { rerun, runJob } from '../src/what-if/rerun.ts';

const secondMs = 1_000;
const startMs = Date.UTC(2026, 2, 2, 8);
const settings: QueueSettings = {
  requirements: [],
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20 * secondMs,
  ageingMsPerLevel: 60 * secondMs,
  serviceLevelMs: 20 * secondMs,
};
const levels = new Map([
  ['x', 20 * secondMs],
  ['y', 20 * secondMs],
]);

function agentOf(id: string, skills: readonly SkillLevel[], home = 'eu', fromMs = 0): AgentDay {
  const atMs = startMs + fromMs;
  return {
    id,
    acts: [
      {
        kind: 'SIGN_IN',
        atMs,
        home,
        sessionId: `${id}-s1`,
        skills,
        capacities: [{ channel: 'VOICE', limit: 1 }],
        presence: 'AVAILABLE',
      },
      { kind: 'SIGN_OUT', atMs: startMs + 12 * 3_600_000, home },
    ],
  };
}

function contactOf(
  id: string,
  queueId: string,
  afterMs: number,
  handling: Handling,
  rest: Partial<RecordedContact> = {},
): RecordedContact {
  return {
    id,
    home: 'eu',
    channel: 'VOICE',
    queueId,
    priority: 0,
    requirements: [],
    queuedAtMs: startMs + afterMs,
    outcome: 'ANSWERED',
    waitedMs: 0,
    handling,
    offers: [],
    ...rest,
  };
}

function dayOf(
  agents: readonly AgentDay[],
  contacts: readonly RecordedContact[],
  homes: readonly string[] = ['eu'],
): RecordedDay {
  const queues = homes.flatMap((home) =>
    ['x', 'y'].map((queueId) => ({
      atMs: startMs,
      home,
      queueId,
      settings: { ...settings, requirements: [{ skill: queueId, minimumLevel: 1 }] },
    })),
  );
  return {
    tenant: 'demo',
    homes,
    fromMs: startMs,
    toMs: startMs + 24 * 3_600_000,
    beginMs: startMs,
    endMs: startMs + 24 * 3_600_000,
    queues,
    agents,
    contacts,
    notes: { leftBeforeQueue: 0, reaped: 0, failovers: 0, orphans: 0, lent: 0, pinned: 0 },
  };
}

const skills = (x: number, y: number): SkillLevel[] =>
  [
    { skill: 'x', level: x },
    { skill: 'y', level: y },
  ].filter(({ level }) => level > 0);

/** A busy stretch that nobody has recorded yet: who gives up, misses and declines is made up. */
function madeUp(seed: string, homes: readonly string[] = ['eu'], agentCount = 6): RecordedDay {
  const random = seeded(seed);
  const agents = Array.from({ length: agentCount }, (_, index) => {
    const home = homes[index % homes.length] as string;
    return agentOf(`a${index}`, skills(1 + random.int(5), random.int(6)), home, index * secondMs);
  });
  const contacts = Array.from({ length: 300 }, (_, index) => {
    const gaveUp = random.next() < 0.3;
    const offers = [1, 2, 3].map(() => {
      const luck = random.next();
      const afterMs = secondMs + random.int(15 * secondMs);
      return {
        agentId: random.pick(agents).id,
        reaction:
          luck < 0.85
            ? ({ kind: 'ACCEPTS', afterMs } as const)
            : luck < 0.93
              ? ({ kind: 'REJECTS', afterMs, reason: 'busy' } as const)
              : ({ kind: 'MISSES', backAfterMs: 2 * afterMs } as const),
      };
    });
    const handling: Handling = {
      talkMs: Math.ceil(random.exponential(100 * secondMs)),
      wrapUpMs: random.next() < 0.05 ? null : Math.ceil(random.exponential(20 * secondMs)),
      by: 'CUSTOMER',
    };
    return contactOf(
      `c${index}`,
      random.pick(['x', 'y']),
      10 * secondMs + random.int(2 * 3_600_000),
      handling,
      {
        home: random.pick(homes),
        priority: random.int(2),
        offers,
        ...(gaveUp
          ? { outcome: 'ABANDONED', waitedMs: Math.ceil(random.exponential(90 * secondMs)) }
          : {}),
      },
    );
  });
  return dayOf(agents, contacts, homes);
}

/** Acts a day out, and reads what came of it as a log would be read. */
function recordOf(day: RecordedDay, seed = 'record'): { day: RecordedDay; run: Omit<Run, 'day'> } {
  const reader = new DayReader();
  const run = rerun(day, new Habits(day), seed, levels, (event, home, nowMs) => {
    const { type, subject, data } = event;
    const time = new Date(nowMs).toISOString();
    reader.see(
      {
        id: '',
        type,
        subject,
        time,
        timeMs: nowMs,
        tenant: 'demo',
        correlationid: '',
        causationid: '',
        actor: '',
        data: data as Readonly<Record<string, unknown>>,
        attributes: {},
      },
      home,
    );
  });
  return {
    day: reader.finish(
      'demo',
      { fromMs: day.fromMs, toMs: day.toMs },
      { failovers: 0, orphans: 0 },
    ),
    run,
  };
}

const again = (day: RecordedDay, seed: string): Omit<Run, 'day'> =>
  rerun(day, new Habits(day), seed, levels);
const noChange: Changes = {
  queues: {},
  agents: { add: [], remove: [], change: {} },
  dropSkills: [],
};

describe('a recorded day run again under its own configuration', () => {
  it.each(['one', 'two', 'three'])('is the recorded one to the millisecond (%s)', (seed) => {
    const { day, run } = recordOf(madeUp(seed));
    expect(run.figures.all.abandoned).toBeGreaterThan(5);
    expect(run.figures.all.offersRejected).toBeGreaterThan(5);
    expect(run.figures.all.offersTimedOut).toBeGreaterThan(5);
    for (const other of ['another', 'seed']) {
      const rerun = again(day, other);
      expect(rerun.figures).toEqual(run.figures);
      expect(rerun.likeRecord).toEqual({
        answered: run.figures.all.answered,
        sameAgent: run.figures.all.answered,
        sameWait: run.figures.all.answered,
      });
    }
  });

  it('is so among three homes that lend each other contacts', () => {
    const { day, run } = recordOf(madeUp('homes', ['ap', 'eu', 'us']));
    expect(day.notes.lent).toBeGreaterThan(5);
    expect(again(day, 'another').figures).toEqual(run.figures);
  });

  it('counts only who joined within the time chosen, with all the others around them', () => {
    const { day, run } = recordOf(madeUp('one'));
    const [fromMs, toMs] = [startMs + 1_800_000, startMs + 3_600_000];
    const part = { ...day, fromMs, toMs };
    const { all } = again(part, 's').figures;
    const within = day.contacts.filter(
      ({ queuedAtMs }) => queuedAtMs >= fromMs && queuedAtMs < toMs,
    );
    expect(all.contacts).toBe(within.length);
    expect(all.abandoned).toBe(within.filter(({ outcome }) => outcome === 'ABANDONED').length);
    expect(all.contacts).toBeLessThan(run.figures.all.contacts);
  });
});

describe('a recorded day under another configuration', () => {
  it.each(['one', 'two', 'three'])('serves no fewer in time with twice the agents (%s)', (seed) => {
    const { day } = recordOf(madeUp(seed, ['eu'], 3));
    const add = day.agents.map(({ id }) => ({ like: id, count: 1 }));
    const doubled = changeDay(day, { ...noChange, agents: { ...noChange.agents, add } });
    for (const run of ['s1', 's2', 's3']) {
      const [before, after] = [again(day, run).figures, again(doubled, run).figures];
      expect(after.all.serviceLevel).toBeGreaterThan(before.all.serviceLevel as number);
      expect(after.all.asaMs).toBeLessThan(before.all.asaMs as number);
      expect(after.occupancy).toBeLessThan(before.occupancy as number);
    }
  });

  // A specialist of x and somebody who alone knows y, and x a little. Each half hour comes a long call
  // for x and then a short one for y. Who has been idle longest is now the one, now the other.
  const [long, short] = [300, 60].map((seconds): Handling => ({
    talkMs: seconds * secondMs,
    wrapUpMs: 0,
    by: 'CUSTOMER',
  })) as [Handling, Handling];
  const pairs = Array.from({ length: 8 }, (_, index) => [
    contactOf(`x${index}`, 'x', 60_000 + index * 1_800_000, long),
    contactOf(`y${index}`, 'y', 70_000 + index * 1_800_000, short),
  ]).flat();
  const desks = [agentOf('versatile', skills(1, 5)), agentOf('special', skills(5, 0), 'eu', 1_000)];

  it('keeps who alone can serve for those by going after skill, where the best is known', () => {
    const { day, run } = recordOf(dayOf(desks, pairs));
    // Every second call for y finds who can serve it with a call for x.
    expect(run.figures.queues['y']?.serviceLevel).toBe(0.5);
    const skilled = changeDay(day, { ...noChange, queues: { '*': { strategy: 'MOST_SKILLED' } } });
    const { figures } = again(skilled, 's');
    expect(figures.queues['y']?.serviceLevel).toBe(1);
    expect(figures.all.serviceLevel).toBe(1);
    expect(figures.queues['y']?.longestWaitMs).toBeLessThan(10 * secondMs);
  });

  it('lets the impatient give up and the patient wait where an agent is gone', () => {
    const { day } = recordOf(dayOf(desks, pairs));
    const removed = { ...noChange.agents, remove: ['versatile'] };
    const alone = changeDay(day, { ...noChange, agents: removed });
    const { queues } = again(alone, 's').figures;
    // Nobody gave up in the record, so nobody does: they wait until a watchdog ends them.
    expect(queues['y']).toMatchObject({ answered: 0, abandoned: 0, open: 8 });
    expect(queues['x']).toMatchObject({ answered: 8 });
  });
});

it('gives the same runs for the same job, others for another seed, and every event for each seed', () => {
  const { day } = recordOf(madeUp('job'));
  const changed = changeDay(day, {
    ...noChange,
    agents: { ...noChange.agents, remove: ['a0', 'a1'] },
  });
  const job = {
    days: [day, changed],
    seeds: ['s1', 's2'],
    serviceLevelMs: Object.fromEntries(levels),
  };
  const runsOf = (): Run[] => {
    const runs: Run[] = [];
    runJob(JSON.parse(JSON.stringify(job)) as typeof job, (run) => runs.push(run));
    return runs;
  };
  const runs = runsOf();
  expect(runs).toEqual(runsOf());
  expect(runs.map(({ day: index, seed }) => [index, seed])).toEqual([
    [0, 's1'],
    [1, 's1'],
    [0, 's2'],
    [1, 's2'],
  ]);
  expect(runs[1]?.figures).not.toEqual(runs[3]?.figures);
  expect(runs[1]?.drawn.patience).toBe(
    day.contacts.filter(({ outcome }) => outcome !== 'ABANDONED').length,
  );
});
