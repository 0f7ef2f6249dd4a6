import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { HeadMap, verifyHead, type AggregateHead } from './heads.ts';

const headOf = (number: number, revision: number): AggregateHead => ({
  subject: `ev.eu.eu.demo.contact.c${number}`,
  revision,
  hash: Buffer.alloc(32, revision).toString('base64url'),
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('The map of heads', () => {
  it('has a root that depends on what is in it, not on how it came there', () => {
    const random = seeded('heads');
    const [one, other] = [new HeadMap(), new HeadMap()];
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    for (const number of numbers) one.set(headOf(number, number % 7));
    for (const number of random.shuffle(numbers)) {
      other.set(headOf(number, 9));
      if (number % 50 === 0) other.root();
      other.set(headOf(number, number % 7));
    }
    expect(other.count).toBe(500);
    expect(hex(other.root())).toBe(hex(one.root()));
    expect(hex(HeadMap.parse(one.serialise()).root())).toBe(hex(one.root()));
    const before = hex(one.root());
    one.set(headOf(3, 4));
    expect(hex(one.root())).not.toBe(before);
  });

  it('proves what is in it, and what is not', () => {
    const map = new HeadMap();
    for (let number = 0; number < 300; number += 1) map.set(headOf(number, 2));
    const root = map.root();
    for (let number = 0; number < 310; number += 1) {
      const proof = map.prove(headOf(number, 0).subject);
      const isIn = number < 300;
      expect(verifyHead(headOf(number, 2), proof, root)).toBe(isIn ? 'is' : 'none');
      expect(verifyHead(headOf(number, 1), proof, root)).toBe(isIn ? 'other' : 'none');
      // What was left out of a bucket is missed.
      const lessened = { ...proof, bucket: proof.bucket.slice(1) };
      if (isIn) expect(verifyHead(headOf(number, 2), lessened, root)).toBeUndefined();
    }
  });

  it('cannot be made to say that a head is not there, or is another one', () => {
    const map = new HeadMap();
    for (let number = 0; number < 300; number += 1) map.set(headOf(number, 2));
    const root = map.root();
    const head = headOf(7, 2);
    const { bucket, proof } = map.prove(head.subject);
    const own = hash('sha256', head.subject, 'buffer');
    // Its record, under the name of somebody else.
    const renamed = bucket.map((record) => {
      if (!own.equals(record.key)) return record;
      const key = Buffer.from(record.key);
      key.writeUInt8(key.readUInt8(31) ^ 1, 31);
      return { ...record, key };
    });
    expect(verifyHead(head, { bucket: renamed, proof }, root)).toBeUndefined();
    expect(verifyHead(head, { bucket, proof }, root)).toBe('is');
  });

  it('of nothing has a root too', () => {
    const map = new HeadMap();
    expect(hex(map.root())).toBe(hex(HeadMap.parse(Buffer.alloc(0)).root()));
    expect(verifyHead(headOf(1, 1), map.prove(headOf(1, 1).subject), map.root())).toBe('none');
    expect(() => HeadMap.parse(Buffer.alloc(63))).toThrow(RangeError);
  });
});
