import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AuditedLog } from '../../test/audited-log.ts';
import { run, type Ran } from '../../test/run.ts';
import type { LogCopy } from '../verify/source.ts';
import { verifyCopy } from '../verify/verify.ts';

const standAlone = fileURLToPath(new URL('../../../../docs/verify-proof.mjs', import.meta.url));

afterAll(() => {
  for (const one of AuditedLog.exported.splice(0)) rmSync(one, { recursive: true, force: true });
});

describe('meridian verify, with what was kept or lost', () => {
  it('names an export that was rolled back behind a note that was kept, or is another one', async () => {
    const other = new AuditedLog();
    const calls = (from: number): void => {
      for (let call = from; call < from + 5; call += 1) other.call('eu', `c${call}`);
      other.order();
      other.checkpoint();
    };
    calls(0);
    const early = other.export();
    calls(5);
    const later = other.export();
    const [note, keys] = [join(later, 'kept.note'), join(later, 'keys.json')];
    writeFileSync(keys, JSON.stringify(other.keys));
    const since = (at: string, ...more: string[]): Promise<Ran> =>
      run(['verify', '--offline', at, '--public-keys', keys, ...more]);
    expect((await since(early, '--keep-note', note)).code).toBe(0);
    const good = await since(later, '--since', note, '--keep-note', note);
    expect(good.out).toMatch(
      /It goes on from the \d+ messages of the note that was kept, signed by eu, us/,
    );
    expect(good.code).toBe(0);
    // The note is of the later one now: all that is left of the early one holds, and is too little.
    const back = await since(early, '--since', note);
    expect(back.out).toMatch(
      /It was rolled back: eu, us signed \d+ messages before, and only \d+ are/,
    );
    expect(back.code).toBe(1);
    const another = new AuditedLog();
    another.call('eu', 'c1');
    another.order();
    another.checkpoint();
    const strange = another.export();
    const stranger = await run(['verify', '--offline', strange, '--since', note]);
    expect(stranger.out).toContain('is signed by no key that is known here');
    expect(stranger.code).toBe(1);
    writeFileSync(note, 'nothing');
    expect((await since(later, '--since', note)).out).toContain('is no checkpoint');
  });

  it('tells a log that was written anew, with keys that are right, from one that was kept', async () => {
    const other = new AuditedLog();
    other.call('eu', 'c1');
    other.order();
    other.checkpoint();
    const note = join(other.export(), 'kept.note');
    const [before] = other.streams['EV_eu']!.flatMap(({ data }) =>
      data.includes('checkpoint_signed') ? [JSON.parse(data) as { data: { note: string } }[]] : [],
    );
    writeFileSync(note, before![0]!.data.note);
    // Who has the keys signs another history of the same length.
    const anew = other.anew();
    anew.call('eu', 'c2');
    anew.order();
    anew.checkpoint();
    const forgery = anew.export();
    expect((await run(['verify', '--offline', forgery])).code).toBe(0);
    const { code, out } = await run(['verify', '--offline', forgery, '--since', note]);
    expect(out).toContain('is not what it was when eu signed the note of --since');
    expect(code).toBe(1);
  });

  it('holds in the view of an operator, and says what to do in that of one tenant of several', async () => {
    const other = new AuditedLog();
    other.call('eu', 'c1');
    other.decide('eu', 'acme', 'contact', 'x1', [
      {
        type: 'meridian.contact.connected_to_system.v1',
        subject: 'x1',
        data: {},
        cause: { causationId: '/pbx#x1' },
        timeMs: 1_790_000_000_000,
      },
    ]);
    other.order();
    other.checkpoint();
    const viewOf = (tenant: string): LogCopy => ({
      streams: Object.keys(other.streams),
      caution: 'An API key shows its own tenant only.',
      async *read(stream) {
        const seen = other.streams[stream]!.filter(({ subject }) => {
          const of = subject.split('.')[stream.startsWith('IN_') ? 2 : 3] ?? '';
          return tenant === 'meridian' || [tenant, 'meridian'].includes(of);
        });
        yield seen.map((entry) => JSON.stringify(entry));
      },
    });
    expect(await verifyCopy(viewOf('meridian'))).toMatchObject({ ok: true, covered: 3 });
    const { ok, faults } = await verifyCopy(viewOf('demo'));
    expect([ok, faults[0]?.stream, faults[0]?.what]).toEqual([
      false,
      'EV_eu',
      'It is ordered, and it is not there. An API key shows its own tenant only.',
    ]);
  });

  it('says which key signed what, after one was lost', async () => {
    const other = new AuditedLog();
    const first = other.keys['eu'];
    for (const id of ['c1', 'c2']) {
      other.call('eu', id);
      other.order();
      other.checkpoint();
      if (id === 'c1') other.loseKey();
    }
    const at = other.export();
    const keys = join(at, 'keys.json');
    writeFileSync(keys, JSON.stringify(other.keys));
    const { code, out } = await run(['verify', '--offline', at, '--public-keys', keys]);
    expect(out).toContain(`eu signed 1 of them (that of 2) with ${first}`);
    expect(out).toMatch(
      new RegExp(`eu signed 1 of them .that of \\d+. with ${other.keys['eu+2']}`),
    );
    expect(code).toBe(0);
    writeFileSync(keys, JSON.stringify({ ...other.keys, 'eu+2': first }));
    const refused = await run(['verify', '--offline', at, '--public-keys', keys]);
    expect(refused.out).toContain(
      `eu signed with the key ${other.keys['eu+2']}, not with ${first}`,
    );
    const proof = join(at, 'proof.json');
    await run(['prove', 'demo.contact.c2.1', '--offline', at, '--out', proof]);
    writeFileSync(keys, JSON.stringify(other.keys));
    const alone = execFileSync(process.execPath, [standAlone, proof, keys], { encoding: 'utf8' });
    expect(alone).not.toContain('FAIL');
  });
});
