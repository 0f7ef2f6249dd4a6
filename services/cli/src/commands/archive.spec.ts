import { generateKeyPairSync, hash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { messageLeaf, noteSigner } from '@meridian/proof';
import { AuditedLog, readExport, writeExport } from '../../test/audited-log.ts';
import { run, type Ran } from '../../test/run.ts';
import { S3StandIn } from '../../test/s3-stand-in.ts';
import type { RawEntry } from '../check/raw.ts';
import { storedMessage } from '../verify/verify.ts';
import type { ArchiveVerdict, Manifest } from '../archive/index.ts';

const startMs = 1_790_000_000_000;
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'meridian-archive-'));
const time = (ms: number): string => new Date(startMs + ms).toISOString();

/** One round of calls of two tenants in both regions; contact c7 goes on in each. */
function round(log: AuditedLog, part: number): void {
  for (let call = 0; call < 12; call += 1) {
    log.call(call % 3 === 0 ? 'us' : 'eu', call === 7 ? 'c7' : `c${part}-${call}`);
    if (call % 4 === 0) {
      log.decide(call % 8 === 0 ? 'eu' : 'us', 'acme', 'contact', `a${part}-${call}`, [
        {
          type: 'meridian.contact.attributes_updated.v1',
          subject: `a${part}-${call}`,
          data: { attributes: { secret: `acme’s ${call}` } },
          cause: { causationId: '/pbx#acme' },
          timeMs: startMs,
        },
      ]);
    }
    if (call % 6 === 5) log.order();
  }
  log.checkpoint();
}

let log: AuditedLog;
let exports: string;
let archives: string;
let keys: string;
let signingKey: string;

const keyFolder = newFolder();

beforeAll(async () => {
  log = new AuditedLog();
  for (let part = 0; part < 4; part += 1) round(log, part);
  log.order();
  exports = log.export();
  archives = newFolder();
  const made = await run([
    'archive',
    'create',
    '--to',
    archives,
    '--offline',
    exports,
    '--max-size',
    '1',
  ]);
  expect(made).toMatchObject({ code: 0, err: '' });
  // Who deletes signs with a key of a region that is on the list.
  signingKey = join(keyFolder, 'ap-receipts.pem');
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  writeFileSync(signingKey, pem);
  keys = join(keyFolder, 'keys.json');
  writeFileSync(
    keys,
    JSON.stringify({ ...log.keys, ap: noteSigner('meridian/ap', pem).publicKey }),
  );
});

const foldersOf = (place: string): string[] => readdirSync(place).toSorted();
const manifestOf = (place: string, folder: string): Manifest =>
  JSON.parse(readFileSync(join(place, folder, 'manifest.json'), 'utf8')) as Manifest;

async function verdictOf(
  place: string,
  more: string[] = ['--public-keys', keys],
): Promise<ArchiveVerdict> {
  const ran = await run(['archive', 'verify', place, '--json', ...more]);
  expect(ran.err).toBe('');
  const verdict = JSON.parse(ran.out) as ArchiveVerdict;
  expect(ran.code).toBe(verdict.ok ? 0 : 1);
  return verdict;
}

const copyOf = (place: string): string => {
  const copy = newFolder();
  cpSync(place, copy, { recursive: true });
  return copy;
};

/** Changes the lines of a stream in the archive of a folder. */
function changeLines(
  place: string,
  folder: string,
  stream: string,
  change: (lines: string[]) => string[],
): void {
  const { segments } = manifestOf(place, folder);
  const path = join(place, segments.find((one) => one.stream === stream)!.file);
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  writeFileSync(path, gzipSync(`${change(lines).join('\n')}\n`));
}

const remove = (place: string, ...more: string[]): Promise<Ran> =>
  run([
    'archive',
    'delete',
    place,
    '--offline',
    exports,
    '--signing-key',
    signingKey,
    '--reason',
    'the contract ended',
    ...more,
  ]);

describe('meridian archive create', () => {
  it('archives from checkpoint to checkpoint, and nothing twice', async () => {
    const verdict = await verdictOf(archives);
    expect(verdict).toMatchObject({ ok: true, archives: 4, ranks: { from: 0 }, faults: [] });
    expect(verdict.signedBy.toSorted()).toEqual(['eu', 'us']);
    expect(verdict.strays).toEqual([]);
    expect(verdict.messages).toBe(verdict.ranks.to);
    const again = await run(['archive', 'create', '--to', archives, '--offline', exports]);
    expect(again.out).toBe(
      `There is nothing to archive. ${archives} holds the first ${verdict.messages} messages of the order.\n`,
    );
    const listed = await run(['archive', 'list', archives]);
    expect(listed.out.split('\n')).toHaveLength(4 + 2);
    const one = newFolder();
    await run(['archive', 'create', '--to', one, '--offline', exports]);
    expect(await verdictOf(one)).toMatchObject({
      ok: true,
      archives: 1,
      messages: verdict.messages,
    });
  });

  it('goes on from where the last archive ends, after being interrupted too', async () => {
    const [first, second] = foldersOf(archives);
    const signed = manifestOf(archives, first!).checkpoint.size;
    const early = newFolder();
    // The checkpoint is a message itself, stored right after what it covers.
    const at = log.streams['EV_eu']!.find(({ data }) => data.includes('checkpoint_signed'))!;
    const before = new Date(Date.parse(String(at.storedAt)) + 1).toISOString();
    const ran = await run([
      'archive',
      'create',
      '--to',
      early,
      '--offline',
      exports,
      '--before',
      before,
    ]);
    expect(ran.out).toContain(`holds the first ${signed} messages of the order.`);
    expect(ran.out).toContain('more are signed and younger.');
    // The manifest comes last: without it the second archive was not made.
    const interrupted = copyOf(archives);
    for (const folder of foldersOf(archives).slice(1)) {
      rmSync(join(interrupted, folder, 'manifest.json'));
      if (folder !== second) rmSync(join(interrupted, folder), { recursive: true });
    }
    const left = (await verdictOf(interrupted)).strays.length;
    expect(left).toBe(6);
    await run(['archive', 'create', '--to', interrupted, '--offline', exports]);
    expect(await verdictOf(interrupted)).toMatchObject({ ok: true, archives: 2 });
    expect((await verdictOf(interrupted)).strays).toHaveLength(left);
  });

  it('writes nothing of a log that does not hold, nor of another one', async () => {
    const bad = copyOf(exports);
    const file = join(bad, 'EV_eu.ndjson');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"two', '"twp'));
    const to = newFolder();
    const ran = await run(['archive', 'create', '--to', to, '--offline', bad]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain('are not what they were when eu signed them.');
    expect(readdirSync(to).flatMap((folder) => readdirSync(join(to, folder)))).toEqual([]);
    const other = new AuditedLog();
    round(other, 0);
    round(other, 1);
    const mixed = await run(['archive', 'create', '--to', archives, '--offline', other.export()]);
    expect(mixed.err).toContain('they are of another log, or the log was cut off.');
    const part = copyOf(exports);
    const lines = readFileSync(join(part, 'EV_us.ndjson'), 'utf8').split('\n');
    writeFileSync(
      join(part, 'EV_us.ndjson'),
      lines.filter((line) => !line.includes('.acme.')).join('\n'),
    );
    const hidden = await run(['archive', 'create', '--to', to, '--offline', part]);
    expect(hidden.err).toContain('a key of the tenant meridian is needed');
  });

  it('says what it needs', async () => {
    for (const args of [
      ['create'],
      ['create', '--to', 's3://Audit'],
      ['create', '--to', 's3://audit/x'],
      ['create', '--to', archives, '--before', 'soon'],
      ['create', '--to', archives, '--older-than', '3 days'],
      ['create', '--to', archives, '--max-size', '0'],
      ['create', '--to', archives, '--reason', 'two\nlines'],
      ['restore', '--from', archives],
      ['restore', '--from', archives, '--to', join(keyFolder, 'x.ndjson')],
      ['delete', archives, '--tenant', 'meridian', '--before', time(0), '--reason', 'x'],
    ]) {
      expect(await run(['archive', ...args])).toMatchObject({ code: 2 });
    }
    expect((await run(['archive', 'verify', newFolder()])).code).toBe(3);
  });
});

describe('meridian archive verify', () => {
  it.each([
    [
      'changed',
      (lines: string[]) => lines.map((line, at) => (at === 2 ? line.replace('one', 'onf') : line)),
      2,
    ],
    ['dropped', (lines: string[]) => lines.toSpliced(3, 1), 3],
    ['swapped', (lines: string[]) => lines.toSpliced(1, 2, lines[2]!, lines[1]!), 1],
  ])('names the first message that was %s', async (_, change, index) => {
    const copy = copyOf(archives);
    const [, folder = ''] = foldersOf(copy);
    const { from } = manifestOf(copy, folder).segments.find(({ stream }) => stream === 'EV_eu')!;
    changeLines(copy, folder, 'EV_eu', change);
    const { ok, faults } = await verdictOf(copy);
    expect(ok).toBe(false);
    expect(faults[0]).toMatchObject({ archive: folder, stream: 'EV_eu', sequence: from + index });
  });

  it('tells where leaves are not those that were signed', async () => {
    const copy = newFolder();
    await run(['archive', 'create', '--to', copy, '--offline', exports]);
    const [folder = ''] = foldersOf(copy);
    const { leaves } = manifestOf(copy, folder);
    const bytes = readFileSync(join(copy, leaves.file));
    const rank = manifestOf(archives, foldersOf(archives)[1]!).ranks.from + 3;
    bytes[rank * 32] = (bytes[rank * 32] ?? 0) ^ 1;
    writeFileSync(join(copy, leaves.file), bytes);
    const { faults } = await verdictOf(copy);
    expect(faults[0]).toMatchObject({ rank, what: 'It is not what it was when it was signed.' });
  });

  it('tells between which checkpoints, where message, leaf and hashes were changed together', async () => {
    const copy = newFolder();
    await run(['archive', 'create', '--to', copy, '--offline', exports]);
    const [folder = ''] = foldersOf(copy);
    const [, second = '', third = ''] = foldersOf(archives);
    const [from, to] = [second, third].map((name) => manifestOf(archives, name).ranks.from);
    const manifest = manifestOf(copy, folder);
    const sequence = manifestOf(archives, second).segments[0]!.from + 4;
    const segment = manifest.segments[0]!;
    let changed: RawEntry | undefined;
    changeLines(copy, folder, segment.stream, (lines) =>
      lines.map((line, at) => {
        if (at + 1 !== sequence) return line;
        const other = line.replace('"one', '"onf');
        changed = JSON.parse(other) as RawEntry;
        expect(other).not.toBe(line);
        return other;
      }),
    );
    const key = Buffer.from(manifest.saltKeys[`${segment.stream} 0`] ?? '', 'base64url');
    const original = messageLeaf(key, storedMessage(log.streams[segment.stream]![sequence - 1]!));
    const leaves = readFileSync(join(copy, manifest.leaves.file));
    leaves.set(messageLeaf(key, storedMessage(changed!)), leaves.indexOf(original));
    writeFileSync(join(copy, manifest.leaves.file), leaves);
    const sha256 = (file: string) => hash('sha256', readFileSync(join(copy, file)), 'hex');
    const forged = {
      ...manifest,
      leaves: { ...manifest.leaves, sha256: sha256(manifest.leaves.file) },
      segments: manifest.segments.map((one) => ({ ...one, sha256: sha256(one.file) })),
    };
    writeFileSync(join(copy, folder, 'manifest.json'), JSON.stringify(forged));
    const { faults } = await verdictOf(copy);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ rank: from });
    expect(faults[0]?.what).toContain(`(rank ${from}) to rank ${to! - 1} is not what it was`);
  });

  it('misses an archive between two, and a start that is not the end before', async () => {
    const gap = copyOf(archives);
    const [, second = '', third = ''] = foldersOf(gap);
    rmSync(join(gap, second), { recursive: true });
    const { ok, faults } = await verdictOf(gap);
    expect(ok).toBe(false);
    expect(faults[0]).toMatchObject({ archive: third, stream: 'ranks' });
    const begun = copyOf(archives);
    const file = join(begun, second, 'manifest.json');
    const manifest = manifestOf(begun, second);
    const frontier = manifest.start.frontier.toSpliced(
      0,
      1,
      Buffer.alloc(32).toString('base64url'),
    );
    writeFileSync(file, JSON.stringify({ ...manifest, start: { ...manifest.start, frontier } }));
    expect((await verdictOf(begun)).faults[0]).toMatchObject({ archive: second, stream: 'start' });
  });

  it('takes no key that is not on the list, and no manifest that says otherwise', async () => {
    const file = join(newFolder(), 'keys.json');
    writeFileSync(file, JSON.stringify({ eu: log.keys['us'] }));
    const { ok, faults } = await verdictOf(archives, ['--public-keys', file]);
    expect(ok).toBe(false);
    expect(faults[0]?.what).toContain('No known key signed the checkpoint of');
    const copy = copyOf(archives);
    const [folder = ''] = foldersOf(copy);
    const manifest = manifestOf(copy, folder);
    const leaves = { ...manifest.leaves, file: '../leaves.bin' };
    writeFileSync(join(copy, folder, 'manifest.json'), JSON.stringify({ ...manifest, leaves }));
    expect((await run(['archive', 'verify', copy])).err).toContain('is no manifest of the format');
  });
});

describe('meridian archive restore', () => {
  it('gives back the bytes of the exports', async () => {
    const to = newFolder();
    const ran = await run(['archive', 'restore', '--from', archives, '--to', to]);
    expect(ran.code).toBe(0);
    const { ranks } = await verdictOf(archives);
    let messages = 0;
    for (const stream of ['EV_eu', 'EV_us', 'IN_eu', 'IN_us']) {
      const restored = readFileSync(join(to, `${stream}.ndjson`), 'utf8');
      expect(readFileSync(join(exports, `${stream}.ndjson`), 'utf8').startsWith(restored)).toBe(
        true,
      );
      messages += restored.split('\n').length - 1;
    }
    expect(messages).toBe(ranks.to);
    const verified = await run(['verify', '--offline', to, '--public-keys', join(to, 'keys.json')]);
    expect(verified.code).toBe(2);
    expect(await run(['verify', '--offline', to])).toMatchObject({ code: 0 });
  });

  it('gives a part, by time and by contact', async () => {
    const file = join(newFolder(), 'part.ndjson');
    const restore = (...more: string[]) =>
      run(['archive', 'restore', '--from', archives, '--to', file, '--stream', 'EV_eu', ...more]);
    expect((await restore('--contact', 'c7')).out).toBe(`4 messages of EV_eu are in ${file}.\n`);
    const subjects = readFileSync(file, 'utf8').trim().split('\n');
    expect(subjects.every((line) => line.includes('.contact.c7"'))).toBe(true);
    await restore('--since', time(3), '--until', time(6));
    const lines = log.streams['EV_eu']!.slice(2, 5).map((entry) => `${JSON.stringify(entry)}\n`);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(await restore('--stream', 'EV_ap')).toMatchObject({ code: 3 });
  });

  it('leaves no half of a file where a segment is not whole', async () => {
    const copy = copyOf(archives);
    const [, , folder = ''] = foldersOf(copy);
    changeLines(copy, folder, 'EV_eu', (lines) => lines.toSpliced(1, 1));
    const to = newFolder();
    const ran = await run(['archive', 'restore', '--from', copy, '--to', to]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(`EV_eu of the archive ${folder} cannot be restored`);
    expect(readdirSync(to)).toEqual([]);
  });
});

describe('meridian archive delete', () => {
  it('takes a tenant out, so that all still holds and a record says what went', async () => {
    const copy = copyOf(archives);
    const [first = '', , , last = ''] = foldersOf(copy);
    // In the middle: of the last archive something stays.
    const times = manifestOf(copy, last).tenants['acme']!;
    const ran = await remove(copy, '--tenant', 'acme', '--before', times.lastStoredAt);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const verdict = await verdictOf(copy);
    expect(verdict).toMatchObject({ ok: true, faults: [], strays: [], archives: 4 });
    const gone = verdict.deleted.reduce((sum, { messages }) => sum + messages, 0);
    expect(gone).toBe(4 * 3 - manifestOf(copy, last).tenants['acme']!.messages);
    expect(gone).toBeGreaterThan(9);
    expect(verdict.deleted[0]).toMatchObject({
      tenant: 'acme',
      reason: 'the contract ended',
      region: 'ap',
    });
    for (const folder of foldersOf(copy)) {
      for (const name of readdirSync(join(copy, folder))) {
        if (folder === last || !name.endsWith('.gz')) continue;
        const text = gunzipSync(readFileSync(join(copy, folder, name))).toString();
        expect(text).not.toContain('acme');
      }
    }
    expect(manifestOf(copy, first).tenants['acme']).toBeUndefined();
    // Another tenant later: the first record is still good.
    await remove(copy, '--tenant', 'demo', '--before', time(1_000));
    expect((await verdictOf(copy)).deleted).toHaveLength(8);
    expect(await verdictOf(copy)).toMatchObject({ ok: true });
    expect((await remove(copy, '--tenant', 'acme', '--before', times.lastStoredAt)).out).toContain(
      'Nothing of acme',
    );
    const to = newFolder();
    const restored = await run(['archive', 'restore', '--from', copy, '--to', to]);
    expect(restored.out).toContain('were deleted from the archives.');
  });

  it('does not hold when a record is missing, changed, or signed by somebody else', async () => {
    const copy = copyOf(archives);
    await remove(copy, '--tenant', 'acme', '--before', time(1_000));
    const [folder = ''] = foldersOf(copy);
    const [name = ''] = manifestOf(copy, folder).deletions;
    const text = readFileSync(join(copy, name), 'utf8');
    writeFileSync(join(copy, name), text.replace('the contract ended', 'no reason'));
    expect((await verdictOf(copy)).faults[0]?.what).toContain('The signature of the record');
    rmSync(join(copy, name));
    const missing = await verdictOf(copy);
    expect(missing.faults[0]?.what).toContain('cannot be read');
    expect(missing.faults[1]?.what).toContain('It was deleted, and the record');
    writeFileSync(join(copy, name), text);
    expect(await verdictOf(copy)).toMatchObject({ ok: true });
    const { ok } = await verdictOf(copy, []);
    expect(ok).toBe(false);
    // More was taken than the record says.
    changeLines(copy, folder, 'EV_eu', (lines) =>
      lines.map((line, at) =>
        at === 2 ? JSON.stringify({ stream: 'EV_eu', sequence: at + 1, deleted: name }) : line,
      ),
    );
    expect((await verdictOf(copy)).faults.map(({ what }) => what).join()).toContain(
      'What is gone of EV_eu is not what the record',
    );
  });

  it('waits for holds to be released', async () => {
    const held = new AuditedLog();
    round(held, 0);
    const hold = (type: string) =>
      held.decide('eu', 'acme', 'privacy', 'all', [
        {
          type,
          subject: 'all',
          data: { holdId: 'h1' },
          cause: { causationId: 'x' },
          timeMs: startMs,
        },
      ]);
    const unseen = held.export();
    hold('meridian.privacy.hold_placed.v1');
    const to = newFolder();
    await run(['archive', 'create', '--to', to, '--offline', held.export()]);
    const args = ['--tenant', 'acme', '--before', time(1_000)];
    const of = (folder: string) =>
      run([
        'archive',
        'delete',
        to,
        '--offline',
        folder,
        '--signing-key',
        signingKey,
        '--reason',
        'x',
        ...args,
      ]);
    const refused = await of(held.export());
    expect(refused.code).toBe(4);
    expect(refused.err).toContain('the hold h1 must be released before');
    // A key of another tenant would not be told of holds.
    const entries = readExport(unseen, 'EV_eu');
    for (const stream of ['EV_eu', 'EV_us']) {
      writeExport(
        unseen,
        stream,
        readExport(unseen, stream).filter(({ subject }) => !subject.includes('.acme.')),
      );
    }
    expect(entries.length).toBeGreaterThan(readExport(unseen, 'EV_eu').length);
    expect((await of(unseen)).err).toContain('shows nothing of acme');
    hold('meridian.privacy.hold_released.v1');
    expect(await of(held.export())).toMatchObject({ code: 0 });
  });
});

describe('an archive in a bucket', () => {
  const s3 = new S3StandIn();
  const place = 's3://audit/some/prefix';
  beforeAll(() => s3.start());
  afterAll(() => s3.stop());
  const on = (...args: string[]): Promise<Ran> => run(['archive', ...args], { env: s3.env });

  it('is made, listed, verified, restored and deleted from', async () => {
    s3.busy = 1;
    const made = await on('create', '--to', place, '--offline', exports, '--max-size', '1');
    expect(made).toMatchObject({ code: 0, err: '' });
    expect([...s3.objects.keys()].every((name) => name.startsWith('some/prefix/0000'))).toBe(true);
    expect(JSON.parse((await on('verify', place, '--json')).out)).toMatchObject({
      ok: true,
      archives: 4,
    });
    const to = newFolder();
    expect(await on('restore', '--from', place, '--to', to)).toMatchObject({ code: 0 });
    const again = newFolder();
    await run(['archive', 'restore', '--from', archives, '--to', again]);
    for (const name of readdirSync(again)) {
      expect(readFileSync(join(to, name))).toEqual(readFileSync(join(again, name)));
    }
    const args = [
      'delete',
      place,
      '--offline',
      exports,
      '--signing-key',
      signingKey,
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
      (await on('verify', place, '--json', '--public-keys', keys)).out,
    ) as ArchiveVerdict;
    expect(verdict).toMatchObject({ ok: true, strays: [] });
    expect(verdict.deleted).toHaveLength(4);
  });

  it('takes large files in parts, and shows none before it is whole', async () => {
    const { openStore, readAll } = await import('../archive/store.ts');
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
    expect(existsSync(join(keyFolder, 'x.ndjson'))).toBe(false);
  });
});
