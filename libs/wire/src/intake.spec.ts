import { describe, expect, test } from '@jest/globals';
import { acceptIntake, intakeMessageId } from './intake.ts';

const given = { tenant: 'demo', actor: 'key-1', now: '2026-01-31T08:15:00.000Z' };
const event = {
  specversion: '1.0',
  id: '1',
  source: '/crm/eu',
  type: 'meridian.contact.hang_up.v1',
  subject: 'c1',
  data: { by: 'AGENT' },
};
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

describe('is accepted', () => {
  test('with what the way in knows', () => {
    expect(acceptIntake(event, given)).toMatchObject({
      ok: true,
      contract: { type: event.type, scope: 'publish' },
    });
    expect(acceptIntake(event, given)).toHaveProperty('event', {
      ...event,
      time: given.now,
      tenant: 'demo',
      datacontenttype: 'application/json',
      actor: 'key-1',
    });
  });

  test('with all that a publisher may say; what means nothing here is left out', () => {
    const said = {
      ...event,
      time: '2026-01-01T00:00:00+01:00',
      datacontenttype: 'application/cloudevents+json; charset=utf-8',
      dataschema: 'x',
      tenant: 'demo',
      correlationid: 'c0',
      traceparent,
      tracestate: 'a=b',
      actor: 'me',
      other: 1,
    };
    const kept = {
      ...event,
      time: said.time,
      tenant: 'demo',
      datacontenttype: 'application/json',
      correlationid: 'c0',
      traceparent,
    };
    expect(acceptIntake(said, { tenant: 'demo', now: given.now })).toHaveProperty('event', {
      ...kept,
      actor: 'me',
    });
    expect(acceptIntake(said, given)).toHaveProperty('event', { ...kept, actor: 'key-1' });
  });

  test('with the trace of the way in before its own', () => {
    const own = traceparent.replace(/01$/, '00');
    expect(acceptIntake({ ...event, traceparent }, { ...given, traceparent: own })).toMatchObject({
      event: { traceparent: own },
    });
  });

  test('with the region where its subject is at home, one of those there are', () => {
    expect(acceptIntake({ ...event, region: 'us' }, given)).toHaveProperty('event.region', 'us');
    const regions = ['eu', 'us'];
    expect(acceptIntake({ ...event, region: 'us' }, { ...given, regions })).toHaveProperty(
      'event.region',
      'us',
    );
    expect(acceptIntake({ ...event, region: 'ap' }, { ...given, regions })).toMatchObject({
      ok: false,
      problems: [{ pointer: '/region', code: 'not_allowed' }],
    });
  });

  test('without data where nothing is required', () => {
    const { data: _, ...bare } = { ...event, type: 'meridian.contact.hold.v1' };
    expect(acceptIntake(bare, given)).toMatchObject({ ok: true, event: { data: {} } });
    expect(acceptIntake({ ...bare, data: null }, given)).toMatchObject({
      ok: true,
      event: { data: {} },
    });
  });
});

describe('is refused', () => {
  test.each([null, 1, 'x', [], [event]])('%j, which is no object', (value) => {
    expect(acceptIntake(value, given)).toStrictEqual({
      ok: false,
      problems: [{ pointer: '', code: 'type', detail: 'A CloudEvent must be a JSON object.' }],
    });
  });

  const { id: _id, source: _source, subject: _subject, type: _type, ...nameless } = event;
  test.each<[string, object, [pointer: string, code: string][]]>([
    ['another version', { ...event, specversion: '0.3' }, [['/specversion', 'not_allowed']]],
    ['no version', { ...event, specversion: undefined }, [['/specversion', 'missing']]],
    [
      'no names',
      nameless,
      [
        ['/id', 'missing'],
        ['/source', 'missing'],
        ['/type', 'missing'],
        ['/subject', 'missing'],
      ],
    ],
    ['a replay of the past', { ...event, replay: 'audit-7' }, [['/replay', 'not_allowed']]],
    ['an empty id', { ...event, id: '' }, [['/id', 'missing']]],
    ['an id that is no text', { ...event, id: 1 }, [['/id', 'type']]],
    ['too long an id', { ...event, id: 'x'.repeat(257) }, [['/id', 'too_long']]],
    ['a control character', { ...event, id: 'a\nb' }, [['/id', 'not_allowed']]],
    ['half a character', { ...event, id: '\ud800' }, [['/id', 'not_allowed']]],
    ['a source with a fragment', { ...event, source: '/crm#1' }, [['/source', 'not_allowed']]],
    ['a subject of several words', { ...event, subject: 'c.1' }, [['/subject', 'identifier']]],
    ["too long a contact's id", { ...event, subject: 'c'.repeat(65) }, [['/subject', 'too_long']]],
    ['no time', { ...event, time: 'now' }, [['/time', 'type']]],
    ['a time that never was', { ...event, time: '2026-99-01T00:00:00Z' }, [['/time', 'type']]],
    [
      'another content type',
      { ...event, datacontenttype: 'text/plain' },
      [['/datacontenttype', 'not_allowed']],
    ],
    [
      'a correlation of several words',
      { ...event, correlationid: 'a b' },
      [['/correlationid', 'identifier']],
    ],
    ['an actor that is no text', { ...event, actor: {} }, [['/actor', 'type']]],
    ['too long an actor', { ...event, actor: 'x'.repeat(257) }, [['/actor', 'type']]],
    ['a broken trace', { ...event, traceparent: 'x' }, [['/traceparent', 'type']]],
    ['base64', { ...event, data_base64: 'AA==' }, [['/data_base64', 'not_allowed']]],
    ['an attribute in capitals', { ...event, Other: 1 }, [['/Other', 'unknown']]],
    ['an attribute that is an object', { ...event, other: {} }, [['/other', 'type']]],
    ['too long an attribute', { ...event, other: 'x'.repeat(1_025) }, [['/other', 'too_long']]],
    ['another tenant', { ...event, tenant: 'else' }, [['/tenant', 'mismatch']]],
    ['a region that is no name', { ...event, region: 'e.u' }, [['/region', 'not_allowed']]],
    ['a region that is no text', { ...event, region: ['eu'] }, [['/region', 'not_allowed']]],
    ['an unknown type', { ...event, type: 'meridian.contact.lost.v1' }, [['/type', 'not_allowed']]],
    [
      'a decision',
      { ...event, type: 'meridian.contact.held.v1', data: {} },
      [['/type', 'not_allowed']],
    ],
    ['wrong data', { ...event, data: { by: 'NOBODY' } }, [['/data/by', 'not_allowed']]],
    [
      'several at once',
      { ...event, id: '', tenant: 'else', data: {} },
      [
        ['/id', 'missing'],
        ['/tenant', 'mismatch'],
        ['/data/by', 'missing'],
      ],
    ],
  ])('%s', (_, value, expected) => {
    const result = acceptIntake(value, given);
    if (result.ok) throw new Error('It was accepted.');
    expect(result.problems.map(({ pointer, code }) => [pointer, code])).toEqual(expected);
    for (const { detail } of result.problems) expect(detail.endsWith('.')).toBe(true);
  });

  test('naming the type whose schema helps, when there is one', () => {
    expect(acceptIntake({ ...event, data: {} }, given)).toHaveProperty('type', event.type);
    expect(acceptIntake({ ...event, type: 'meridian.contact.held.v1' }, given)).not.toHaveProperty(
      'type',
    );
  });

  test('with an end to the list of what is wrong', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`X${index}`, 1]));
    const result = acceptIntake({ ...event, ...many }, given);
    expect(result.ok ? 0 : result.problems.length).toBe(16);
  });
});

test('no two requests share a message id', () => {
  const one = { tenant: 'demo', source: '/crm', id: 'a' };
  expect(intakeMessageId(one)).toBe('demo#/crm#a');
  expect(intakeMessageId({ ...one, id: 'ü #\u2028' })).toBe('demo#/crm#%C3%BC%20%23%E2%80%A8');
  const ids = ['a', 'a#b', 'a%23b', 'a b', 'a%20b', '%'].map((id) =>
    intakeMessageId({ ...one, id }),
  );
  expect(new Set(ids).size).toBe(ids.length);
});
