import { describe, expect, it } from '@jest/globals';
import { readQuery } from '../domain/query.ts';
import { entityOf, readEventFilter, subjectsFor, type EventFilter } from './event-filter.ts';

describe('event filters', () => {
  const declared = {
    home: { many: true },
    entity: { many: true },
    type: { many: true },
    subject: { many: true },
  } as const;
  const filter = (given: Record<string, string>): EventFilter =>
    readEventFilter(readQuery(given, declared), 'demo', ['eu', 'us']);
  it.each([
    [{}, ['ev.eu.*.demo.>']],
    [{ entity: 'contact' }, ['ev.eu.*.demo.contact.*']],
    [
      { entity: 'contact', subject: 'c1,c2' },
      ['ev.eu.*.demo.contact.c1', 'ev.eu.*.demo.contact.c2'],
    ],
    [{ entity: 'agent,queue' }, ['ev.eu.*.demo.routing.*']],
    [{ entity: 'agent,contact' }, ['ev.eu.*.demo.contact.*', 'ev.eu.*.demo.routing.*']],
    [{ type: 'meridian.contact.queued.v1' }, ['ev.eu.*.demo.contact.*']],
    [{ subject: 'c1' }, ['ev.eu.*.demo.>']],
    [{ entity: 'contact,failover' }, ['ev.eu.*.demo.>']],
    [{ home: 'us' }, ['ev.eu.us.demo.>']],
    [{ home: 'eu,us', entity: 'agent' }, ['ev.eu.eu.demo.routing.*', 'ev.eu.us.demo.routing.*']],
  ])('%j reads %j', (given, subjects) => {
    expect(subjectsFor(filter(given as Record<string, string>), 'eu')).toEqual(subjects);
  });
  it('knows the entity of types to come', () => {
    expect([
      entityOf('meridian.contact.queued.v1'),
      entityOf('meridian.media.leg_established.v1'),
      entityOf('x'),
    ]).toEqual(['contact', 'media', '']);
  });
});
