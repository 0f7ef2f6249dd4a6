import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ArchiveBed, newFolder, time } from '../../test/archive-bed.ts';
import { run, type Ran } from '../../test/run.ts';
import { S3StandIn } from '../../test/s3-stand-in.ts';
import type { ArchiveVerdict } from '../archive/index.ts';
import { openStore, readAll } from '../archive/store.ts';

let bed: ArchiveBed;
beforeAll(async () => {
  bed = new ArchiveBed();
  await bed.create(bed.archives, '--max-size', '1');
});

describe('an archive in a bucket', () => {
  const s3 = new S3StandIn();
  const place = 's3://audit/some/prefix';
  beforeAll(() => s3.start());
  afterAll(() => s3.stop());
  const on = (...args: string[]): Promise<Ran> => run(['archive', ...args], { env: s3.env });

  it('is made, listed, verified, restored and deleted from', async () => {
    s3.busy = 1;
    const made = await on('create', '--to', place, '--offline', bed.exports, '--max-size', '1');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect([...s3.objects.keys()].every((name) => name.startsWith('some/prefix/0000'))).toBe(true);
    expect(JSON.parse((await on('verify', place, '--json')).out)).toMatchObject({
      ok: true,
      archives: 4,
    });
    const to = newFolder();
    expect(await on('restore', '--from', place, '--to', to)).toMatchObject({ code: 0 });
    const again = newFolder();
    await run(['archive', 'restore', '--from', bed.archives, '--to', again]);
    for (const name of readdirSync(again)) {
      expect(readFileSync(join(to, name))).toEqual(readFileSync(join(again, name)));
    }
    const args = [
      'delete',
      place,
      '--offline',
      bed.exports,
      '--signing-key',
      bed.signingKey,
      '--reason',
      'x',
      '--tenant',
      'acme',
      '--before',
      time(1_000),
    ];
    s3.versioning = 'Enabled';
    expect((await on(...args)).err).toContain('keeps versions of what is removed');
    s3.versioning = undefined;
    expect(await on(...args)).toMatchObject({ code: 0 });
    const verdict = JSON.parse(
      (await on('verify', place, '--json', '--public-keys', bed.keys)).out,
    ) as ArchiveVerdict;
    expect(verdict).toMatchObject({ ok: true, strays: [] });
    expect(verdict.deleted).toHaveLength(4);
  });

  it('takes large files in parts, and shows none before it is whole', async () => {
    const store = openStore('s3://audit/large', { env: s3.env });
    const bytes = Buffer.alloc(20 * 1_048_576, 'meridian ');
    const writer = await store.writer('a/b.bin');
    for (let from = 0; from < bytes.length; from += 3_000_000) {
      await writer.write(bytes.subarray(from, from + 3_000_000));
      expect(s3.objects.has('large/a/b.bin')).toBe(false);
    }
    await writer.commit();
    expect((await readAll(store, 'a/b.bin')).equals(bytes)).toBe(true);
    const given = await store.writer('a/c.bin');
    await given.write(bytes);
    expect(s3.uploads.size).toBe(1);
    await given.abort();
    expect(s3.uploads.size).toBe(0);
    expect(s3.objects.has('large/a/c.bin')).toBe(false);
  });

  it('says what the store refuses', async () => {
    const wrong = await run(['archive', 'list', place], {
      env: { ...s3.env, AWS_SECRET_ACCESS_KEY: 'another' },
    });
    expect(wrong.code).toBe(4);
    expect(wrong.err).toContain('403 SignatureDoesNotMatch');
    expect((await on('list', 's3://elsewhere/x')).err).toContain('NoSuchBucket');
  });
});
