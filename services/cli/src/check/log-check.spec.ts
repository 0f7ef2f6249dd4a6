import { describe, expect, it } from '@jest/globals';
import { dayLog } from '../../test/day-log.ts';
import { contact, routing } from '../../test/drafts.ts';
import { at, LogBuilder, type EntryOptions } from '../../test/log-builder.ts';
import {
  IntakeIndex,
  LogCheck,
  type LogCheckOptions,
  type RawEntry,
  type RuleName,
} from './index.ts';

function check(entries: readonly RawEntry[], options: LogCheckOptions = {}) {
  const checking = new LogCheck(options);
  for (const entry of entries) checking.readLine(JSON.stringify(entry));
  return checking.finish();
}

/** The rules that were broken, each with where and what. */
const found = (entries: readonly RawEntry[], options: LogCheckOptions = {}) =>
  check(entries, options).violations.map(({ rule, sequence, index, expected, found }) => ({
    rule,
    sequence,
    index,
    expected,
    found,
  }));

const brokenRules = (entries: readonly RawEntry[]): RuleName[] =>
  [...new Set(check(entries).violations.map(({ rule }) => rule))].sort();

/** One queue, and agent a1 who takes one call at a time. */
function opened(capacity = 1, presence = 'AVAILABLE'): LogBuilder {
  const log = new LogBuilder();
  log.add('routing.main', 0, [routing.queue('q1'), routing.signedIn('a1', capacity, presence)]);
  return log;
}

/** c1 rings at a1 from second 2 to 22. Entries 1 to 5. */
function ringing(log = opened()): LogBuilder {
  log.add('contact.c1', 0, contact.initiated('c1'));
  log.add('contact.c1', 2, contact.queued('c1'));
  log.add('routing.main', 2, [
    routing.decided('c1', 'OFFERED', 'CONTACT_QUEUED', 2, { agentId: 'a1' }),
    routing.created('c1-r1', 'c1', 'a1', 22),
  ]);
  log.add('contact.c1', 2, contact.offered('c1', 'c1-r1', 'a1', 22));
  return log;
}

/** c1 is served by a1 and wraps up. Entries 1 to 9. */
function talking(log = ringing()): LogBuilder {
  log.add('routing.main', 5, [routing.changed('accepted', 'c1-r1', 'c1', 'a1')]);
  log.add('contact.c1', 5, contact.connected('c1', 'c1-r1', 'a1', 3));
  log.add('contact.c1', 15, contact.hungUp('c1', 'a1', 315));
  log.add('routing.main', 15, [routing.changed('wrapping', 'c1-r1', 'c1', 'a1')]);
  return log;
}

const spent = { IN_SYSTEM: 0, IVR: 2, QUEUED: 0, OFFERED: 3, CONNECTED: 10, WRAP_UP: 5 };

function served(): LogBuilder {
  const log = talking();
  log.add('contact.c1', 20, contact.completed('c1', spent));
  log.add('routing.main', 20, [routing.changed('completed', 'c1-r1', 'c1', 'a1')]);
  return log;
}

/** The same entry with its text changed. */
const altered = (entry: RawEntry, from: string, to: string): RawEntry => {
  expect(entry.data).toContain(from);
  return { ...entry, data: entry.data.replace(from, to) };
};
const tampered = (from: string, to: string): EntryOptions => ({
  tamper: (text) => text.replace(from, to),
});

describe('a valid log', () => {
  it('breaks no rule: one call served', () => {
    expect(check(served().entries)).toEqual({
      ok: true,
      entries: 11,
      events: 19,
      firstSequence: 1,
      lastSequence: 11,
      contacts: 1,
      reservations: 1,
      living: { contacts: 0, reservations: 0, aggregates: 1 },
      violationCount: 0,
      counts: {},
      violations: [],
      intakeChecked: false,
    });
  });

  it('breaks no rule: an offer that rings out, a customer who gives up, one who is reaped', () => {
    const log = ringing();
    log.add('routing.main', 22, [
      routing.changed('timed_out', 'c1-r1', 'c1', 'a1'),
      routing.notResponding('a1', 'c1-r1'),
      routing.decided('c1', 'WAITING', 'OFFER_ENDED', 2),
    ]);
    log.add('contact.c1', 22, contact.requeued('c1', 'c1-r1', 2));
    log.add('contact.c1', 30, contact.gaveUp('c1', 28, { IVR: 2, QUEUED: 8, OFFERED: 20 }));
    log.add('routing.main', 30, [routing.withdrawn('c1')]);
    log.add('contact.c2', 40, contact.initiated('c2'));
    log.add('contact.c2', 3640, contact.reaped('c2', 40, { IN_SYSTEM: 0, IVR: 3600 }));
    expect(found(log.entries)).toEqual([]);
  });

  it.each(['a', 'b', 'c'])('breaks no rule: a small centre (seed %s)', (seed) => {
    const entries = dayLog(seed, 60);
    expect(entries.length).toBeGreaterThan(300);
    expect(found(entries)).toEqual([]);
  });

  it('may end in the middle, and starts anywhere when it is not said to be whole', () => {
    expect(found(ringing().entries)).toEqual([]);
    const [first, , ...rest] = served().entries;
    expect(found([first!, ...rest], { gapless: false }).map(({ rule }) => rule)).not.toContain(
      'sequence',
    );
  });
});

describe('1: bookings', () => {
  it('finds a second reservation of a contact', () => {
    const log = ringing(opened(3));
    log.add('routing.main', 3, [routing.created('c1-r2', 'c1', 'a1', 23)]);
    expect(found(log.entries)).toEqual([
      {
        rule: 'one-offer',
        sequence: 6,
        index: 0,
        expected: 'no second reservation of demo/c1',
        found: 'c1-r2 beside c1-r1 (PENDING)',
      },
    ]);
  });

  it('finds a second reservation beside an accepted one', () => {
    const log = talking(ringing(opened(3)));
    const entries = log.entries.slice(0, 6);
    const again = new LogBuilder();
    again.entries.push(...entries);
    expect(found(entries)).toEqual([]);
    log.entries.length = 6;
    log.add('routing.main', 6, [routing.created('c1-r2', 'c1', 'a1', 26)]);
    expect(check(log.entries).counts).toMatchObject({ 'one-offer': 1 });
  });

  it('counts pending, accepted and wrapping reservations against the capacity', () => {
    const log = talking();
    log.add('contact.c2', 15, contact.initiated('c2'));
    log.add('contact.c2', 16, contact.queued('c2'));
    log.add('routing.main', 16, [routing.created('c2-r1', 'c2', 'a1', 36)]);
    expect(found(log.entries)).toEqual([
      {
        rule: 'capacity',
        sequence: 12,
        index: 0,
        expected: 'at most 1 open VOICE reservations of a1',
        found: '2 with c2-r1',
      },
    ]);
  });

  it('finds an offer to an agent who is away, and to one who signed out', () => {
    expect(found(ringing(opened(1, 'AWAY')).entries)).toEqual([
      {
        rule: 'not-available',
        sequence: 4,
        index: 1,
        expected: 'a1 AVAILABLE',
        found: 'AWAY',
      },
    ]);
    const log = opened();
    log.add('routing.main', 0, [routing.signedOut('a1')]);
    expect(found(ringing(log).entries)).toEqual([
      {
        rule: 'not-available',
        sequence: 5,
        index: 1,
        expected: 'a1 AVAILABLE',
        found: 'OFFLINE',
      },
    ]);
  });

  it('finds an offer to an agent who asked to leave', () => {
    const log = opened();
    log.add('routing.main', 0, [
      { type: 'meridian.agent.sign_out_requested.v1', subject: 'a1', data: {} },
    ]);
    expect(found(ringing(log).entries)[0]).toMatchObject({
      rule: 'not-available',
      found: 'AVAILABLE, signing out',
    });
  });
});

describe('2: the chain of events', () => {
  const whole = served().entries;

  it('finds a change in an event by the next one', () => {
    const entries = whole.with(1, altered(whole[1]!, 'INBOUND', 'CALLBACK'));
    expect(found(entries).map(({ rule, sequence, index }) => ({ rule, sequence, index }))).toEqual([
      { rule: 'chain', sequence: 2, index: 1 },
    ]);
  });

  it('finds a lost entry by its sequence and by the revision after it', () => {
    const entries = whole.toSpliced(4, 1);
    const rules = found(entries);
    expect(rules).toContainEqual({
      rule: 'sequence',
      sequence: 6,
      index: 0,
      expected: '5',
      found: '6',
    });
    expect(rules).toContainEqual({
      rule: 'revision',
      sequence: 7,
      index: 0,
      expected: '5',
      found: '6',
    });
  });

  it('finds an entry after the end of a contact', () => {
    const entries = [...whole, { ...whole[1]!, sequence: 12 }];
    expect(found(entries)).toContainEqual({
      rule: 'contact',
      sequence: 12,
      index: 0,
      expected: "no entry after the contact's end (revision 11)",
      found: 'another entry',
    });
  });

  it('finds a wrong revision, id, region and a falling epoch', () => {
    const log = opened();
    log.add(
      'contact.c1',
      0,
      contact.initiated('c1', false),
      tampered('"revision":1', '"revision":7'),
    );
    expect(found(log.entries)).toEqual([
      { rule: 'revision', sequence: 2, index: 1, expected: '1', found: '7' },
      {
        rule: 'id',
        sequence: 2,
        index: 1,
        expected: 'demo.contact.c1.7',
        found: '"demo.contact.c1.1"',
      },
    ]);
    const other = opened();
    other.add(
      'contact.c1',
      0,
      contact.initiated('c1').slice(0, 1),
      tampered('"region":"eu"', '"region":"us"'),
    );
    expect(found(other.entries)).toEqual([
      { rule: 'ownership', sequence: 2, index: 0, expected: 'region: eu', found: '"us"' },
    ]);
    const epochs = new LogBuilder();
    epochs.add('contact.c1', 0, contact.initiated('c1').slice(0, 1), { epoch: 3 });
    epochs.add('contact.c2', 0, contact.initiated('c2').slice(0, 1), { epoch: 2 });
    expect(found(epochs.entries)).toEqual([
      { rule: 'ownership', sequence: 2, index: 0, expected: 'epoch: at least 3', found: '2' },
    ]);
  });

  it.each([
    ['"specversion":"1.0"', '"specversion":"0.3"', 'specversion: 1.0'],
    ['"source":"/eu/sessions"', '"source":"/us/sessions"', 'source: /eu/<service>'],
    [
      '"time":"2026-03-02T08:00:00.000Z"',
      '"time":"2026-03-02 08:00"',
      'time: an RFC 3339 time in UTC with milliseconds',
    ],
    ['"actor":"sessions"', '"actor":""', 'actor: a text'],
    ['"correlationid":"c1",', '', 'correlationid: a text'],
    ['"dataclass":"personal"', '"dataclass":"secret"', 'dataclass: none, pseudonymous or personal'],
    ['"epoch":1', '"epoch":-1', 'epoch: a whole number from 0'],
    ['"configversion":0', '"configversion":"0"', 'configversion: a whole number from 0'],
    ['"tenant":"demo"', '"tenant":"else"', 'tenant: demo'],
    [
      'urn:meridian:schema:meridian.contact',
      'urn:meridian:schema:else',
      'dataschema: urn:meridian:schema:meridian.contact.initiated.v1',
    ],
    ['"subject":"c1"', '"subject":"c2"', 'subject: c1'],
    ['"type":"meridian.contact', '"type":"meridian.queue', 'type: meridian.<contact>.<what>.v<n>'],
    ['"data":{', '"date":{', 'data: an object'],
  ])('finds an incomplete envelope: %s', (from, to, expected) => {
    const log = opened();
    log.add('contact.c1', 0, contact.initiated('c1').slice(0, 1), tampered(from, to));
    expect(found(log.entries)).toContainEqual(
      expect.objectContaining({ rule: 'envelope', sequence: 2, index: 0, expected }),
    );
  });

  it('finds what is no entry, no event, and no subject of an aggregate', () => {
    const [first, second] = whole;
    expect(brokenRules([{ ...first!, data: '{}' }])).toEqual(['format']);
    expect(brokenRules([{ ...first!, data: '[1]' }])).toEqual(['format']);
    expect(brokenRules([first!, { ...second!, subject: 'ev.eu.eu.demo' }])).toEqual(['subject']);
    expect(brokenRules([{ ...first!, stream: 'EV_us' }])).toEqual(['subject']);
    const checking = new LogCheck();
    checking.readLine('{"stream":"EV_eu"}');
    expect(checking.finish().violations[0]).toMatchObject({
      rule: 'format',
      found: 'a line of which its sequence is no whole number',
    });
  });
});

describe('3: the end of offers', () => {
  it('allows one second after the expiry, and no more', () => {
    const late = (seconds: number): LogBuilder => {
      const log = ringing();
      log.add('routing.main', seconds, [routing.changed('timed_out', 'c1-r1', 'c1', 'a1')]);
      return log;
    };
    expect(found(late(23).entries)).toEqual([]);
    expect(found(late(23.001).entries)).toEqual([
      {
        rule: 'offer-end',
        sequence: 6,
        index: 0,
        expected: `c1-r1 to end by ${at(23)}`,
        found: at(23.001),
      },
    ]);
  });

  it('finds an offer that nobody ended while the log went on', () => {
    const log = ringing();
    log.add('contact.c2', 60, contact.initiated('c2'));
    expect(found(log.entries)).toEqual([
      {
        rule: 'offer-end',
        sequence: 4,
        index: 1,
        expected: `c1-r1 to end by ${at(23)}`,
        found: `still PENDING at ${at(60)}`,
      },
    ]);
  });

  it.each([
    ['wrapping', 'WRAPPING from ACCEPTED', 'WRAPPING from PENDING'],
    ['completed', 'COMPLETED from ACCEPTED or WRAPPING', 'COMPLETED from PENDING'],
    ['canceled', 'CANCELED from ACCEPTED', 'CANCELED from PENDING'],
  ] as const)('finds an illegal change: PENDING to %s', (what, expected, was) => {
    const log = ringing();
    log.add('routing.main', 3, [routing.changed(what, 'c1-r1', 'c1', 'a1')]);
    expect(found(log.entries)).toEqual([
      { rule: 'reservation', sequence: 6, index: 0, expected, found: was },
    ]);
  });

  it('finds a change of a reservation that had ended, or never was, or is of others', () => {
    const log = served();
    log.add('routing.main', 21, [
      routing.changed('accepted', 'c1-r1', 'c1', 'a1'),
      routing.changed('rejected', 'x', 'c1', 'a1'),
    ]);
    log.add('routing.main', 22, [routing.created('c1-r1', 'c9', 'a1', 42)]);
    log.add('routing.main', 23, [routing.changed('accepted', 'c1-r1', 'c9', 'a2')]);
    expect(
      found(log.entries).map(({ rule, sequence, found }) => ({ rule, sequence, found })),
    ).toEqual([
      { rule: 'reservation', sequence: 12, found: 'ACCEPTED of one that had ended' },
      { rule: 'reservation', sequence: 12, found: 'REJECTED of one that was never created' },
      { rule: 'reservation', sequence: 13, found: 'c1-r1 created again' },
      { rule: 'reservation', sequence: 14, found: 'a2' },
    ]);
  });
});

describe('4: the times of a contact', () => {
  it('finds a duration that is not the time between the events', () => {
    const log = talking();
    log.add('contact.c1', 20, contact.completed('c1', { ...spent, OFFERED: 2, CONNECTED: 11 }));
    expect(found(log.entries)).toEqual([
      {
        rule: 'durations',
        sequence: 10,
        index: 1,
        expected: 'IVR 2000 ms, OFFERED 3000 ms, CONNECTED 10000 ms, WRAP_UP 5000 ms',
        found:
          'IN_SYSTEM 0 ms, IVR 2000 ms, QUEUED 0 ms, OFFERED 2000 ms, CONNECTED 11000 ms, WRAP_UP 5000 ms',
      },
    ]);
  });

  it('finds durations that do not add up', () => {
    const log = talking();
    log.add('contact.c1', 20, contact.completed('c1', { ...spent, WRAP_UP: 4 }));
    expect(found(log.entries)).toContainEqual({
      rule: 'durations',
      sequence: 10,
      index: 1,
      expected: '20000 ms in all',
      found: '19000 ms in all',
    });
  });

  it('finds a wrong wait, a wrong place, a wrong stage and a wrong begin', () => {
    const waited = ringing();
    waited.add('contact.c1', 5, contact.connected('c1', 'c1-r1', 'a1', 4));
    expect(found(waited.entries)).toEqual([
      { rule: 'waited', sequence: 6, index: 0, expected: 'waitedMs: 3000', found: '4000' },
    ]);
    const requeued = ringing();
    requeued.add('contact.c1', 5, contact.requeued('c1', 'c1-r1', 5));
    expect(found(requeued.entries)).toEqual([
      { rule: 'waited', sequence: 6, index: 0, expected: `enqueuedAt: ${at(2)}`, found: at(5) },
    ]);
    const stage = ringing();
    stage.add('contact.c1', 5, contact.gaveUp('c1', 3, { IVR: 2, OFFERED: 3 }));
    expect(found(stage.entries)).toEqual([
      { rule: 'contact', sequence: 6, index: 1, expected: 'stage: OFFERED', found: 'QUEUED' },
    ]);
    const reaped = opened();
    reaped.add('contact.c1', 0, contact.initiated('c1'));
    reaped.add('contact.c1', 10, contact.reaped('c1', 1, { IVR: 10 }));
    expect(found(reaped.entries)).toEqual([
      { rule: 'durations', sequence: 3, index: 1, expected: `since: ${at(0)}`, found: at(1) },
    ]);
  });

  it('finds an illegal step, a missing one, a second beginning and time that runs back', () => {
    const held = ringing();
    held.add('contact.c1', 3, contact.held('c1'));
    expect(found(held.entries)).toEqual([
      {
        rule: 'contact',
        sequence: 6,
        index: 0,
        expected: 'held from CONNECTED',
        found: 'held from OFFERED',
      },
    ]);
    const skipped = opened();
    skipped.add('contact.c1', 0, contact.initiated('c1'));
    skipped.add('contact.c1', 1, contact.queued('c1').slice(1));
    expect(found(skipped.entries)).toEqual([
      {
        rule: 'contact',
        sequence: 3,
        index: 0,
        expected: 'ivr_ended before queued',
        found: 'nothing',
      },
    ]);
    const twice = ringing();
    twice.add('contact.c1', 3, contact.initiated('c1').slice(0, 1));
    expect(found(twice.entries)).toEqual([
      {
        rule: 'contact',
        sequence: 6,
        index: 0,
        expected: 'initiated once',
        found: 'a second time',
      },
    ]);
    const first = opened();
    first.add('contact.c1', 3, contact.held('c1'));
    expect(found(first.entries)).toEqual([
      { rule: 'contact', sequence: 2, index: 0, expected: 'initiated first', found: 'held' },
    ]);
    const back = opened();
    back.add('contact.c1', 3, contact.initiated('c1'));
    back.add('contact.c1', 2, contact.queued('c1'));
    expect(found(back.entries)[0]).toEqual({
      rule: 'contact',
      sequence: 3,
      index: 0,
      expected: `a time not before ${at(3)}`,
      found: at(2),
    });
  });
});

describe('6: causes and order', () => {
  it('finds a cause that led to two entries of an aggregate', () => {
    const log = opened();
    log.add('contact.c1', 0, contact.initiated('c1'), { cause: '/ivr#1' });
    log.add('contact.c1', 2, contact.queued('c1'), { cause: '/ivr#1' });
    log.add('contact.c2', 2, contact.initiated('c2'), { cause: '/ivr#1' });
    log.add('routing.main', 3, [routing.signedIn('a2')], { cause: '/desk#1' });
    log.add('routing.main', 4, [routing.signedIn('a3')], { cause: '/desk#1' });
    expect(found(log.entries)).toEqual([
      {
        rule: 'repeated-cause',
        sequence: 3,
        index: 0,
        expected: '/ivr#1 to lead to one entry (it led to 2)',
        found: 'a second entry',
      },
      {
        rule: 'repeated-cause',
        sequence: 6,
        index: 0,
        expected: '/desk#1 to lead to one entry (it led to 5)',
        found: 'a second entry',
      },
    ]);
  });

  it('finds a cause that is not in the log, or not before', () => {
    const log = opened();
    log.add('contact.c1', 0, contact.initiated('c1'), { cause: 'demo.routing.main.1' });
    log.add('contact.c2', 0, contact.initiated('c2'), { cause: 'demo.contact.c1.2' });
    log.add('contact.c3', 0, contact.initiated('c3'), { cause: 'demo.contact.c1.3' });
    log.add('contact.c4', 0, contact.initiated('c4'), { cause: 'demo.contact.c9.0' });
    expect(
      found(log.entries).map(({ sequence, rule, expected }) => ({ sequence, rule, expected })),
    ).toEqual([
      { sequence: 4, rule: 'unknown-cause', expected: 'demo.contact.c1.3 earlier in the log' },
      { sequence: 5, rule: 'unknown-cause', expected: 'demo.contact.c9.0 earlier in the log' },
    ]);
  });

  it('knows the causes of contacts that have ended', () => {
    const log = served();
    log.add('routing.main', 21, [routing.signedIn('a2')], { cause: 'demo.contact.c1.11' });
    log.add('routing.main', 21, [routing.signedIn('a3')], { cause: 'demo.contact.c1.12' });
    expect(found(log.entries)).toEqual([
      {
        rule: 'unknown-cause',
        sequence: 13,
        index: 0,
        expected: 'demo.contact.c1.12 earlier in the log',
        found: 'none',
      },
    ]);
  });

  it('looks for causes from outside in the intake when it is there', () => {
    const log = new LogBuilder();
    log.add('contact.c1', 0, contact.initiated('c1'), { cause: '/ivr#1' });
    log.add('contact.c2', 0, contact.initiated('c2'), { cause: '/ivr#2' });
    const intake = new IntakeIndex();
    intake.add({ sequence: 1, data: JSON.stringify({ tenant: 'demo', source: '/ivr', id: '1' }) });
    expect(found(log.entries)).toEqual([]);
    expect(found(log.entries, { intake })).toEqual([
      { rule: 'unknown-cause', sequence: 2, index: 0, expected: '/ivr#2 in IN_eu', found: 'none' },
    ]);
  });

  /** c1 waits from second 2, c2 from second 4; agent a1 comes free at 10 and is offered `served`. */
  function waiting(
    offered: string,
    before = (_log: LogBuilder): void => {},
    skills: object[] = [],
  ): LogBuilder {
    const log = opened(1, 'AWAY');
    log.add('contact.c1', 0, contact.initiated('c1'));
    log.add('contact.c1', 2, contact.queued('c1', 0, skills));
    log.add('routing.main', 2, [
      routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2, { contactRequirements: skills }),
    ]);
    log.add('contact.c2', 0, contact.initiated('c2'));
    log.add('contact.c2', 4, contact.queued('c2'));
    log.add('routing.main', 4, [routing.decided('c2', 'WAITING', 'CONTACT_QUEUED', 4)]);
    before(log);
    log.add('routing.main', 10, [
      routing.presence('a1', 'AWAY', 'AVAILABLE'),
      routing.decided(offered, 'OFFERED', 'AGENT_FREED', offered === 'c1' ? 2 : 4, {
        agentId: 'a1',
      }),
      routing.created(`${offered}-r1`, offered, 'a1', 30),
    ]);
    return log;
  }

  it('finds a contact with an earlier turn that was left behind', () => {
    expect(found(waiting('c1').entries)).toEqual([]);
    expect(found(waiting('c2').entries)).toEqual([
      {
        rule: 'order',
        sequence: 8,
        index: 1,
        expected: `c1 first (turn ${at(2)})`,
        found: `c2 (turn ${at(4)}) offered to a1`,
      },
    ]);
  });

  it('passes over who gave up, and whom the agent cannot serve', () => {
    const gone = waiting('c2', (log) => {
      log.add('contact.c1', 9, contact.gaveUp('c1', 7, { IVR: 2, QUEUED: 7 }));
    });
    expect(found(gone.entries)).toEqual([]);
    expect(found(waiting('c2', undefined, [{ skill: 'dutch', minimumLevel: 1 }]).entries)).toEqual(
      [],
    );
  });

  it('counts each level of priority as the ageing time of the queue', () => {
    const log = opened(1, 'AWAY');
    log.add('contact.c1', 0, contact.initiated('c1'));
    log.add('contact.c1', 2, contact.queued('c1'));
    log.add('routing.main', 2, [routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2)]);
    log.add('contact.c2', 0, contact.initiated('c2'));
    log.add('contact.c2', 50, contact.queued('c2', 1));
    log.add('routing.main', 50, [
      routing.decided('c2', 'WAITING', 'CONTACT_QUEUED', 50, { priority: 1 }),
    ]);
    log.add('routing.main', 60, [
      routing.presence('a1', 'AWAY', 'AVAILABLE'),
      routing.decided('c1', 'OFFERED', 'AGENT_FREED', 2, { agentId: 'a1' }),
      routing.created('c1-r1', 'c1', 'a1', 80),
    ]);
    expect(found(log.entries)).toEqual([
      {
        rule: 'order',
        sequence: 8,
        index: 1,
        expected: `c2 first (turn ${at(-10)})`,
        found: `c1 (turn ${at(2)}) offered to a1`,
      },
    ]);
  });
});
