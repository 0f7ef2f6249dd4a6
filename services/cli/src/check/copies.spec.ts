import { describe, expect, it } from '@jest/globals';
import { served } from '../../test/scenes.ts';
import { compareCopies, type Copy, type RawEntry } from './index.ts';

const { entries } = served();

const copy = (region: string, held: readonly RawEntry[]): Copy => ({
  region,
  async *read() {
    for (const entry of held) yield await Promise.resolve([JSON.stringify(entry)]);
  },
});

describe('the copies of a stream', () => {
  it('agree', async () => {
    const copies = ['eu', 'us', 'ap'].map((region) => copy(region, entries));
    expect(await compareCopies('EV_eu', copies)).toEqual({
      stream: 'EV_eu',
      compared: 11,
      behind: { eu: 0, us: 0, ap: 0 },
      violations: [],
    });
  });

  it('may be behind, but not the stream that they are copies of', async () => {
    const short = entries.slice(0, 8);
    const late = await compareCopies('EV_eu', [copy('eu', entries), copy('us', short)]);
    expect([late.compared, late.behind, late.violations]).toEqual([8, { eu: 0, us: 3 }, []]);
    const lost = await compareCopies('EV_eu', [copy('eu', short), copy('us', entries)]);
    expect(lost.behind).toEqual({ eu: 3, us: 0 });
    expect(lost.violations.map(({ sequence, found }) => [sequence, found])).toEqual(
      [9, 10, 11].map((sequence) => [sequence, 'in eu: the end of its own stream']),
    );
  });

  it('differ in every entry that was changed, left out, put in or moved', async () => {
    for (let index = 0; index < entries.length - 1; index += 1) {
      const entry = entries[index] as RawEntry;
      const next = entries[index + 1] as RawEntry;
      const data = entry.data.replace('"actor":"', '"actor":"x');
      const others: Record<string, readonly RawEntry[]> = {
        data: entries.with(index, { ...entry, data }),
        subject: entries.with(index, { ...entry, subject: `${entry.subject}x` }),
        dropped: entries.toSpliced(index, 1),
        swapped: entries
          .with(index, { ...next, sequence: entry.sequence })
          .with(index + 1, { ...entry, sequence: next.sequence }),
      };
      for (const [what, held] of Object.entries(others)) {
        const { violations } = await compareCopies('EV_eu', [
          copy('us', held),
          copy('eu', entries),
        ]);
        const first = violations[0];
        expect({ what, rule: first?.rule, sequence: first?.sequence }).toEqual({
          what,
          rule: 'copies',
          sequence: entry.sequence,
        });
        expect(first?.found).toMatch(/^in us: /);
      }
    }
  });

  it('are kept up to a limit', async () => {
    const held = entries.map((entry) => ({ ...entry, subject: `${entry.subject}x` }));
    const copies = [copy('eu', entries), copy('us', held)];
    expect((await compareCopies('EV_eu', copies, 3)).violations.length).toBe(3);
  });
});
