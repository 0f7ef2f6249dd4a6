import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { leafHeaders, messageLeaf, saltOf, segmentOf, type StoredMessage } from './leaf.ts';

const key = Buffer.alloc(32, 7);
const message = (changed: Partial<StoredMessage> = {}): StoredMessage => ({
  stream: 'EV_eu',
  sequence: 65_537,
  subject: 'ev.eu.eu.demo.contact.c1',
  storedAtMs: 1_790_000_000_000,
  header: (name) => (name === 'Meridian-Consumed' ? 'IN_eu=3/2' : undefined),
  data: '[{"specversion":"1.0"}]',
  ...changed,
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('A leaf', () => {
  it('is the hash of what 0005 says', () => {
    const salt = createHmac('sha256', key).update('65537').digest();
    const headers = 'Meridian-Consumed: IN_eu=3/2\n';
    const payload = createHash('sha256')
      .update(salt)
      .update(Buffer.of(0, 0, 0, headers.length))
      .update(headers)
      .update('[{"specversion":"1.0"}]')
      .digest();
    const leaf = createHash('sha256')
      .update(Buffer.of(0))
      .update('EV_eu\n65537\nev.eu.eu.demo.contact.c1\n1790000000000\n')
      .update(payload)
      .digest();
    expect(hex(messageLeaf(key, message()))).toBe(hex(leaf));
    expect(hex(messageLeaf(key, message({ data: Buffer.from('[{"specversion":"1.0"}]') })))).toBe(
      hex(leaf),
    );
  });

  it('differs when anything of the message, or the key, does', () => {
    const changes: Partial<StoredMessage>[] = [
      { stream: 'EV_us' },
      { sequence: 65_538 },
      { subject: 'ev.eu.eu.demo.contact.c2' },
      { storedAtMs: 1_790_000_000_001 },
      { data: '[{"specversion":"1.1"}]' },
      ...leafHeaders.map((name) => ({
        header: (one: string) => (one === name ? 'IN_eu=4/2' : undefined),
      })),
    ];
    const all = [
      messageLeaf(key, message()),
      messageLeaf(Buffer.alloc(32, 8), message()),
      ...changes.map((change) => messageLeaf(key, message(change))),
    ];
    expect(new Set(all.map(hex)).size).toBe(changes.length + 2);
  });

  it('is the same where a mirror leaves out what the append expected', () => {
    const header = (name: string): string | undefined =>
      name === 'Nats-Expected-Last-Subject-Sequence' ? '3' : message().header(name);
    expect(hex(messageLeaf(key, message({ header })))).toBe(hex(messageLeaf(key, message())));
  });

  it('has a salt of its own, from the key of its segment', () => {
    expect([1, 65_536, 65_537, 131_072, 131_073].map(segmentOf)).toEqual([0, 0, 1, 1, 2]);
    expect(hex(saltOf(key, 1))).not.toBe(hex(saltOf(key, 2)));
  });
});
