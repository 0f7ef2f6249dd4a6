import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
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
import { AuditedLog, readExport, writeExport } from '../../test/audited-log.ts';
import { run } from '../../test/run.ts';

let bed: ArchiveBed;
beforeAll(async () => {
  bed = new ArchiveBed();
  await bed.create(bed.archives, '--max-size', '1');
});

describe('meridian archive restore', () => {
  it('gives back the bytes of the exports', async () => {
    const to = newFolder();
    const ran = await run(['archive', 'restore', '--from', bed.archives, '--to', to]);
    expect(ran.code).toBe(0);
    const { ranks } = await bed.verdictOf(bed.archives);
    let messages = 0;
    for (const stream of ['EV_eu', 'EV_us', 'IN_eu', 'IN_us']) {
      const restored = readFileSync(join(to, `${stream}.ndjson`), 'utf8');
      expect(readFileSync(join(bed.exports, `${stream}.ndjson`), 'utf8').startsWith(restored)).toBe(
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
      run([
        'archive',
        'restore',
        '--from',
        bed.archives,
        '--to',
        file,
        '--stream',
        'EV_eu',
        ...more,
      ]);
    expect((await restore('--contact', 'c7')).out).toBe(`4 messages of EV_eu are in ${file}.\n`);
    const subjects = readFileSync(file, 'utf8').trim().split('\n');
    expect(subjects.every((line) => line.includes('.contact.c7"'))).toBe(true);
    await restore('--since', time(3), '--until', time(6));
    const lines = bed.log.streams['EV_eu']!.slice(2, 5).map(
      (entry) => `${JSON.stringify(entry)}\n`,
    );
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(await restore('--stream', 'EV_ap')).toMatchObject({ code: 3 });
  });

  it('leaves no half of a file where a segment is not whole', async () => {
    const copy = copyOf(bed.archives);
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
    const copy = copyOf(bed.archives);
    const [first = '', , , last = ''] = foldersOf(copy);
    // In the middle: of the last archive something stays.
    const times = manifestOf(copy, last).tenants['acme']!;
    const ran = await bed.delete(copy, '--tenant', 'acme', '--before', times.lastStoredAt);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const verdict = await bed.verdictOf(copy);
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
    await bed.delete(copy, '--tenant', 'demo', '--before', time(1_000));
    expect((await bed.verdictOf(copy)).deleted).toHaveLength(8);
    expect(await bed.verdictOf(copy)).toMatchObject({ ok: true });
    expect(
      (await bed.delete(copy, '--tenant', 'acme', '--before', times.lastStoredAt)).out,
    ).toContain('Nothing of acme');
    const to = newFolder();
    const restored = await run(['archive', 'restore', '--from', copy, '--to', to]);
    expect(restored.out).toContain('were deleted from the archives.');
  });

  it('does not hold when a record is missing, changed, or signed by somebody else', async () => {
    const copy = copyOf(bed.archives);
    await bed.delete(copy, '--tenant', 'acme', '--before', time(1_000));
    const [folder = ''] = foldersOf(copy);
    const [name = ''] = manifestOf(copy, folder).deletions;
    const text = readFileSync(join(copy, name), 'utf8');
    writeFileSync(join(copy, name), text.replace('the contract ended', 'no reason'));
    expect((await bed.verdictOf(copy)).faults[0]?.what).toContain('The signature of the record');
    rmSync(join(copy, name));
    const missing = await bed.verdictOf(copy);
    expect(missing.faults[0]?.what).toContain('cannot be read');
    expect(missing.faults[1]?.what).toContain('It was deleted, and the record');
    writeFileSync(join(copy, name), text);
    expect(await bed.verdictOf(copy)).toMatchObject({ ok: true });
    const { ok } = await bed.verdictOf(copy, []);
    expect(ok).toBe(false);
    // More was taken than the record says.
    changeLines(copy, folder, 'EV_eu', (lines) =>
      lines.map((line, at) =>
        at === 2 ? JSON.stringify({ stream: 'EV_eu', sequence: at + 1, deleted: name }) : line,
      ),
    );
    expect((await bed.verdictOf(copy)).faults.map(({ what }) => what).join()).toContain(
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
          timeMs: Date.parse(time(0)),
        },
      ]);
    const unseen = held.export();
    hold('meridian.privacy.hold_placed.v1');
    const to = newFolder();
    await run(['archive', 'create', '--to', to, '--offline', held.export()]);
    const args = ['--tenant', 'acme', '--before', time(1_000)];
    const of = (folder: string) => bed.deleteBy(folder, to, ...args);
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
