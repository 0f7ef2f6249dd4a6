import { describe, expect, it } from '@jest/globals';
import { verifyReceipt, signReceipt, ensureSigningKey, type Receipt } from '@meridian/cli';
import { temporaryFolder } from '@meridian/testing';
import { drillOnce } from '../src/drill/drill.ts';
import { clockJump } from '../src/drill/exercises/clock.ts';
import type { Exercise, Preparation } from '../src/drill/exercises/exercise.ts';
import { isolate, orphans as loseTail } from '../src/drill/exercises/links.ts';
import { planned } from '../src/drill/exercises/regions.ts';
import type { LoadOptions } from '../src/drill/load-options.ts';

/** Verdicts that are about how long something took, which a test does not judge. */
const aboutTime = new Set(['RTO', 'RPO', 'LOAD', 'PAUSE', 'MOVED', 'TAKEN_OVER', 'LEASES_HOLD']);
/** So long nothing leaves a region before it is killed, in ms: shorter than a lease. */
const tailMs = 2_500;

const load = (id: string): LoadOptions => ({
  id,
  seed: 'test',
  ratePerSecond: 150,
  seconds: 18,
  contactsPerSecond: 3,
  agentsPerRegion: 4,
  batchSize: 10,
  leaseMs: 5_000,
});

/** Drills, and shows what was done when a promise was broken. */
async function drill(exercise: Exercise): Promise<Receipt> {
  const said: string[] = [];
  const receipt = await drillOnce(exercise, () => load(`test-${exercise.name}`), {
    say: (line) => {
      said.push(line);
    },
  });
  const broken = receipt.verdicts.filter(({ code, kept }) => !kept && !aboutTime.has(code));
  expect({
    broken,
    said: broken.length === 0 ? [] : said,
    violations: receipt.check.violations,
  }).toEqual({ broken: [], said: [], violations: {} });
  return receipt;
}

describe('a drill on real processes', () => {
  it('loses nothing that was promised when a region is killed, and signs what it cost', async () => {
    const receipt = await drill(loseTail('eu', tailMs));
    const { ownership, times, publishing, check, orphans } = receipt;
    expect(orphans.found).toBeGreaterThan(0);
    expect(orphans.adopted + orphans.setAside).toBe(orphans.found);
    // A machine that starves a region may move the home once more.
    expect(ownership['eu']?.slice(0, 2)).toEqual([
      { epoch: 1, owner: 'eu', upTo: expect.any(Number) },
      expect.objectContaining({ epoch: 2, owner: expect.stringMatching(/^(us|ap)$/) }),
    ]);
    expect(times.firstOfferMs).toBeGreaterThan(0);
    for (const count of Object.values(publishing.acknowledged)) expect(count).toBeGreaterThan(0);
    expect(check.reservations).toBeGreaterThan(10);
    const folder = temporaryFolder();
    try {
      const key = ensureSigningKey(folder.path, 'us');
      expect(verifyReceipt(signReceipt(receipt, key), key.publicKey).problems).toEqual([]);
    } finally {
      folder.remove();
    }
  }, 300_000);

  it('loses nothing at all when a home moves on request, and back', async () => {
    const { ownership, totals, orphans } = await drill(planned('eu', 'us'));
    expect(ownership['eu']?.slice(0, 3).map(({ owner }) => owner)).toEqual(['eu', 'us', 'eu']);
    expect([totals.missing, totals.lost, orphans.found]).toEqual([0, 0, 0]);
  }, 300_000);

  it('decides nothing in a region that is cut off; a clock that jumps elsewhere harms nobody', async () => {
    const [alone, jump] = [isolate('eu', ['us', 'ap'], 'black hole'), clockJump('us', 'region')];
    const { orphans, verdicts } = await drill({
      ...alone,
      name: 'isolate-eu-while-a-clock-jumps',
      prepare: (dataDir) => jump.prepare?.(dataDir) as Promise<Preparation>,
      async act(stage) {
        const at = await alone.act(stage);
        await jump.act(stage);
        return at;
      },
      excuses: (violation) => jump.excuses?.(violation) ?? false,
      judge: async (evidence) => [
        ...((await alone.judge?.(evidence)) ?? []),
        ...((await jump.judge?.(evidence)) ?? []),
      ],
    });
    const codes = ['ONE_HISTORY', 'NO_LEASE_NO_DECISION', 'INTAKE_KEPT', 'JUMPED'];
    expect(verdicts.map(({ code }) => code)).toEqual(expect.arrayContaining(codes));
    expect(orphans.adopted + orphans.setAside).toBe(orphans.found);
  }, 300_000);
});
