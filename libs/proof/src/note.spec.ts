import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { checkpointText, parseCheckpoint } from './checkpoint.ts';
import { formatNote, isSignedBy, keyId, noteSigner, parseNote, signNote } from './note.ts';

const pemOf = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const eu = noteSigner('meridian.eu', pemOf());
const us = noteSigner('meridian.us', pemOf());
const checkpoint = {
  origin: 'meridian/eu',
  size: 123_456,
  root: Buffer.alloc(32, 1),
  headsRoot: Buffer.alloc(32, 2),
};

describe('A signed note', () => {
  const text = checkpointText(checkpoint);
  const written = formatNote({ text, signatures: [signNote(text, eu), signNote(text, us)] });

  it('is written as C2SP says', () => {
    const root = `${Buffer.alloc(32, 1).toString('base64')}\n`;
    const lines = written.split('\n');
    expect(written.startsWith(`meridian/eu\n123456\n${root}heads `)).toBe(true);
    expect(lines[4]).toBe('');
    expect(lines[5]).toMatch(/^— meridian\.eu [A-Za-z0-9+/]{90,}={0,2}$/);
    expect(lines).toHaveLength(8);
    const publicKey = Buffer.from(eu.publicKey, 'base64url');
    expect(keyId('meridian.eu', eu.publicKey)).toEqual(
      createHash('sha256')
        .update(Buffer.concat([Buffer.from('meridian.eu\n\u0001'), publicKey]))
        .digest()
        .subarray(0, 4),
    );
  });

  it('bears the signatures of its signers, and of nobody else', () => {
    const note = parseNote(written)!;
    expect(note.text).toBe(text);
    expect(isSignedBy(note, 'meridian.eu', eu.publicKey)).toBe(true);
    expect(isSignedBy(note, 'meridian.us', us.publicKey)).toBe(true);
    expect(isSignedBy(note, 'meridian.us', eu.publicKey)).toBe(false);
    expect(isSignedBy(note, 'meridian.ap', us.publicKey)).toBe(false);
  });

  it('does not bear them when a character of its text is another', () => {
    for (let at = 0; at < text.length - 1; at += 1) {
      const other = text[at] === 'x' ? 'y' : 'x';
      const forged = parseNote(written.slice(0, at) + other + written.slice(at + 1));
      if (forged === undefined) continue;
      expect(isSignedBy(forged, 'meridian.eu', eu.publicKey)).toBe(false);
    }
  });

  it('is read as it was written, or not at all', () => {
    const read = parseCheckpoint(parseNote(written)!.text);
    expect(read).toEqual(checkpoint);
    expect(parseCheckpoint(text.replace('123456', '0123456'))).toBeUndefined();
    expect(parseCheckpoint(`${text}more\n`)).toBeUndefined();
    expect(parseCheckpoint(text.replace('heads', 'herds'))).toBeUndefined();
    for (const one of ['', 'a\n', 'a\n\nb\n', 'a\n\n- b c\n', 'a\n\n— b c']) {
      expect(parseNote(one)).toBeUndefined();
    }
  });

  it('is not signed in a form that could be read in two ways', () => {
    expect(() => signNote('a\n\nb\n', eu)).toThrow(RangeError);
    expect(() => signNote('a', eu)).toThrow(RangeError);
    expect(() => noteSigner('a name', pemOf())).toThrow(RangeError);
  });
});
