import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { leafBytes, leafHash, payloadHash } from '@meridian/proof';
import { AuditedLog, readExport, writeExport } from '../../test/audited-log.ts';
import { run, type Ran } from '../../test/run.ts';
import { hashText, splitEntry, type RawEntry } from '../check/raw.ts';
import type { ProofFile } from '../verify/prove.ts';

const standAlone = fileURLToPath(new URL('../../../../docs/verify-proof.mjs', import.meta.url));

let folder: string;
let log: AuditedLog;
const folders: string[] = [];

function temporary(prefix: string): string {
  const made = mkdtempSync(join(tmpdir(), prefix));
  folders.push(made);
  return made;
}

afterAll(() => {
  for (const one of [...folders, ...AuditedLog.exported.splice(0)]) {
    rmSync(one, { recursive: true, force: true });
  }
});

/** Sixty calls in two regions, three checkpoints; contact c7 goes on in each third. */
beforeAll(async () => {
  log = new AuditedLog();
  for (let part = 0; part < 3; part += 1) {
    for (let call = 0; call < 20; call += 1) {
      log.call(call % 3 === 0 ? 'us' : 'eu', call === 7 ? 'c7' : `c${part}-${call}`);
      if (call % 5 === 4) log.order();
    }
    log.checkpoint();
  }
  folder = log.export();
  const kept = await run(['verify', '--offline', folder, '--keep-leaves']);
  expect(kept).toMatchObject({ code: 0 });
});

/** What `verify` says of a copy that somebody had a hand in. */
async function verifyAfter(
  stream: string,
  change: (entries: RawEntry[]) => RawEntry[],
  withLeaves: boolean,
): Promise<{ ran: Ran; first: { stream: string; sequence: number; what: string } | undefined }> {
  const copy = temporary('meridian-tampered-');
  cpSync(folder, copy, { recursive: true });
  if (!withLeaves) rmSync(join(copy, 'leaves.bin'));
  writeExport(copy, stream, change(readExport(copy, stream)));
  const ran = await run(['verify', '--offline', copy, '--json']);
  const { faults } = JSON.parse(ran.out) as {
    faults: { stream: string; sequence: number; what: string }[];
  };
  return { ran, first: faults[0] };
}

const changed =
  (sequence: number, change: (entry: RawEntry) => RawEntry) =>
  (entries: RawEntry[]): RawEntry[] =>
    entries.map((entry) => (entry.sequence === sequence ? change(entry) : entry));

const flipped = (entry: RawEntry): RawEntry => ({
  ...entry,
  data: entry.data.replace('"one"', '"onf"').replace('"r-', '"s-'),
});

/** The first entry of c7 in EV_eu, and the one that goes on with it. */
const ofC7 = (): RawEntry[] =>
  log.streams['EV_eu']!.filter(({ subject }) => subject.endsWith('.c7'));

/** Another first event, and every later one of the aggregate with the hash that then fits. */
function forged(entries: RawEntry[]): RawEntry[] {
  let previous: string | undefined;
  return entries.map((entry) => {
    if (!entry.subject.endsWith('.c7')) return entry;
    const texts = splitEntry(entry.data).map((text, index) => {
      const other =
        previous === undefined && index === 0 ? text.replace('"one"', '"forged"') : text;
      const linked =
        previous === undefined
          ? other
          : other.replace(/"prevhash":"[^"]*"/, `"prevhash":"${previous}"`);
      previous = hashText(linked);
      return linked;
    });
    return { ...entry, data: `[${texts.join(',\n')}]` };
  });
}

describe('meridian verify', () => {
  it('says that an untouched log holds, and who signed it', async () => {
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, JSON.stringify(log.keys));
    const { code, out } = await run(['verify', '--offline', folder, '--public-keys', keys]);
    expect(out).toContain('3 checkpoints, the last one that holds covers');
    expect(out).toContain('cosigned by us.');
    expect(out).toContain('All of it holds.');
    expect(code).toBe(0);
  });

  it.each([true, false])('finds a flipped byte, with leaves: %s', async (withLeaves) => {
    const [first] = ofC7();
    const { ran, first: fault } = await verifyAfter(
      'EV_eu',
      changed(first!.sequence, (entry) => ({
        ...entry,
        data: entry.data.replace('"two"', '"twp"'),
      })),
      withLeaves,
    );
    expect(ran.code).toBe(1);
    // The next entry of the contact names the hash: it is known even without the leaves.
    expect(fault).toMatchObject({ stream: 'EV_eu', sequence: first!.sequence });
  });

  it.each([
    ['the data of a request', 'IN_us', 4, flipped],
    ['the last event of a contact', 'EV_us', 5, flipped],
    ['a subject', 'IN_eu', 3, (entry: RawEntry) => ({ ...entry, subject: `${entry.subject}x` })],
    ['a time', 'IN_eu', 4, (entry: RawEntry) => ({ ...entry, storedAt: 1_790_000_000_009 })],
    [
      'a header',
      'IN_eu',
      5,
      (entry: RawEntry) => ({ ...entry, headers: { 'Nats-Msg-Id': 'another' } }),
    ],
  ])('names %s that was changed', async (_, stream, sequence, change) => {
    const exact = await verifyAfter(stream, changed(sequence, change), true);
    expect(exact.ran.code).toBe(1);
    expect(exact.first).toMatchObject({ stream, sequence });
    // Without the leaves it lies between two checkpoints: here before the first one.
    const found = await verifyAfter(stream, changed(sequence, change), false);
    expect(found.ran.code).toBe(1);
    expect(found.first).toMatchObject({ stream: 'IN_eu', sequence: 1 });
    expect(found.first!.what).toMatch(/^A message from here \(rank 0\) to rank \d+ is not what/);
  });

  it.each([true, false])('names a dropped event, with leaves: %s', async (withLeaves) => {
    const { ran, first } = await verifyAfter(
      'EV_us',
      (entries) => entries.filter(({ sequence }) => sequence !== 6),
      withLeaves,
    );
    expect(ran.code).toBe(1);
    expect(first).toMatchObject({
      stream: 'EV_us',
      sequence: 6,
      what: 'It is ordered, and it is not there.',
    });
  });

  it('says what is not ordered yet, and whether it goes on from what is', async () => {
    const last = log.streams['EV_us']!.at(-1) as RawEntry;
    const hash = hashText(splitEntry(last.data).at(-1) as string);
    const next = (prevhash: string): RawEntry => ({
      ...last,
      sequence: last.sequence + 1,
      data: last.data.replace(/"prevhash":"[^"]*"/, `"prevhash":"${prevhash}"`),
    });
    const { ran: before } = await verifyAfter('EV_us', (entries) => entries, true);
    const { unordered } = JSON.parse(before.out) as { unordered: number };
    const good = await verifyAfter('EV_us', (entries) => [...entries, next(hash)], true);
    expect(good.ran).toMatchObject({ code: 0 });
    expect(JSON.parse(good.ran.out)).toMatchObject({ unordered: unordered + 1 });
    const bad = await verifyAfter('EV_us', (entries) => [...entries, next('forged')], true);
    expect(bad.ran.code).toBe(1);
    expect(bad.first).toMatchObject({ stream: 'EV_us', sequence: last.sequence });
  });

  it('names the first of two that were swapped', async () => {
    const swapped = (entries: RawEntry[]): RawEntry[] => {
      const [a, b] = [entries[3]!, entries[8]!];
      return entries.map((entry) => {
        if (entry === a) return { ...b, sequence: a.sequence };
        return entry === b ? { ...a, sequence: b.sequence } : entry;
      });
    };
    const { ran, first } = await verifyAfter('IN_eu', swapped, true);
    expect(ran.code).toBe(1);
    expect(first).toMatchObject({ stream: 'IN_eu', sequence: 4 });
    const lines = await verifyAfter(
      'IN_eu',
      (all) => all.toSorted((a, b) => b.sequence - a.sequence),
      true,
    );
    expect(lines.ran.code).toBe(1);
    expect(lines.first).toMatchObject({ stream: 'IN_eu', sequence: 1 });
    const unnamed = await verifyAfter('IN_eu', swapped, false);
    expect(unnamed.first!.what).toContain('is not what it was when eu signed');
  });

  it('names an event that was forged with a chain that holds', async () => {
    const [first] = ofC7();
    const { ran, first: fault } = await verifyAfter('EV_eu', forged, true);
    expect(ran.code).toBe(1);
    expect(fault).toMatchObject({ stream: 'EV_eu', sequence: first!.sequence });
    // The chain alone would not have told.
    const unnamed = await verifyAfter('EV_eu', forged, false);
    expect(unnamed.ran.code).toBe(1);
    expect(unnamed.first!.what).toContain('is not what it was when eu signed');
  });

  it('tells an order or a signature that was changed', async () => {
    const order = log.streams['EV_eu']!.find(({ subject }) => subject.includes('.order.'))!;
    const other = (entry: RawEntry): RawEntry => ({
      ...entry,
      data: entry.data.replace('"afterRank":0', '"afterRank":1'),
    });
    const { first } = await verifyAfter('EV_eu', changed(order.sequence, other), false);
    expect(first).toMatchObject({ stream: 'EV_eu', sequence: order.sequence });
    const signed = log.streams['EV_us']!.find(({ subject }) => subject.includes('.chain.'))!;
    const cosigned = (entry: RawEntry): RawEntry => ({
      ...entry,
      data: entry.data.replace(/meridian\/us (.{9})./, (_, kept: string) => `meridian/us ${kept}~`),
    });
    const result = await verifyAfter('EV_us', changed(signed.sequence, cosigned), false);
    expect(result.ran.code).toBe(1);
    expect(JSON.stringify(JSON.parse(result.ran.out))).toContain(
      'The signature of us for the checkpoint of',
    );
  });

  it('does not take the keys of somebody else', async () => {
    const keys = join(temporary('meridian-keys-'), 'keys.json');
    writeFileSync(keys, JSON.stringify({ ...log.keys, eu: log.keys['us'] }));
    const { code, out } = await run(['verify', '--offline', folder, '--public-keys', keys]);
    expect(code).toBe(1);
    expect(out).toContain(`eu signed with the key ${log.keys['eu']}, not with ${log.keys['us']}.`);
  });

  it('takes no checkpoint of a region that is not on the list of keys', async () => {
    const stranger = new AuditedLog({ eu: 'zz', us: 'us' });
    stranger.call('eu', 'c1');
    stranger.order();
    stranger.checkpoint();
    const other = stranger.export();
    const keys = join(other, 'keys.json');
    writeFileSync(keys, JSON.stringify({ us: stranger.keys['us'] }));
    expect((await run(['verify', '--offline', other])).code).toBe(0);
    const { code, out } = await run(['verify', '--offline', other, '--public-keys', keys]);
    expect(out).toContain('zz signed with the key');
    expect(out).toContain('is not on the list of keys');
    expect(code).toBe(1);
  });

  it('holds nothing for signed where no checkpoint is left', async () => {
    const bare = new AuditedLog();
    bare.call('eu', 'c1');
    bare.order();
    const other = bare.export();
    const keys = join(other, 'keys.json');
    writeFileSync(keys, JSON.stringify(bare.keys));
    expect((await run(['verify', '--offline', other])).code).toBe(0);
    const { code, out } = await run(['verify', '--offline', other, '--public-keys', keys]);
    expect(out).toContain('No checkpoint is here that a key of the list signed.');
    expect(code).toBe(1);
  });

  it('tells an end that was cut off, where leaves were kept', async () => {
    const last = log.streams['EV_eu']!.findLast(({ subject }) => subject.includes('.order.'))!;
    // All that is left belongs together, and is signed.
    const cut = (entries: RawEntry[]): RawEntry[] =>
      entries.filter(({ sequence }) => sequence < last.sequence);
    const { ran, first } = await verifyAfter('EV_eu', cut, true);
    expect(first!.what).toMatch(
      /^\d+ messages were ordered when the leaves were kept, \d+ are here/,
    );
    expect(ran.code).toBe(1);
    expect((await verifyAfter('EV_eu', cut, false)).ran.code).toBe(0);
  });

  it.each([
    ['a checkpoint without its note', '.chain.', '"note":', '"nota":'],
    ['a range without an end', '.order.', /"upTo":\d+/, '"upTo":9007199254740991'],
    ['a key of another length', '.order.', /"key":"/, `"key":"${'A'.repeat(80)}`],
  ])('is not stopped by %s', async (_, kind, from, to) => {
    const entry = log.streams['EV_eu']!.find(({ subject }) => subject.includes(kind))!;
    const { ran, first } = await verifyAfter(
      'EV_eu',
      changed(entry.sequence, (one) => ({ ...one, data: one.data.replace(from, to) })),
      false,
    );
    expect(ran.code).toBe(1);
    expect(first!.what).not.toBe('');
  });

  it('says what it needs', async () => {
    const empty = temporary('meridian-empty-');
    expect((await run(['verify', '--offline', empty])).err).toContain('There is no export in');
    expect((await run(['verify', '--offline', join(empty, 'x')])).code).toBe(2);
    expect((await run(['verify', '--keep-leaves'])).code).toBe(2);
    const keys = await run(['verify', '--offline', folder, '--public-keys', standAlone]);
    expect(keys.err).toContain('is no list of keys');
  });
});

describe('meridian prove', () => {
  /** What the verifier that stands alone says, and whether all of it holds. */
  function check(file: string, ...more: string[]): { ok: boolean; out: string } {
    try {
      const out = execFileSync(process.execPath, [standAlone, file, ...more], { encoding: 'utf8' });
      return { ok: true, out };
    } catch (error) {
      const { stdout } = error as { stdout: string };
      return { ok: false, out: stdout };
    }
  }

  it('writes what the verifier alone checks, and what fails once anything is changed', async () => {
    const file = join(temporary('meridian-proof-'), 'proof.json');
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, JSON.stringify(log.keys));
    const ran = await run(['prove', 'demo.contact.c7.1', '--offline', folder, '--out', file]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const good = check(file, keys);
    expect(good).toMatchObject({ ok: true });
    expect(good.out).toContain('is signed by meridian/us');
    expect(good.out).toContain('ended at revision 5 then');
    const text = readFileSync(file, 'utf8');
    for (const [from, to] of [
      ['"two', '"twp'],
      ['two\\', 'twp\\'],
      ['"rank": ', '"rank": 1'],
      ['"revision": 5', '"revision": 3'],
      ['"storedAtMs": 17', '"storedAtMs": 18'],
      ['meridian/eu\\n', 'meridian/ew\\n'],
    ] as const) {
      if (!text.includes(from)) continue;
      writeFileSync(file, text.replace(from, to));
      expect(check(file, keys).ok).toBe(false);
    }
    writeFileSync(file, text);
    writeFileSync(keys, JSON.stringify({ eu: log.keys['us'] }));
    expect(check(file, keys).ok).toBe(false);
  });

  it('cannot be forged by hashes that are none', async () => {
    const file = join(temporary('meridian-proof-'), 'proof.json');
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, JSON.stringify(log.keys));
    await run(['prove', 'demo.contact.c7.1', '--offline', folder, '--out', file]);
    const proof = JSON.parse(readFileSync(file, 'utf8')) as ProofFile;
    const bytes = (text: string): Buffer => Buffer.from(text, 'base64');
    const { message, rank, inclusion } = proof;
    const header = (name: string) => message.headers[name] as string | undefined;
    const payload = payloadHash(bytes(proof.salt), { header, data: message.data });
    const leaf = leafHash(leafBytes({ ...message, payloadHash: payload }));
    const pair = [leaf, bytes(inclusion[0]!)];
    if (rank % 2 === 1) pair.reverse();
    // Both halves of the leaf's parent as one of them, and one hash too many below it.
    const forged = {
      ...proof,
      message: { ...message, data: message.data.replace('"two"', '"forged"') },
      inclusion: ['', Buffer.concat(pair).toString('base64'), ...inclusion.slice(1)],
    };
    expect(forged.message.data).not.toBe(message.data);
    writeFileSync(file, JSON.stringify(forged));
    expect(check(file, keys).ok).toBe(false);
    writeFileSync(file, JSON.stringify({ ...proof, inclusion: [inclusion[0], ...inclusion] }));
    expect(check(file, keys).ok).toBe(false);
    writeFileSync(file, JSON.stringify(proof));
    expect(check(file, keys)).toMatchObject({ ok: true });
  });

  it('says why there is none', async () => {
    const none = await run(['prove', 'demo.contact.nobody.0', '--offline', folder]);
    expect(none.code).toBe(3);
    expect(none.err).toContain('There is no event demo.contact.nobody.0 in the order.');
    const later = new AuditedLog();
    later.call('eu', 'c1');
    later.order();
    const early = await run(['prove', 'demo.contact.c1.0', '--offline', later.export()]);
    expect(early.err).toContain('No checkpoint covers demo.contact.c1.0 yet');
    const copy = temporary('meridian-tampered-');
    cpSync(folder, copy, { recursive: true });
    writeExport(copy, 'IN_eu', readExport(copy, 'IN_eu').slice(1));
    const broken = await run(['prove', 'demo.contact.c7.1', '--offline', copy]);
    expect(broken.err).toContain('This copy of the log does not hold: IN_eu 1:');
  });
});
