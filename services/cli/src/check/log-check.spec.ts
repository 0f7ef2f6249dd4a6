import { describe, expect, it } from '@jest/globals';
import { contact, routing } from '../../test/drafts.ts';
import { dayLog } from '../../test/day-log.ts';
import { at, LogBuilder } from '../../test/log-builder.ts';
import {
  check,
  found,
  brokenRules,
  opened,
  ringing,
  talking,
  served,
  altered,
  tampered,
} from '../../test/scenes.ts';
import { LogCheck } from './index.ts';

describe('a valid log', () => {
  it('breaks no rule: one call served', () => {
    expect(check(served().entries)).toEqual({
      ok: true,
      entries: 11,
      events: 19,
      firstSequence: 1,
      lastSequence: 11,
      streams: { EV_eu: [1, 11] },
      contacts: 1,
      reservations: 1,
      living: { contacts: 0, reservations: 0, aggregates: 1 },
      violationCount: 0,
      counts: {},
      violations: [],
      orphans: [],
      intakeChecked: false,
    });
  });

  it('breaks no rule: an offer that rings out, a customer who gives up, one who is reaped', () => {
    const log = ringing();
    log.add('routing.eu', 22, [
      routing.changed('timed_out', 'c1-r1', 'c1', 'a1'),
      routing.notResponding('a1', 'c1-r1'),
      routing.decided('c1', 'WAITING', 'OFFER_ENDED', 2),
    ]);
    log.add('contact.c1', 22, contact.requeued('c1', 'c1-r1', 2));
    log.add('contact.c1', 30, contact.gaveUp('c1', 28, { IVR: 2, QUEUED: 8, OFFERED: 20 }));
    log.add('routing.eu', 30, [routing.withdrawn('c1')]);
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
    log.add('routing.eu', 3, [routing.created('c1-r2', 'c1', 'a1', 23)]);
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
    log.add('routing.eu', 6, [routing.created('c1-r2', 'c1', 'a1', 26)]);
    expect(check(log.entries).counts).toMatchObject({ 'one-offer': 1 });
  });

  it('counts pending, accepted and wrapping reservations against the capacity', () => {
    const log = talking();
    log.add('contact.c2', 15, contact.initiated('c2'));
    log.add('contact.c2', 16, contact.queued('c2'));
    log.add('routing.eu', 16, [routing.created('c2-r1', 'c2', 'a1', 36)]);
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
    log.add('routing.eu', 0, [routing.signedOut('a1')]);
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
    log.add('routing.eu', 0, [
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
      log.add('routing.eu', seconds, [routing.changed('timed_out', 'c1-r1', 'c1', 'a1')]);
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
    log.add('routing.eu', 3, [routing.changed(what, 'c1-r1', 'c1', 'a1')]);
    expect(found(log.entries)).toEqual([
      { rule: 'reservation', sequence: 6, index: 0, expected, found: was },
    ]);
  });

  it('finds a change of a reservation that had ended, or never was, or is of others', () => {
    const log = served();
    log.add('routing.eu', 21, [
      routing.changed('accepted', 'c1-r1', 'c1', 'a1'),
      routing.changed('rejected', 'x', 'c1', 'a1'),
    ]);
    log.add('routing.eu', 22, [routing.created('c1-r1', 'c9', 'a1', 42)]);
    log.add('routing.eu', 23, [routing.changed('accepted', 'c1-r1', 'c9', 'a2')]);
    expect(
      found(log.entries).map(({ rule, sequence, found }) => ({ rule, sequence, found })),
    ).toEqual([
      { rule: 'reservation', sequence: 12, found: 'ACCEPTED of one that had ended' },
      { rule: 'reservation', sequence: 12, found: 'REJECTED of one that was never created' },
      { rule: 'reservation', sequence: 13, found: 'c1-r1 created again' },
      { rule: 'offer-number', sequence: 13, found: 'c1-r1' },
      { rule: 'reservation', sequence: 14, found: 'a2' },
    ]);
  });
});
