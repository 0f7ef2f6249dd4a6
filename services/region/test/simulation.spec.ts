import { describe, expect, it } from '@jest/globals';
import type { Plant } from '../src/simulation/hosts.ts';
import { plants } from '../src/simulation/plants.ts';
import { simulate } from '../src/simulation/simulate.ts';

const contacts = 25;
const seeds = Array.from({ length: 30 }, (_, index) => index + 1);

/** How many worlds are tried before a bug counts as not found. */
const worldsLimit = 200;

/** The rules that the first world broken by the bug breaks. */
async function rulesBrokenBy(plant: Plant): Promise<readonly string[]> {
  for (let seed = 1; seed <= worldsLimit; seed += 1) {
    const { problems } = await simulate({ seed, contacts, plant });
    if (problems.length > 0) return [...new Set(problems.map(({ rule }) => rule))];
  }
  return [];
}

describe('the region in a world of faults', () => {
  it('keeps every invariant, and meets every kind of fault', async () => {
    const faults = new Set<string>();
    for (const seed of seeds) {
      const { problems, counts, plan, contacts: simulated } = await simulate({ seed, contacts });
      const again = `scripts/sim --seed ${seed} --contacts ${contacts}`;
      const found = { again, problems, plan: problems.length === 0 ? undefined : plan };
      expect(found).toEqual({ again, problems: [], plan: undefined });
      expect(simulated).toBe(contacts);
      for (const what of Object.keys(counts)) faults.add(what);
    }
    expect([...faults].toSorted()).toEqual([
      'answers lost',
      'appends lost at a crash',
      'appends refused',
      'appends stored after a crash',
      'appends that arrive late',
      'appends that arrive long after a crash',
      'conflicts',
      'crashes',
      'messages delivered again',
      'publishes recognized as repeated',
      'publishes repeated',
      'reads refused',
      'starts that failed',
      'zombies',
    ]);
  });

  it('is the same world for the same seed, byte for byte, and another one for another', async () => {
    const digests = new Set<string>();
    for (const seed of [101, 102, 103, 104]) {
      const first = await simulate({ seed, contacts: 15 });
      expect(await simulate({ seed, contacts: 15 })).toEqual(first);
      digests.add(first.digest);
    }
    expect(digests.size).toBe(4);
  });
});

describe('a bug on purpose is found', () => {
  it('an append that ignores what another writer stored meanwhile', async () => {
    const rules = await rulesBrokenBy(plants.noExpectedSequence);
    expect(rules.some((rule) => ['revision', 'chain', 'contact', 'memory'].includes(rule))).toBe(
      true,
    );
  });

  it('a routing that forgets how far it had read', async () => {
    expect(await rulesBrokenBy(plants.noConsumedPositions)).toContain('repeated-cause');
  });

  it('contacts that forget their causes', async () => {
    expect(await rulesBrokenBy(plants.noCauses)).toContain('repeated-cause');
  });

  it('timers that die with their process', async () => {
    const rules = await rulesBrokenBy(plants.timersLostAtCrash);
    expect(rules.some((rule) => ['offer-end', 'ended', 'left'].includes(rule))).toBe(true);
  });

  it('a checkpoint that passes what is still under way', async () => {
    expect(await rulesBrokenBy(plants.checkpointPassesGap)).toContain('unhandled');
  });
});
