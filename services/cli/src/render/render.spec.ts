import { describe, expect, it } from '@jest/globals';
import { contracts } from '@meridian/wire';
import { contact, routing } from '../../test/drafts.ts';
import { at } from '../../test/log-builder.ts';
import { paintFor } from './colour.ts';
import { dayOf, formatDuration, formatShare, timeOfDay } from './duration.ts';
import { eventLine, factsOf, shortType } from './event-line.ts';
import { explain, explanationsOf } from './explain.ts';
import { table, widthOf } from './table.ts';

const plain = paintFor({ isTty: false, env: {} });
const colours = paintFor({ isTty: true, env: {} });

describe('table', () => {
  it('lines up texts to the left and numbers to the right, colours not counted', () => {
    expect(
      table(
        [{ heading: 'id' }, { heading: 'n', isNumber: true }, { heading: '' }],
        [
          ['c1', '5', 'x'],
          [colours('red', 'long one'), '1234', ''],
        ],
      ),
    ).toBe(`id           n\nc1           5  x\n${colours('red', 'long one')}  1234\n`);
    expect(table([{ heading: 'id' }], [])).toBe('id\n');
    expect(widthOf(colours('bold', 'ü🙂'))).toBe(2);
  });
});

describe('formatDuration', () => {
  it.each([
    [null, '-'],
    [undefined, '-'],
    [Number.NaN, '-'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 00 s'],
    [185_400, '3 min 05 s'],
    [3_599_999, '59 min 59 s'],
    [7_500_000, '2 h 05 min'],
    [-1500, '-1.5 s'],
  ])('%s ms is %s', (spanMs, expected) => {
    expect(formatDuration(spanMs)).toBe(expected);
  });

  it('shows times in UTC and shares as percentages', () => {
    expect(timeOfDay(at(62))).toBe('08:01:02.000');
    expect(dayOf(at(62))).toBe('2026-03-02');
    expect(timeOfDay('soon')).toBe('soon');
    expect([formatShare(5 / 6), formatShare(null)]).toEqual(['83.3 %', '-']);
  });
});

describe('eventLine', () => {
  it('shows time, type, subject and facts', () => {
    const [, queued] = contact.queued('c1', 2, [{ skill: 'dutch', minimumLevel: 3 }]);
    expect(eventLine({ ...queued!, time: at(2) }, plain)).toBe(
      '08:00:02.000  contact.queued                c1                queue q1, VOICE, priority 2, asks for dutch 3',
    );
    expect(
      eventLine({ type: 'meridian.contact.held.v1', subject: 'c1', time: at(0), data: {} }, plain),
    ).toBe('08:00:00.000  contact.held                  c1');
  });

  it('colours on a terminal, unless NO_COLOR is set', () => {
    expect(eventLine({ ...contact.held('c1')[0]!, time: at(0) }, colours)).toContain(
      '\u001b[36mcontact.held',
    );
    expect(paintFor({ isTty: true, env: { NO_COLOR: '1' } })('red', 'x')).toBe('x');
  });

  it('knows every event, and shows what it does not know field by field', () => {
    for (const { type, kind } of contracts) {
      if (kind === 'EVENT') expect(typeof factsOf({ type, data: {} })).toBe('string');
    }
    expect(
      factsOf({ type: 'meridian.moon.risen.v2', data: { over: 'sea', at: 3, more: {} } }),
    ).toBe('over sea, at 3');
    expect(shortType('meridian.moon.risen.v2')).toBe('moon.risen.v2');
    expect(factsOf(routing.queue('q1'))).toBe('LONGEST_IDLE, rings 20.0 s, service level 20.0 s');
  });
});

describe('explain', () => {
  const offered = routing.decided('c1', 'OFFERED', 'AGENT_FREED', 2, {
    agentId: 'ada',
    priority: 2,
    waitingCount: 3,
    requirements: [{ skill: 'dutch', minimumLevel: 2 }],
    candidateCount: 3,
    candidates: [
      { agentId: 'ada', idleMs: 65_000, levelSum: 4 },
      { agentId: 'bob', levelSum: 2 },
    ],
    exclusions: [{ reason: 'AT_CAPACITY', count: 4, agentIds: ['cy', 'di'] }],
  });
  const timeline = [
    { ...routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2), time: at(2) },
    { ...offered, time: at(12) },
    { ...routing.created('c1-r1', 'c1', 'ada', 32), time: at(12) },
    { ...routing.changed('accepted', 'c1-r1', 'c1', 'ada'), time: at(15) },
    { ...routing.changed('canceled', 'c1-r1', 'c1', 'ada'), time: at(16) },
  ];

  it('says when, why, who was chosen how, who was not, and what came of it', () => {
    expect(explanationsOf(timeline).map(explain)).toEqual([
      '08:00:02.000  Because the contact joined the queue: nobody could take it; it waits.\n' +
        '  Queue q1, in its place since 08:00:02.000, ordinary priority; 1 waiting, this one included.',
      '08:00:12.000  Because an agent came free: offered to ada.\n' +
        "  Queue q1, in its place since 08:00:02.000, priority 2 (a head start of 2 times the queue's ageing time); " +
        '3 waiting, this one included.\n' +
        '  Asked for: dutch from level 2.\n' +
        '  Chosen by who had been idle longest (skills-longest-idle/1) among 3:\n' +
        '    1. ada: idle 1 min 05 s, skill 4\n' +
        '    2. bob: idle 0 ms, skill 2\n' +
        '    and 1 more\n' +
        '  Not 4: busy with as many contacts as they may have (cy, di, ...).\n' +
        '  Reservation c1-r1: ada is held until 08:00:32.000.\n' +
        '  08:00:15.000, 3.0 s later: ada accepted it.\n' +
        '  08:00:16.000, 4.0 s later: ada had accepted it, but the contact ended first (TEST).',
    ]);
  });
});
