import { describe, expect, it } from '@jest/globals';
import { commandFor } from '../src/simulation/cases.ts';
import { meshPlants, type MeshPlant } from '../src/simulation/mesh/plants.ts';
import { simulateMesh } from '../src/simulation/mesh/simulate.ts';

const contacts = 12;
const shape = { regions: 3, contacts } as const;
const seeds = Array.from({ length: 100 }, (_, index) => index + 1);

/** How many worlds are tried before a bug counts as not found. */
const worldsLimit = 150;

/** The rules that the first world broken by the bug breaks. */
async function rulesBrokenBy(plant: MeshPlant): Promise<readonly string[]> {
  for (let seed = 1; seed <= worldsLimit; seed += 1) {
    const { problems } = await simulateMesh({ seed, contacts, plant });
    if (problems.length > 0) return [...new Set(problems.map(({ rule }) => rule))];
  }
  return [];
}

describe('three regions in a world of faults', () => {
  it('keep every invariant, and meet every kind of fault', async () => {
    const met = new Set<string>();
    for (const seed of seeds) {
      const { problems, counts } = await simulateMesh({ seed, contacts });
      const again = commandFor(seed, shape);
      expect({ again, problems }).toEqual({ again, problems: [] });
      for (const [what, count] of Object.entries(counts)) if (count > 0) met.add(what);
    }
    expect([...met]).toEqual(
      expect.arrayContaining([
        'aggregates adopted',
        'beats lost',
        'calls of the control store without an answer',
        'control store ill',
        'failovers planned',
        'failovers unplanned',
        'links cut',
        'links slow',
        'messages lost with the power',
        'mirrors that caught up',
        'offers to agents of another home',
        'orphans',
        'pauses',
        'publishers that went to another region',
        're-imports',
        'regions killed',
        'routing.lent',
        'routing.returned',
        'watchers that went to another region',
        'zombies',
      ]),
    );
  }, 240_000);

  it('are the same world for the same seed, byte for byte, and another one for another', async () => {
    const digests = new Set<string>();
    for (const seed of [201, 202, 203]) {
      const first = await simulateMesh({ seed, contacts });
      expect(await simulateMesh({ seed, contacts })).toEqual(first);
      digests.add(first.digest);
    }
    expect(digests.size).toBe(3);
  });
});

describe('a bug on purpose is found among three regions', () => {
  it('an owner that goes on without its lease', async () => {
    expect(await rulesBrokenBy(meshPlants.noLeaseCheck)).toContain('lease');
  }, 120_000);

  it('readers that take what lies beyond a seal', async () => {
    const rules = await rulesBrokenBy(meshPlants.noSealCheck);
    expect(rules.some((rule) => ['memory', 'reservation', 'chain'].includes(rule))).toBe(true);
  }, 120_000);

  it('one decision stored as two messages', async () => {
    expect(await rulesBrokenBy(meshPlants.decisionAsTwoMessages)).toContain('repeated-cause');
  }, 120_000);

  it('two routing writers that do not notice each other', async () => {
    const rules = await rulesBrokenBy(meshPlants.twoRoutingWriters);
    expect(rules.some((rule) => ['revision', 'chain', 'booked'].includes(rule))).toBe(true);
  }, 120_000);

  it('settled positions that pass what is still under way', async () => {
    expect(await rulesBrokenBy(meshPlants.settledPassesGap)).toContain('unhandled');
  }, 120_000);

  it('a new owner that does not wait until it holds everything up to the seal', async () => {
    const rules = await rulesBrokenBy(meshPlants.doesNotWaitForSeal);
    expect(rules.some((rule) => ['memory', 'chain', 'revision', 'rest'].includes(rule))).toBe(true);
  }, 120_000);

  it('a region that comes back short and does not ask the others what it had', async () => {
    expect(await rulesBrokenBy(meshPlants.opensWithoutComparing)).toContain('mirror');
  }, 120_000);
});
