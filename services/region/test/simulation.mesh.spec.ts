import { describe, expect, it } from '@jest/globals';
import { commandFor } from '../src/simulation/cases.ts';
import { simulateMesh } from '../src/simulation/mesh/simulate.ts';

const contacts = 12;
const shape = { regions: 3, contacts } as const;
const seeds = Array.from({ length: 40 }, (_, index) => index + 1);

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
        'failovers planned',
        'failovers unplanned',
        'links cut',
        'links slow',
        'messages lost with the power',
        'mirrors that caught up',
        'offers to agents of another home',
        'orphans',
        'orphans adopted',
        'publishers that went to another region',
        're-imports',
        'regions killed',
        'routing.lent',
        'routing.returned',
        'watchers that went to another region',
        'zombies',
      ]),
    );
  }, 900_000);

  it('are the same world for the same seed, byte for byte, and another one for another', async () => {
    const digests = new Set<string>();
    for (const seed of [201, 202, 203]) {
      const first = await simulateMesh({ seed, contacts });
      expect(await simulateMesh({ seed, contacts })).toEqual(first);
      digests.add(first.digest);
    }
    expect(digests.size).toBe(3);
  }, 120_000);
});
