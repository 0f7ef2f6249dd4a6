import { describe, expect, it } from '@jest/globals';
import { attributesOf, modeOf, parseMediaType, readTraceparent } from './media.ts';
import { formatPosition, parsePosition } from './position.ts';
import { Refusal } from './problem.ts';
import { readQuery, wholeNumber } from './query.ts';

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) {
      return `${error.problem.status} ${error.problem.type.split(':').at(-1)}`;
    }
    throw error;
  }
  return 'none';
}

describe('positions', () => {
  it('are read as they are written', () => {
    const position = { sequence: 123, index: 4 };
    expect(formatPosition('EV_eu', position)).toBe('EV_eu:123.4');
    expect(parsePosition('EV_eu', 'EV_eu:123.4')).toEqual(position);
  });
  it.each([
    'EV_us:1.0',
    'EV_eu:1',
    'EV_eu:0.0',
    'EV_eu:1.-1',
    'EV_eu:1.0 ',
    'EV_eu:1e3.0',
    'EV_eu:9999999999999999.0',
    '1.0',
    '',
  ])('%j is none', (text) => {
    expect(parsePosition('EV_eu', text)).toBeUndefined();
  });
});

describe('media types', () => {
  it.each([
    ['application/cloudevents+json', undefined, false, 'structured'],
    ['Application/CloudEvents+JSON; charset="UTF-8"', 'identity', true, 'structured'],
    ['application/cloudevents-batch+json', undefined, false, 'batch'],
    ['application/json', undefined, true, 'binary-json'],
    ['application/protobuf', undefined, true, 'binary-protobuf'],
    [undefined, undefined, true, 'binary-json'],
  ])('%s, %s, ce- headers %s: %s', (type, encoding, binary, mode) => {
    expect(modeOf(type, encoding, binary)).toBe(mode);
  });
  it.each([
    [undefined, undefined, false],
    ['application/json', undefined, false],
    ['text/plain', undefined, true],
    ['application/cloudevents+json', 'gzip', false],
    ['application/cloudevents+json; charset=latin1', undefined, false],
  ])('%s, %s, ce- headers %s are refused', (type, encoding, binary) => {
    expect(refusal(() => modeOf(type, encoding, binary))).toBe('415 unsupported-media-type');
  });
  it('are parsed without their case', () => {
    expect(parseMediaType(' A/B ;x=y; Charset=UTF-8')).toEqual({ type: 'a/b', charset: 'utf-8' });
  });
  it('give the attributes of ce- headers, decoded', () => {
    expect({
      ...attributesOf([
        ['ce-id', 'caf%C3%A9'],
        ['accept', '*/*'],
        ['ce-source', '/a'],
      ]),
    }).toEqual({ id: 'café', source: '/a' });
  });
  const wrongHeaders: readonly { readonly headers: readonly (readonly [string, string])[] }[] = [
    {
      headers: [
        ['ce-id', 'a'],
        ['ce-id', 'b'],
      ],
    },
    { headers: [['ce-id', '%zz']] },
    { headers: [['ce-id', '\u00e9']] },
    { headers: [['ce-data', 'x']] },
    { headers: [['ce-datacontenttype', 'x']] },
  ];
  it.each(wrongHeaders)('refuse %j', ({ headers }) => {
    expect(refusal(() => attributesOf(headers))).toBe('400 invalid-event');
  });
  it.each([
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331', false],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
    ['x', false],
  ])('traceparent %s: %s', (header, good) => {
    expect(readTraceparent(header)).toBe(good ? header : undefined);
  });
});

describe('queries', () => {
  const declared = { a: {}, many: { many: true } } as const;
  it('give values, lists where they are declared', () => {
    const query = readQuery({ a: '1', many: ['x,y', 'z'] }, declared);
    expect([query.one('a'), query.all('many'), query.one('b'), query.all('b')]).toEqual([
      '1',
      ['x', 'y', 'z'],
      undefined,
      [],
    ]);
  });
  it.each([
    [{ b: '1' }, '400 unknown-parameter'],
    [{ constructor: '1' }, '400 unknown-parameter'],
    [{ a: ['1', '2'] }, '400 invalid-parameter'],
  ])('%j: %s', (given, expected) => {
    expect(refusal(() => readQuery(given as Record<string, unknown>, declared))).toBe(expected);
  });
  it.each([
    ['0', false],
    ['1', true],
    ['10', true],
    ['11', false],
    ['1.5', false],
    ['', false],
    ['1e1', false],
    ['-1', false],
  ])('whole number %j from 1 to 10: %s', (text, good) => {
    const read = (): unknown => wholeNumber('n', text, { least: 1, most: 10 });
    if (good) expect(read()).toBe(Number(text));
    else expect(refusal(read)).toBe('400 invalid-parameter');
  });
});
