import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { facts } from '../../test/receipt-facts.ts';
import { run } from '../../test/run.ts';
import {
  buildReceipt,
  canonicalJson,
  ensureSigningKey,
  inconsistenciesOf,
  lostOf,
  renderReceipt,
  signReceipt,
  verifyReceipt,
  type Receipt,
  type SignedReceipt,
} from './index.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-receipt-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sign = (receipt: Receipt): string => signReceipt(receipt, ensureSigningKey(folder, 'us'));

/** Every place in a JSON value that is no object or list, as a path. */
function leaves(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...path, key]));
}

/** The same value with another leaf at the path. */
function mutate<T>(value: T, path: readonly (string | number)[]): T {
  const copy = structuredClone(value);
  let inner = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) inner = inner[key] as Record<string | number, unknown>;
  const last = path.at(-1) as string | number;
  const before = inner[last];
  inner[last] =
    typeof before === 'number'
      ? before + 1
      : typeof before === 'boolean'
        ? !before
        : before === null
          ? 1
          : `${before as string}x`;
  return copy;
}

describe('canonical JSON', () => {
  it('writes the example of RFC 8785, section 3.2.2', () => {
    const value = {
      // As the RFC has it: more digits than a number holds.
      // oxlint-disable-next-line eslint/no-loss-of-precision
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts keys by their UTF-16 code units', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const value = Object.fromEntries(keys.map((key) => [key, 0]));
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object)).toEqual([
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\u{1f600}',
      '\ufb33',
    ]);
    expect(canonicalJson(value).indexOf('"\\r"')).toBe(1);
  });

  it.each([[Number.NaN], [Infinity], ['\ud800'], [undefined]])(
    'refuses %p with its place',
    (bad) => {
      expect(() => canonicalJson({ a: [1, bad] })).toThrow('at /a/1');
    },
  );
});

describe('a receipt', () => {
  it('keeps every promise when the figures are good, and fits together', () => {
    const receipt = buildReceipt(facts());
    expect(receipt.verdicts.filter(({ kept }) => !kept)).toEqual([]);
    expect(receipt.passed).toBe(true);
    expect(receipt.totals).toEqual({
      acknowledged: 120_000,
      missing: 18,
      lost: 0,
      violations: 0,
      orphansUnaccounted: 0,
      perSecond: 1_993.4,
      longestPauseMs: 640,
    });
    expect(inconsistenciesOf(receipt)).toEqual([]);
  });

  it('promises no rate where none was asked for', () => {
    const { parameters } = facts();
    const receipt = buildReceipt(facts({ parameters: { ...parameters, ratePerSecond: null } }));
    expect(receipt.verdicts.map(({ code }) => code)).not.toContain('LOAD');
    expect(inconsistenciesOf(receipt)).toEqual([]);
    const text = renderReceipt(receipt, (_colour, plain) => plain);
    expect(text).toContain('\n1993.4 requests/s acknowledged; 12 batches sent again\n');
  });

  it.each<[string, Parameters<typeof facts>[0]]>([
    [
      'MIRRORED_KEPT',
      { missing: lostOf([{ durability: 'mirrored', stream: 'IN_eu', sequence: 7 }]) },
    ],
    ['NOTHING_LOST', { lost: lostOf([{ durability: 'region', stream: 'IN_eu', sequence: 7 }]) }],
    ['ONE_AGENT_ONE_CONTACT', { doubleAssignments: 1 }],
    ['ORPHANS_ACCOUNTED', { orphans: { found: 4, adopted: 2, setAside: 1 } }],
    ['INVARIANTS', { check: { ...facts().check, violations: { revision: 1 } } }],
    ['COPIES_ALIKE', { check: { ...facts().check, copiesThatDiffer: ['EV_eu in us'] } }],
    ['RETRIES_CURE', { publishing: { ...facts().publishing, uncured: 1 } }],
    ['LOAD', { publishing: { ...facts().publishing, acknowledgedInTime: 107_000 } }],
    ['RPO', { rpoMs: 1_001 }],
    ['RTO', { times: { ...facts().times, firstOfferMs: 15_001 } }],
    ['RTO', { times: { ...facts().times, firstOfferMs: null } }],
  ])('says that %s is broken', (code, changed) => {
    const receipt = buildReceipt(facts(changed));
    expect(receipt.verdicts.filter(({ kept }) => !kept).map((verdict) => verdict.code)).toEqual([
      code,
    ]);
    expect(receipt.passed).toBe(false);
    expect(inconsistenciesOf(receipt)).toEqual([]);
  });

  it('promises other things when planned', () => {
    const { parameters, publishing } = facts();
    const planned = (pauseMs: number) =>
      buildReceipt(
        facts({
          parameters: { ...parameters, kind: 'PLANNED' },
          publishing: { ...publishing, longestPauseMs: { eu: pauseMs } },
          missing: lostOf([]),
          rpoMs: null,
          orphans: { found: 0, adopted: 0, setAside: 0 },
        }),
      );
    expect(planned(2_000).passed).toBe(true);
    expect(planned(2_001).verdicts.filter(({ kept }) => !kept)).toMatchObject([{ code: 'PAUSE' }]);
  });

  it('judges what one drill alone promises', () => {
    const lag = {
      code: 'LAG',
      promise: 'x',
      measured: 16,
      bound: 'at most',
      limit: 15,
      unit: 's',
    } as const;
    expect(buildReceipt(facts({ observations: [lag] })).passed).toBe(false);
    expect(buildReceipt(facts({ observations: [{ ...lag, measured: 15 }] })).passed).toBe(true);
  });

  it('joins neighbouring lost sequences, and counts those it does not list', () => {
    const every = (step: number) =>
      Array.from({ length: 150 }, (_, index) => ({
        durability: 'region' as const,
        stream: 'IN_eu',
        sequence: 10 + index * step,
      }));
    expect(lostOf(every(1))).toEqual({
      count: { region: 150, mirrored: 0, all: 0 },
      ranges: [{ durability: 'region', stream: 'IN_eu', from: 10, to: 159 }],
      rangesLeftOut: 0,
    });
    expect(lostOf(every(2))).toMatchObject({ count: { region: 150 }, rangesLeftOut: 50 });
  });
});

describe('verification', () => {
  it('passes what was signed, and the key can be pinned', () => {
    const text = sign(buildReceipt(facts()));
    const { publicKey } = ensureSigningKey(folder, 'us');
    expect(verifyReceipt(text, publicKey)).toMatchObject({ ok: true, problems: [] });
    expect(verifyReceipt(`${text}\n`).ok).toBe(true);
    expect(verifyReceipt(text, ensureSigningKey(folder, 'eu').publicKey).problems).toEqual([
      expect.stringContaining('not with'),
    ]);
    expect(statSync(join(folder, 'us-receipts.pem')).mode & 0o777).toBe(0o600);
  });

  it('notices every change of any value', () => {
    const signed = JSON.parse(sign(buildReceipt(facts()))) as SignedReceipt;
    const paths = leaves(signed);
    expect(paths.length).toBeGreaterThan(150);
    for (const path of paths) {
      const { ok } = verifyReceipt(canonicalJson(mutate(signed, path)));
      expect([path.join('/'), ok]).toEqual([path.join('/'), false]);
    }
  });

  it('notices every changed conclusion, even when it is signed anew', () => {
    const receipt = buildReceipt(facts());
    const concluded = leaves(receipt).filter(([first]) =>
      ['totals', 'verdicts', 'passed'].includes(String(first)),
    );
    expect(concluded.length).toBeGreaterThan(70);
    for (const path of concluded) {
      const { problems } = verifyReceipt(sign(mutate(receipt, path)));
      expect([path.join('/'), problems.length > 0]).toEqual([path.join('/'), true]);
    }
  });

  it.each<[string, (receipt: Receipt) => object]>([
    [
      'its ranges hold 18',
      (one) => ({ missing: { ...one.missing, count: { region: 19, mirrored: 0, all: 0 } } }),
    ],
    [
      'were acknowledged',
      () => ({
        lost: lostOf([{ durability: 'all', stream: 'IN_us', sequence: 1 }]),
        publishing: {
          ...facts().publishing,
          acknowledged: { region: 120_000, mirrored: 0, all: 0 },
        },
      }),
    ],
    [
      'has no seal',
      (one) => ({
        ownership: {
          ...one.ownership,
          eu: [
            { epoch: 1, owner: 'eu', upTo: null },
            { epoch: 2, owner: 'us', upTo: null },
          ],
        },
      }),
    ],
    [
      'is sealed, and none follows',
      (one) => ({ ownership: { ...one.ownership, us: [{ epoch: 1, owner: 'us', upTo: 5 }] } }),
    ],
    [
      'has epoch 3 after 1',
      (one) => ({
        ownership: {
          ...one.ownership,
          us: [
            { epoch: 1, owner: 'us', upTo: 5 },
            { epoch: 3, owner: 'ap', upTo: null },
          ],
        },
      }),
    ],
    [
      'is not in its epochs',
      (one) => ({ takeovers: one.takeovers.map((each) => ({ ...each, to: 'ap' })) }),
    ],
    [
      'says nothing of ap',
      () => ({ ownership: { eu: facts().ownership['eu'], us: facts().ownership['us'] } }),
    ],
    [
      'acknowledged in time, and 120000 in all',
      (one) => ({ publishing: { ...one.publishing, acknowledgedInTime: 120_001 } }),
    ],
    ['before its detection', (one) => ({ times: { ...one.times, detectionMs: 9_000 } })],
    ['before the takeover', (one) => ({ times: { ...one.times, firstOfferMs: 6_000 } })],
    ['more than the 3 found', () => ({ orphans: { found: 3, adopted: 3, setAside: 1 } })],
    ['is after the end', () => ({ actions: [{ atMs: 1e7, what: 'kill eu' }] })],
    ['is not after startedAt', () => ({ endedAt: '2026-03-02T07:00:00.000Z' })],
    ['missing or of another kind', () => ({ missing: null })],
  ])('says of figures that do not add up: %s', (sentence, change) => {
    const receipt = buildReceipt(facts());
    const { ok, problems } = verifyReceipt(sign({ ...receipt, ...change(receipt) }));
    expect(ok).toBe(false);
    expect(problems.join('\n')).toContain(sentence);
  });

  it('refuses what is not canonical, so that nothing can hide in it', () => {
    const text = sign(buildReceipt(facts()));
    const twice = text.replace('{"receipt":', '{"receipt":{},"receipt":');
    for (const other of [JSON.stringify(JSON.parse(text), null, 1), twice]) {
      expect(verifyReceipt(other).problems).toEqual([expect.stringContaining('canonical')]);
    }
  });
});

describe('meridian receipt verify', () => {
  const at = (...args: string[]) => run(['receipt', 'verify', ...args], { folder });

  it('prints the receipt of a file, and says who signed it', async () => {
    writeFileSync(join(folder, 'good.json'), sign(buildReceipt(facts())));
    const { code, out } = await at('good.json', '--public-key', 'receipt-keys.json');
    expect(code).toBe(0);
    for (const part of [
      'kill eu',
      'All promises were kept',
      'eu    1 eu up to 4711, 2 us',
      '120,000',
      'Signed by us with',
    ]) {
      expect(out).toContain(part);
    }
    expect(JSON.parse((await at('good.json', '--json')).out)).toMatchObject({
      ok: true,
      passed: true,
    });
  });

  it('answers no to a changed file, and says what is wrong', async () => {
    const text = readFileSync(join(folder, 'good.json'), 'utf8');
    writeFileSync(
      join(folder, 'bad.json'),
      text.replace('"doubleAssignments":0', '"doubleAssignments":2'),
    );
    const { code, out } = await at('bad.json');
    expect(code).toBe(1);
    expect(out).toContain('NOT to be trusted');
    expect(out).toContain('The signature does not fit');
    expect(out).toContain('verdicts/2/measured is 0; from the figures follows 2');
  });

  it('does not understand what is no receipt, or a key list without the signer', async () => {
    writeFileSync(join(folder, 'none.json'), '[]');
    writeFileSync(join(folder, 'keys.json'), '{"ap":"x"}');
    expect((await at('none.json')).code).toBe(2);
    expect((await at('nowhere.json')).err).toContain('nowhere.json cannot be read');
    expect((await at('good.json', '--public-key', 'keys.json')).err).toContain(
      'has no key of the region us',
    );
    expect((await at('good.json', '--public-key', 'short')).code).toBe(2);
  });
});
