import { describe, expect, it } from '@jest/globals';
import { contact, routing } from '../../test/drafts.ts';
import { at, LogBuilder } from '../../test/log-builder.ts';
import { found, opened, ringing, talking, spent, served } from '../../test/scenes.ts';
import { IntakeIndex } from './index.ts';

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
    log.add('routing.eu', 3, [routing.signedIn('a2')], { cause: '/desk#1' });
    log.add('routing.eu', 4, [routing.signedIn('a3')], { cause: '/desk#1' });
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
    log.add('contact.c1', 0, contact.initiated('c1'), { cause: 'demo.routing.eu.1' });
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
    log.add('routing.eu', 21, [routing.signedIn('a2')], { cause: 'demo.contact.c1.11' });
    log.add('routing.eu', 21, [routing.signedIn('a3')], { cause: 'demo.contact.c1.12' });
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
    log.add('routing.eu', 2, [
      routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2, { contactRequirements: skills }),
    ]);
    log.add('contact.c2', 0, contact.initiated('c2'));
    log.add('contact.c2', 4, contact.queued('c2'));
    log.add('routing.eu', 4, [routing.decided('c2', 'WAITING', 'CONTACT_QUEUED', 4)]);
    before(log);
    log.add('routing.eu', 10, [
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
    log.add('routing.eu', 2, [routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2)]);
    log.add('contact.c2', 0, contact.initiated('c2'));
    log.add('contact.c2', 50, contact.queued('c2', 1));
    log.add('routing.eu', 50, [
      routing.decided('c2', 'WAITING', 'CONTACT_QUEUED', 50, { priority: 1 }),
    ]);
    log.add('routing.eu', 60, [
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
