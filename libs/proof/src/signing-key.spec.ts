import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { formatNote, isSignedBy, parseNote, signNote, type Note } from './note.ts';
import { ensureSigner, ensureSigningKey, keysOf } from './signing-key.ts';

describe("a region's signing key", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meridian-signing-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const list = (): Record<string, string> =>
    JSON.parse(readFileSync(join(folder, 'receipt-keys.json'), 'utf8')) as Record<string, string>;

  it('is made once, for its owner only, and signs notes', () => {
    const { publicKey, besides } = ensureSigningKey(folder, 'eu');
    const signer = ensureSigner(folder, 'eu');
    expect([signer.publicKey, signer.name, besides]).toEqual([publicKey, 'meridian/eu', []]);
    expect(statSync(join(folder, 'eu-receipts.pem')).mode & 0o077).toBe(0);
    expect(list()).toEqual({ eu: publicKey });
    const note = formatNote({ text: 'a\n', signatures: [signNote('a\n', signer)] });
    expect(isSignedBy(parseNote(note) as Note, 'meridian/eu', publicKey)).toBe(true);
  });

  it('that was lost stays on the list, and the new one says so, once', () => {
    const first = ensureSigningKey(folder, 'eu').publicKey;
    const us = ensureSigningKey(folder, 'us').publicKey;
    rmSync(join(folder, 'eu-receipts.pem'));
    const second = ensureSigningKey(folder, 'eu');
    expect(second.besides).toEqual([first]);
    expect(second.publicKey).not.toBe(first);
    expect(ensureSigningKey(folder, 'eu')).toMatchObject({
      publicKey: second.publicKey,
      besides: [],
    });
    expect(list()).toEqual({ eu: first, us, 'eu+2': second.publicKey });
    expect(keysOf(list(), 'eu')).toEqual([first, second.publicKey]);
    expect(keysOf(list(), 'e')).toEqual([]);
  });

  it('is none where the file holds something else', () => {
    writeFileSync(join(folder, 'eu-receipts.pem'), 'nothing');
    expect(() => ensureSigningKey(folder, 'eu')).toThrow('holds no Ed25519 key');
  });
});
