import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EdgeDouble } from '../../test/edge-double.ts';
import { takenOver } from '../../test/mesh-scenes.ts';
import { run } from '../../test/run.ts';
import type { RawEntry } from '../check/index.ts';

const regions = { eu: ['eu', 'us'], us: ['us', 'eu'] } as const;

describe('meridian check of a mesh', () => {
  let folder = '';
  const edges = new Map<string, EdgeDouble>();
  const edge = (region: string): EdgeDouble => edges.get(region) as EdgeDouble;
  const { streams } = takenOver();
  const entriesOf = (stream: string): readonly RawEntry[] => streams.get(stream) ?? [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'meridian-check-'));
    for (const [region, names] of Object.entries(regions)) {
      const double = await EdgeDouble.start();
      edges.set(region, double);
      double.json('GET /v1/regions', { region, regions: names.map((name) => ({ region: name })) });
      for (const name of names) {
        double.lines(`GET /v1/log/EV_${name}`, entriesOf(`EV_${name}`));
        double.lines(`GET /v1/log/IN_${name}`, []);
      }
    }
    const current = Object.fromEntries(
      [...edges].map(([region, { url }]) => [region, { url, key: 'mk_a_b' }]),
    );
    mkdirSync(join(folder, '.meridian'));
    const file = join(folder, '.meridian', 'current.json');
    writeFileSync(file, JSON.stringify({ ...current['eu'], regions: current }));
  });

  afterEach(async () => {
    for (const double of edges.values()) await double.close();
    edges.clear();
    rmSync(folder, { recursive: true });
  });

  it('reads all streams at one edge, and says what does not count', async () => {
    // Requests that the intakes do not hold were not looked for when they cannot be read.
    for (const name of ['eu', 'us']) edge('eu').problem(`GET /v1/log/IN_${name}`, 403, 'No', 'no');
    const { code, out } = await run(['check', '--whole'], { folder });
    expect(out).toContain('18 entries (EV_eu 1 to 10, EV_us 1 to 8), ');
    expect(out).toContain('Every invariant holds.');
    expect(out).toMatch(/EV_us 8 +us +1 +ev\.us\.us\.demo\.contact\.c1 +set aside/);
    expect(code).toBe(0);
    expect(edge('us').received).toEqual([]);
  });

  it('asks for no empty range where a region has decided nothing yet', async () => {
    for (const name of ['eu', 'us']) edge('eu').problem(`GET /v1/log/IN_${name}`, 403, 'No', 'no');
    edge('eu').json('GET /v1/regions', {
      region: 'eu',
      regions: ['eu', 'us', 'ap'].map((name) => ({ region: name })),
    });
    edge('eu').lines('GET /v1/log/EV_ap', []);
    const { code, out } = await run(['check', '--whole'], { folder });
    expect([code, out]).toEqual([0, expect.stringContaining('Every invariant holds.')]);
    const asked = edge('eu').received.map(({ path }) => path);
    expect(asked.filter((url) => url.includes('to=0'))).toEqual([]);
  });

  it('looks for causes in the intakes of all regions', async () => {
    const { code, out } = await run(['check', '--json'], { folder });
    const { counts, intakeChecked } = JSON.parse(out) as Record<string, unknown>;
    expect([code, intakeChecked]).toEqual([1, true]);
    expect(counts).toEqual({ 'unknown-cause': expect.any(Number) });
  });

  it('finds a copy that differs', async () => {
    const [, second] = entriesOf('EV_eu');
    const changed = { ...(second as RawEntry), subject: 'ev.eu.eu.demo.routing.x' };
    edge('us').lines('GET /v1/log/EV_eu', entriesOf('EV_eu').with(1, changed));
    for (const region of ['eu', 'us']) {
      edge(region).lines('GET /v1/log/IN_eu', [{ sequence: 1, ...intake }]);
      edge(region).lines('GET /v1/log/IN_us', []);
    }
    for (const name of ['eu', 'us']) edge('eu').replies.delete(`GET /v1/log/IN_${name}`);
    const alone = await run(['check'], { folder });
    expect(alone.code).toBe(0);
    edge('eu').lines('GET /v1/log/IN_eu', [{ sequence: 1, ...intake }]);
    edge('eu').lines('GET /v1/log/IN_us', []);
    const { code, out } = await run(['check', '--copies'], { folder });
    expect(code).toBe(1);
    expect(out).toMatch(/EV_eu +10 +1 differ/);
    expect(out).toMatch(/IN_eu +1 +equal/);
    expect(out).toContain('2: EV_eu of eu: ev.eu.eu.demo.routing.eu');
    expect(out).toContain('in us: ev.eu.eu.demo.routing.x');
  });

  it('reads exports of all streams, and asks for edges that it does not know', async () => {
    const files = [...streams].map(([stream, entries]) => {
      const file = join(folder, `${stream}.ndjson`);
      writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      return file;
    });
    const good = await run(['check', '--file', files.join(','), '--whole']);
    expect([good.code, good.out]).toEqual([0, expect.stringContaining('Every invariant holds.')]);
    const one = await run(['check', '--file', files[0] as string]);
    expect(one.code).toBe(1);
    expect((await run(['check', '--file', `${files[0]},-`])).code).toBe(2);
    expect((await run(['check', '--compare'], { folder })).code).toBe(2);
    const few = await run(['check', '--copies', '--edges', edge('eu').url], { folder });
    expect([few.code, few.err]).toEqual([2, expect.stringContaining('1 edges are known')]);
  });
});

const intake = { stream: 'IN_eu', subject: 'in.eu.demo.eu.contact.c1', storedAt: 0, data: '{}' };
