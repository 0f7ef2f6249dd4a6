import { describe, expect, it } from '@jest/globals';
import {
  keyFilter,
  keySubject,
  madeAtMs,
  makeRecord,
  mayBeOf,
  readRecord,
  writeRecord,
} from './key-record.ts';

const nowMs = Date.UTC(2026, 0, 31, 8, 15);
const facts = { tenant: 'demo', region: 'eu', residency: ['us', 'eu'], identity: 'h'.repeat(43) };
const record = makeRecord(facts, nowMs);
const stored = (text: string) => ({
  stream: 'VAULT_eu',
  sequence: 7,
  subject: keySubject(record),
  text,
});

describe('the record of a key', () => {
  it('is read as it was written', () => {
    const createdAt = '2026-01-31T08:15:00.000Z';
    expect(record).toMatchObject({ ...facts, residency: ['eu', 'us'], createdAt });
    expect(record.bytes).toHaveLength(32);
    expect(readRecord(stored(writeRecord(record)))).toEqual(record);
    expect(keySubject(record)).toBe(`vault.eu.eu-us.demo.${facts.identity}.${record.keyId}`);
    expect(keyFilter('eu', 'demo', record.keyId)).toBe(`vault.eu.*.demo.*.${record.keyId}`);
  });

  it('has an id of its own, which tells where and when it was made', () => {
    const ids = Array.from({ length: 100 }, () => makeRecord(facts, nowMs).keyId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(madeAtMs(record.keyId)).toBe(nowMs);
    expect([mayBeOf('eu', record.keyId), mayBeOf('us', record.keyId)]).toEqual([true, false]);
  });

  it.each(['', 'no JSON: secret', 'null', '{"key":"c2VjcmV0"}'])(
    'that is none is named without what it holds: %j',
    (text) => {
      const wanted = expect.objectContaining({
        name: 'CorruptEntry',
        message: expect.not.stringMatching(/secret|c2VjcmV0/),
      });
      expect(() => readRecord(stored(text))).toThrow(wanted as unknown as Error);
    },
  );
});
