import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  ArchiveBed,
  changeLines,
  copyOf,
  foldersOf,
  manifestOf,
  newFolder,
} from '../../test/archive-bed.ts';
import { run } from '../../test/run.ts';
import type { TenantPlan } from '../archive/index.ts';

const dayMs = 86_400_000;
let bed: ArchiveBed;
let policy: string;

beforeAll(async () => {
  bed = new ArchiveBed();
  await bed.create(bed.archives, '--max-size', '1');
  policy = join(newFolder(), 'policy.json');
  writeFileSync(policy, JSON.stringify({ acme: 30, '*': 90 }));
});

/** The plan so long after a moment. */
async function planAt(afterMs: number, moment: string, place = bed.archives) {
  const args = ['retention', 'plan', '--policy', policy, '--from', place, '--offline', bed.exports];
  const now = (): number => Date.parse(moment) + afterMs;
  const ran = await run([...args, '--json'], { now });
  const said = await run(args, { now });
  return { ...(JSON.parse(ran.out) as { plans: TenantPlan[]; notArchived: string[] }), said };
}

describe('meridian retention plan', () => {
  it('says what is due, what in part, and when the next is', async () => {
    const [first = '', second = ''] = foldersOf(bed.archives);
    const part = manifestOf(bed.archives, first).tenants['acme']!;
    const next = manifestOf(bed.archives, second).tenants['acme']!;
    // Thirty days and a ms after the last of the first archive, which another one's began before.
    const { plans, said, notArchived } = await planAt(30 * dayMs + 1, part.lastStoredAt);
    expect(plans.map(({ tenant }) => tenant)).toEqual(['acme', 'demo']);
    expect(plans[0]).toMatchObject({ days: 30, due: part.messages, stops: [] });
    expect(plans[0]?.nextAt).toBe(
      new Date(Date.parse(next.lastStoredAt) + 30 * dayMs).toISOString(),
    );
    expect(plans[1]).toMatchObject({ days: 90, due: 0, dueInPart: 0, stops: [] });
    expect(notArchived).toEqual([]);
    expect(said.out).toContain(`meridian archive delete ${bed.archives} --tenant acme --before`);
    expect(said.out).toContain('On the server nothing is removed');
  });

  it('says what stops it: archives that do not hold, what is in none', async () => {
    const copy = copyOf(bed.archives);
    const [folder = ''] = foldersOf(copy);
    changeLines(copy, folder, 'EV_eu', (lines) => lines.toSpliced(0, 1));
    const { checkpoint } = manifestOf(bed.archives, folder);
    expect(checkpoint.size).toBeGreaterThan(0);
    const last = bed.log.streams['EV_eu']!.at(-1)!;
    const { plans, said, notArchived } = await planAt(30 * dayMs + 1, String(last.storedAt), copy);
    expect(plans[0]?.stops[0]).toContain(`the archive ${folder} does not hold (EV_eu:`);
    expect(said.out).toContain('acme: stopped: the archive');
    // The last checkpoint itself is signed by none yet.
    expect(notArchived.some((line) => line.startsWith('EV_eu from '))).toBe(true);
    expect(said.out).toContain('it is due and stays until it is archived.');
  });

  it.each([
    ['no JSON', '{'],
    ['no days', '{"demo":"long"}'],
    ['nothing', '{}'],
    ["the mesh's own", '{"meridian":30}'],
  ])('refuses a policy of %s', async (_, text) => {
    const file = join(newFolder(), 'policy.json');
    writeFileSync(file, text);
    const ran = await run(['retention', 'plan', '--policy', file, '--from', bed.archives]);
    expect(ran.code).toBe(2);
    expect(ran.err).toContain(file);
  });
});
