import { describe, expect, it } from '@jest/globals';
import { chunkLength, hashOfChunk, RollingHashes } from '../src/copies/rolling-hashes.ts';
import type { CopiedMessage } from '../src/copies/copied-message.ts';
import { copied, copiedRange } from './copies-messages.ts';

function hashed(to: number, change: (message: CopiedMessage) => CopiedMessage = (one) => one) {
  const hashes = new RollingHashes();
  for (const message of copiedRange(1, to).values()) hashes.extend(change(message));
  return hashes;
}

const changedAt =
  (sequence: number, over: Partial<CopiedMessage>) =>
  (message: CopiedMessage): CopiedMessage =>
    message.sequence === sequence ? { ...message, ...over } : message;

describe('the hashes of a copy', () => {
  it('agree wherever two copies have got to, and say when they cannot tell', () => {
    const long = hashed(3 * chunkLength + 40);
    for (const to of [0, 1, chunkLength, 2 * chunkLength + 5, 3 * chunkLength + 40]) {
      const isTold = to === 0 || to % chunkLength === 0 || to > 2 * chunkLength;
      expect([to, long.compare(hashed(to).summary())]).toEqual([to, isTold ? 'same' : 'unknown']);
    }
    expect(hashed(chunkLength).compare(long.summary())).toBe('unknown');
  });

  it.each<[string, Partial<CopiedMessage>]>([
    ['its subject', { subject: 'ev.eu.eu.demo.contact.other' }],
    ['its time', { storedAt: '2026-01-01T08:00:00.700000001Z' }],
    ['a header', { headers: [['Nats-Msg-Id', 'another']] }],
    ['its data', { data: new TextEncoder().encode('{"n":0}') }],
  ])('differ when a message differs in %s', (_, over) => {
    const whole = hashed(2 * chunkLength + 9);
    for (const sequence of [1, chunkLength, chunkLength + 700, 2 * chunkLength + 9]) {
      const other = hashed(2 * chunkLength + 9, changedAt(sequence, over));
      expect(whole.compare(other.summary())).toBe('differs');
      expect(other.compare(whole.summary())).toBe('differs');
      const different = [0, 1].filter((chunk) => whole.chunk(chunk) !== other.chunk(chunk));
      const chunk = Math.floor((sequence - 1) / chunkLength);
      expect(different).toEqual(chunk < 2 ? [chunk] : []);
    }
  });

  it('differ when a message is missing, and are those of the chunk read at once', () => {
    const whole = hashed(chunkLength);
    const holed = new RollingHashes();
    const messages = copiedRange(1, chunkLength);
    messages.delete(17);
    for (let sequence = 1; sequence <= chunkLength; sequence += 1) {
      holed.extend(messages.get(sequence) ?? { missing: sequence });
    }
    expect(whole.compare(holed.summary())).toBe('differs');
    expect(holed.chunk(0)).toBe(hashOfChunk(0, messages));
    expect(whole.chunk(0)).toBe(hashOfChunk(0, copiedRange(1, chunkLength)));
  });

  it('take what a chunk has become, and forget what is gone', () => {
    const whole = hashed(3 * chunkLength + 3);
    const other = hashed(3 * chunkLength + 3);
    expect(other.replace(1, 'changed')).toBe(true);
    expect(other.replace(1, 'changed')).toBe(false);
    expect(whole.compare(other.summary())).toBe('differs');
    other.cut(chunkLength + 10);
    expect(other.upTo).toBe(chunkLength);
    for (const message of copiedRange(chunkLength + 1, 3 * chunkLength + 3).values()) {
      other.extend(message);
    }
    expect(other.summary()).toEqual(whole.summary());
    expect(whole.compare(other.summary())).toBe('same');
  });

  it('take messages in order only', () => {
    expect(() => hashed(3).extend(copied(5))).toThrow('The hashes go on at sequence 4, not at 5.');
  });
});
