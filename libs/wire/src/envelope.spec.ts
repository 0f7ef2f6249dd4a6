import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { seeded } from '@meridian/core';
import { arbitraryData, arbitraryIdentifier, arbitraryText } from '@meridian/testing';
import { contracts } from './gen/contracts.ts';
import {
  causeOf,
  decodeEntry,
  emptyHead,
  encodeEntry,
  eventTexts,
  genesisHash,
  hashEvent,
  lastHash,
  type EventToEncode,
} from './envelope.ts';

const writer = { region: 'eu', home: 'us', service: 'sessions', epoch: 3 };
const aggregate = { tenant: 'demo', entity: 'contact', id: 'c1' };
const held: EventToEncode = {
  type: 'meridian.contact.held.v1',
  subject: 'c1',
  data: {},
  cause: { causationId: '/crm#1' },
  timeMs: 1_769_847_300_250,
};
const told = contracts.filter(({ kind }) => kind === 'EVENT');

test('an entry is this text', () => {
  const { text, revision, hash } = encodeEntry(writer, aggregate, emptyHead, [held], 4);
  expect(JSON.parse(text)).toStrictEqual([
    {
      specversion: '1.0',
      id: 'demo.contact.c1.0',
      source: '/eu/sessions',
      tenant: 'demo',
      region: 'us',
      epoch: 3,
      configversion: 4,
      type: 'meridian.contact.held.v1',
      datacontenttype: 'application/json',
      dataschema: 'urn:meridian:schema:meridian.contact.held.v1',
      dataclass: 'none',
      subject: 'c1',
      time: '2026-01-31T08:15:00.250Z',
      revision: 0,
      prevhash: genesisHash,
      correlationid: 'c1',
      causationid: '/crm#1',
      actor: 'sessions',
      data: {},
    },
  ]);
  expect([revision, hash]).toEqual([0, hashEvent(text.slice(1, -1))]);
});

test('what the cause says is told on', () => {
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const cause = { causationId: 'x', correlationId: 'c0', actor: 'key-1', traceparent };
  const [event] = decodeEntry(encodeEntry(writer, aggregate, emptyHead, [{ ...held, cause }]).text);
  expect(event).toMatchObject({
    causationid: 'x',
    correlationid: 'c0',
    actor: 'key-1',
    traceparent,
  });
});

test('an event with a personal field says so', () => {
  const data = { method: 'INBOUND', channel: 'VOICE', customer: 'x' };
  const [event] = decodeEntry(
    encodeEntry(writer, aggregate, emptyHead, [
      { ...held, type: 'meridian.contact.initiated.v1', data },
    ]).text,
  );
  expect(event?.dataclass).toBe('personal');
});

test('a type without a contract is a fault that says what to do', () => {
  expect(() =>
    encodeEntry(writer, aggregate, emptyHead, [{ ...held, type: 'meridian.contact.lost.v1' }]),
  ).toThrow(/meridian\.contact\.lost\.v1\.\nAdd it to proto/);
});

describe('whatever the texts hold', () => {
  test('entries come back as they were, are cut where they were joined, and chain', () => {
    for (let seed = 0; seed < 120; seed += 1) {
      const random = seeded(`entry ${seed}`);
      let head = { revision: -1, hash: genesisHash };
      const texts: string[] = [];
      for (let entry = 0; entry < 3; entry += 1) {
        const events = Array.from({ length: 1 + random.int(4) }, (): EventToEncode => {
          const { type } = random.pick(told);
          const contract = told.find((each) => each.type === type) as (typeof told)[number];
          return {
            type,
            subject: arbitraryIdentifier(random),
            data: arbitraryData(contract, random),
            timeMs: random.int(4_000_000_000) * 500,
            cause: {
              causationId: arbitraryText(random, 200),
              ...(random.next() < 0.5 ? { actor: arbitraryText(random) } : {}),
              ...(random.next() < 0.5 ? { correlationId: arbitraryText(random) } : {}),
              ...(random.next() < 0.5 ? { traceparent: arbitraryText(random) } : {}),
            },
          };
        });
        const encoded = encodeEntry(writer, aggregate, head, events);
        const decoded = decodeEntry(encoded.text);
        expect([
          seed,
          decoded.map(
            ({ type, subject, data, causationid, actor, correlationid, traceparent, time }) => ({
              type,
              subject,
              data,
              causationid,
              actor,
              correlationid,
              traceparent,
              time,
            }),
          ),
        ]).toEqual([
          seed,
          events.map(({ type, subject, data, cause, timeMs }) => ({
            type,
            subject,
            data,
            causationid: cause.causationId,
            actor: cause.actor ?? 'sessions',
            correlationid: cause.correlationId ?? subject,
            traceparent: cause.traceparent,
            time: new Date(timeMs).toISOString(),
          })),
        ]);
        const cut = eventTexts(encoded.text);
        expect(cut.map((text) => JSON.parse(text) as unknown)).toEqual(decoded);
        expect(`[${cut.join(',\n')}]`).toBe(encoded.text);
        expect(lastHash(encoded.text)).toBe(encoded.hash);
        texts.push(...cut);
        head = encoded;
      }
      chains(texts);
      expect(head.revision).toBe(texts.length - 1);
    }
  });

  /** Each event names the SHA-256 of the text before it; revisions have no gap. */
  function chains(texts: readonly string[]): void {
    let previous = genesisHash;
    texts.forEach((text, index) => {
      expect(JSON.parse(text)).toMatchObject({
        revision: index,
        prevhash: previous,
        id: `demo.contact.c1.${index}`,
      });
      previous = createHash('sha256').update(text, 'utf8').digest('base64url');
    });
  }

  test('a comma and a line end within the data do not cut', () => {
    const data = { attributes: { 'a,\n{"b': '},\n{"specversion":"1.0"' } };
    const events = [held, { ...held, type: 'meridian.contact.attributes_updated.v1', data }, held];
    const { text } = encodeEntry(writer, aggregate, emptyHead, events);
    expect(eventTexts(text)).toHaveLength(3);
    expect((JSON.parse(eventTexts(text)[1] as string) as { data: unknown }).data).toEqual(data);
  });
});

test.each(['', '{}', '[]', 'null', '[1', '"x"'])('%j is no entry', (text) => {
  expect(() => decodeEntry(text)).toThrow(SyntaxError);
});

test('a hash is the SHA-256 of the text in base64url (FIPS 180-2, "abc")', () => {
  expect(Buffer.from(hashEvent('abc'), 'base64url').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(Buffer.from(genesisHash, 'base64url')).toEqual(Buffer.alloc(32));
});

test('a request is known by its source and id', () => {
  expect(causeOf({ source: '/crm/eu', id: 'a#1' })).toBe('/crm/eu#a#1');
});
