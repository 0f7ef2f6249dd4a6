import { hash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { messageLeaf } from '@meridian/proof';
import {
  ArchiveBed,
  changeLines,
  copyOf,
  foldersOf,
  manifestOf,
  newFolder,
  round,
  time,
} from '../../test/archive-bed.ts';
import { AuditedLog } from '../../test/audited-log.ts';
import { run } from '../../test/run.ts';
import type { RawEntry } from '../check/raw.ts';
import { storedMessage } from '../verify/verify.ts';

let bed: ArchiveBed;
beforeAll(async () => {
  bed = new ArchiveBed();
  await bed.create(bed.archives, '--max-size', '1');
});

describe('meridian archive create', () => {
  it('archives from checkpoint to checkpoint, and nothing twice', async () => {
    const verdict = await bed.verdictOf(bed.archives);
    expect(verdict).toMatchObject({ ok: true, archives: 4, ranks: { from: 0 }, faults: [] });
    expect(verdict.signedBy.toSorted()).toEqual(['eu', 'us']);
    expect(verdict.strays).toEqual([]);
    expect(verdict.messages).toBe(verdict.ranks.to);
    const again = await run(['archive', 'create', '--to', bed.archives, '--offline', bed.exports]);
    expect(again.out).toBe(
      `There is nothing to archive. ${bed.archives} holds the first ${verdict.messages} messages of the order.\n`,
    );
    const listed = await run(['archive', 'list', bed.archives]);
    expect(listed.out.split('\n')).toHaveLength(4 + 2);
    const one = newFolder();
    await run(['archive', 'create', '--to', one, '--offline', bed.exports]);
    expect(await bed.verdictOf(one)).toMatchObject({
      ok: true,
      archives: 1,
      messages: verdict.messages,
    });
  });

  it('goes on from where the last archive ends, after being interrupted too', async () => {
    const [first, second] = foldersOf(bed.archives);
    const signed = manifestOf(bed.archives, first!).checkpoint.size;
    const early = newFolder();
    // The checkpoint is a message itself, stored right after what it covers.
    const at = bed.log.streams['EV_eu']!.find(({ data }) => data.includes('checkpoint_signed'))!;
    const before = new Date(Date.parse(String(at.storedAt)) + 1).toISOString();
    const ran = await run([
      'archive',
      'create',
      '--to',
      early,
      '--offline',
      bed.exports,
      '--before',
      before,
    ]);
    expect(ran.out).toContain(`holds the first ${signed} messages of the order.`);
    expect(ran.out).toContain('more are signed and younger.');
    // The manifest comes last: without it the second archive was not made.
    const interrupted = copyOf(bed.archives);
    for (const folder of foldersOf(bed.archives).slice(1)) {
      rmSync(join(interrupted, folder, 'manifest.json'));
      if (folder !== second) rmSync(join(interrupted, folder), { recursive: true });
    }
    const left = (await bed.verdictOf(interrupted)).strays.length;
    expect(left).toBe(6);
    await run(['archive', 'create', '--to', interrupted, '--offline', bed.exports]);
    expect(await bed.verdictOf(interrupted)).toMatchObject({ ok: true, archives: 2 });
    expect((await bed.verdictOf(interrupted)).strays).toHaveLength(left);
  });

  it('writes nothing of a log that does not hold, nor of another one', async () => {
    const bad = copyOf(bed.exports);
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
    const mixed = await run([
      'archive',
      'create',
      '--to',
      bed.archives,
      '--offline',
      other.export(),
    ]);
    expect(mixed.err).toContain('they are of another log, or the log was cut off.');
    const part = copyOf(bed.exports);
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
      ['create', '--to', bed.archives, '--before', 'soon'],
      ['create', '--to', bed.archives, '--older-than', '3 days'],
      ['create', '--to', bed.archives, '--max-size', '0'],
      ['restore', '--from', bed.archives],
      ['restore', '--from', bed.archives, '--to', join(newFolder(), 'x.ndjson')],
      ['delete', bed.archives, '--tenant', 'meridian', '--before', time(0), '--reason', 'x'],
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
    const copy = copyOf(bed.archives);
    const [, folder = ''] = foldersOf(copy);
    const { from } = manifestOf(copy, folder).segments.find(({ stream }) => stream === 'EV_eu')!;
    changeLines(copy, folder, 'EV_eu', change);
    const { ok, faults } = await bed.verdictOf(copy);
    expect(ok).toBe(false);
    expect(faults[0]).toMatchObject({ archive: folder, stream: 'EV_eu', sequence: from + index });
  });

  it('tells where leaves are not those that were signed', async () => {
    const copy = newFolder();
    await bed.create(copy);
    const [folder = ''] = foldersOf(copy);
    const { leaves } = manifestOf(copy, folder);
    const bytes = readFileSync(join(copy, leaves.file));
    const rank = manifestOf(bed.archives, foldersOf(bed.archives)[1]!).ranks.from + 3;
    bytes[rank * 32] = (bytes[rank * 32] ?? 0) ^ 1;
    writeFileSync(join(copy, leaves.file), bytes);
    const { faults } = await bed.verdictOf(copy);
    expect(faults[0]).toMatchObject({ rank, what: 'It is not what it was when it was signed.' });
  });

  it('tells between which checkpoints, where message, leaf and hashes were changed together', async () => {
    const copy = newFolder();
    await bed.create(copy);
    const [folder = ''] = foldersOf(copy);
    const [, second = '', third = ''] = foldersOf(bed.archives);
    const [from, to] = [second, third].map((name) => manifestOf(bed.archives, name).ranks.from);
    const manifest = manifestOf(copy, folder);
    const sequence = manifestOf(bed.archives, second).segments[0]!.from + 4;
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
    const original = messageLeaf(
      key,
      storedMessage(bed.log.streams[segment.stream]![sequence - 1]!),
    );
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
    const { faults } = await bed.verdictOf(copy);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ rank: from });
    expect(faults[0]?.what).toContain(`(rank ${from}) to rank ${to! - 1} is not what it was`);
  });

  it('misses an archive between two, and a start that is not the end before', async () => {
    const gap = copyOf(bed.archives);
    const [, second = '', third = ''] = foldersOf(gap);
    rmSync(join(gap, second), { recursive: true });
    const { ok, faults } = await bed.verdictOf(gap);
    expect(ok).toBe(false);
    expect(faults[0]).toMatchObject({ archive: third, stream: 'ranks' });
    const begun = copyOf(bed.archives);
    const file = join(begun, second, 'manifest.json');
    const manifest = manifestOf(begun, second);
    const frontier = manifest.start.frontier.toSpliced(
      0,
      1,
      Buffer.alloc(32).toString('base64url'),
    );
    writeFileSync(file, JSON.stringify({ ...manifest, start: { ...manifest.start, frontier } }));
    expect((await bed.verdictOf(begun)).faults[0]).toMatchObject({
      archive: second,
      stream: 'start',
    });
  });

  it('takes no key that is not on the list, and no manifest that says otherwise', async () => {
    const file = join(newFolder(), 'keys.json');
    writeFileSync(file, JSON.stringify({ eu: bed.log.keys['us'] }));
    const { ok, faults } = await bed.verdictOf(bed.archives, ['--public-keys', file]);
    expect(ok).toBe(false);
    expect(faults[0]?.what).toContain('No known key signed the checkpoint of');
    const copy = copyOf(bed.archives);
    const [folder = ''] = foldersOf(copy);
    const manifest = manifestOf(copy, folder);
    const leaves = { ...manifest.leaves, file: '../leaves.bin' };
    writeFileSync(join(copy, folder, 'manifest.json'), JSON.stringify({ ...manifest, leaves }));
    expect((await run(['archive', 'verify', copy])).err).toContain('is no manifest of the format');
  });
});
