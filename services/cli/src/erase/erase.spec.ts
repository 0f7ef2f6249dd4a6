import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureSigningKey } from '../receipt/index.ts';
import { checkCertificate, signCertificate, type Certificate } from './certificate.ts';
import { needlesOf } from './needles.ts';
import { searchFolders } from './search.ts';

const name = 'Änne "Müller"';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-erase-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the search for what was erased', () => {
  const search = () => searchFolders([folder], needlesOf([name, 'abc']));

  it('names file and offset of each form, at each place within base64', async () => {
    mkdirSync(join(folder, 'a'));
    const put = (file: string, data: string | Uint8Array): void =>
      writeFileSync(join(folder, 'a', file), data);
    put('1-plain', `xx${name}`);
    put('2-json', `xx${JSON.stringify({ name })}`);
    put('3-escaped', 'x\\u00c4nne \\"M\\u00fcller\\"');
    for (const before of ['', 'q', 'qq', 'qqq']) {
      put(`4-base64-${before}`, Buffer.from(`${before}${name}tail`).toString('base64'));
      put(`5-base64url-${before}`, Buffer.from(`${before}${name}`).toString('base64url'));
    }
    put('6-gzip', gzipSync(`123${name}`));
    put('7-utf16', Buffer.from(name, 'utf16le'));
    put('8-other', 'Änne Müller, abc');
    const { findings, files, unread } = await search();
    expect({ files, unread }).toEqual({ files: 14, unread: [] });
    const named = findings.map((one) => one.file.slice(folder.length + 3));
    expect(new Set(named)).toEqual(
      new Set([
        '1-plain',
        '2-json',
        '3-escaped',
        ...['', 'q', 'qq', 'qqq'].flatMap((one) => [`4-base64-${one}`, `5-base64url-${one}`]),
        '6-gzip',
        '7-utf16',
      ]),
    );
    const at = (file: string) => findings.find((one) => one.file.endsWith(file));
    expect(at('1-plain')).toMatchObject({ offset: 2, form: 'plain', text: 0, isWithinGzip: false });
    expect(at('2-json')).toMatchObject({ offset: 11, form: 'JSON' });
    expect(at('6-gzip')).toMatchObject({ offset: 3, isWithinGzip: true });
  });

  it('finds what lies across the pieces in which a file is read, once', async () => {
    const before = 2 * 1_024 * 1_024 - 3;
    writeFileSync(join(folder, 'large'), Buffer.concat([Buffer.alloc(before), Buffer.from(name)]));
    const { findings } = await search();
    expect(findings.map(({ offset }) => offset)).toEqual([before]);
  });

  it('says what it could not read', async () => {
    writeFileSync(join(folder, 'torn'), gzipSync('something long enough').subarray(0, 15));
    const { unread } = await search();
    expect(unread).toHaveLength(1);
    const missing = await searchFolders([join(folder, 'none')], needlesOf([name]));
    expect(missing.unread).toHaveLength(1);
  });
});

describe('a certificate', () => {
  const certificate: Certificate = {
    format: 'meridian.erasure-certificate.v1',
    erasures: [
      {
        id: 'e1',
        state: 'ERASED',
        keys: [{ id: 'k1', regions: ['eu', 'us'] }],
        contacts: 2,
        reason: 'request 17',
        requestedBy: 'a',
        requestedAt: '2026-01-31T08:15:00.000Z',
        erasedAt: '2026-01-31T08:15:04.000Z',
        holds: [],
        regions: ['eu', 'us'].map((region) => {
          return { region, destroyed: 1, absent: 0, at: '2026-01-31T08:15:04.000Z' };
        }),
      },
    ],
    opened: [{ region: 'eu', keys: 0, tried: 2, opened: 0 }],
    search: null,
    at: '2026-01-31T08:15:05.000Z',
  };
  const signed = (one: Certificate): string => signCertificate(one, ensureSigningKey(folder, 'eu'));

  it('holds as it was signed, by the key it names or one that is asked for', () => {
    const text = signed(certificate);
    const { problems, signedBy } = checkCertificate(`${text}\n`, []);
    expect(problems).toEqual([]);
    expect(checkCertificate(text, [signedBy.publicKey]).problems).toEqual([]);
    expect(checkCertificate(text, ['A'.repeat(43)]).problems).toHaveLength(1);
    expect(checkCertificate(text.replace('request 17', 'request 18'), []).problems).toEqual([
      'The signature does not fit: the certificate is not what was signed.',
    ]);
  });

  it('is none while a region is silent, a value opens, or a file holds the text', () => {
    const [erasure] = certificate.erasures;
    if (erasure === undefined) throw new Error('It has one.');
    const regions = erasure.regions.map((one) =>
      one.region === 'us' ? { ...one, at: null } : one,
    );
    const text = signed({
      ...certificate,
      erasures: [{ ...erasure, state: 'REQUESTED', regions }],
      opened: [{ region: 'us', keys: 1, tried: 2, opened: 2 }],
      search: {
        folders: ['/srv'],
        files: 2,
        bytes: 9,
        unread: [],
        texts: 1,
        findings: [{ file: '/srv/x', offset: 7 }],
      },
    });
    expect(checkCertificate(text, []).problems).toEqual([
      'The erasure e1 is REQUESTED, not ERASED.',
      'us has not confirmed that it holds no key of e1.',
      'us still held 1 keys and opened 2 values.',
      '/srv/x holds it in the clear, at 7.',
    ]);
  });
});
