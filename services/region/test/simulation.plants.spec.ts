import { describe, expect, it } from '@jest/globals';
import { meshPlants, type MeshPlant } from '../src/simulation/mesh/plants.ts';
import { simulateMesh } from '../src/simulation/mesh/simulate.ts';

/** How many worlds are tried before a bug counts as not found. */
const worldsLimit = 150;

/** The rules that the first world broken by the bug breaks. */
async function rulesBrokenBy(plant: MeshPlant): Promise<readonly string[]> {
  for (let seed = 1; seed <= worldsLimit; seed += 1) {
    const { problems } = await simulateMesh({ seed, plant });
    if (problems.length > 0) return [...new Set(problems.map(({ rule }) => rule))];
  }
  return [];
}

describe('a bug on purpose is found among three regions', () => {
  it('an owner that goes on without its lease', async () => {
    expect(await rulesBrokenBy(meshPlants.noLeaseCheck)).toContain('lease');
  }, 600_000);

  it('readers that take what lies beyond a seal', async () => {
    const rules = await rulesBrokenBy(meshPlants.noSealCheck);
    expect(rules.some((rule) => ['memory', 'reservation', 'chain'].includes(rule))).toBe(true);
  }, 600_000);

  it('one decision stored as two messages', async () => {
    expect(await rulesBrokenBy(meshPlants.decisionAsTwoMessages)).toContain('repeated-cause');
  }, 600_000);

  it('two routing writers that do not notice each other', async () => {
    const rules = await rulesBrokenBy(meshPlants.twoRoutingWriters);
    expect(rules.some((rule) => ['revision', 'chain', 'booked'].includes(rule))).toBe(true);
  }, 600_000);

  it('a region that goes by its lease for longer than the others wait for it', async () => {
    expect(await rulesBrokenBy(meshPlants.leaseTooLong)).toContain('lease');
  }, 600_000);

  it('settled positions that pass what is still under way', async () => {
    expect(await rulesBrokenBy(meshPlants.settledPassesGap)).toContain('unhandled');
  }, 600_000);

  it('a new owner that does not wait until it holds everything up to the seal', async () => {
    const rules = await rulesBrokenBy(meshPlants.doesNotWaitForSeal);
    expect(rules.some((rule) => ['memory', 'chain', 'revision', 'rest'].includes(rule))).toBe(true);
  }, 600_000);

  it('a region that comes back short and does not ask the others what it had', async () => {
    expect(await rulesBrokenBy(meshPlants.opensWithoutComparing)).toContain('mirror');
  }, 600_000);
});
