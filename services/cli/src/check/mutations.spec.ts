import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { dayLog } from '../../test/day-log.ts';
import { LogCheck, type LogCheckResult, type RawEntry } from './index.ts';

function check(entries: readonly RawEntry[]): LogCheckResult {
  const checking = new LogCheck();
  for (const entry of entries) checking.readLine(JSON.stringify(entry));
  return checking.finish();
}

describe('mutations of a valid log', () => {
  const entries = dayLog('mutations', 6);
  const random = seeded('mutate');
  /** Whether the aggregate goes on after the entry: only then does a later hash vouch for it. */
  const goesOn = (index: number): boolean =>
    entries.slice(index + 1).some(({ subject }) => subject === entries[index]!.subject);

  const flip = (text: string, place: number): string => {
    const unit = text.charCodeAt(place);
    return (
      text.slice(0, place) +
      String.fromCharCode(unit === 0x5a ? 0x59 : 0x5a) +
      text.slice(place + 1)
    );
  };

  it('finds every flipped character of entries that others follow', () => {
    for (let round = 0; round < 150; round++) {
      const index = random.int(entries.length);
      if (!goesOn(index)) continue;
      const entry = entries[index]!;
      const data = flip(entry.data, random.int(entry.data.length));
      expect({ index, ok: check(entries.with(index, { ...entry, data })).ok }).toEqual({
        index,
        ok: false,
      });
    }
  });

  it('finds every dropped, repeated and swapped entry', () => {
    for (let index = 0; index < entries.length - 1; index++) {
      const entry = entries[index]!;
      const next = entries[index + 1]!;
      const dropped = index === 0 ? true : !check(entries.toSpliced(index, 1)).ok;
      const repeated = !check(entries.toSpliced(index, 0, entry)).ok;
      const swapped = !check(entries.with(index, next).with(index + 1, entry)).ok;
      expect({ index, dropped, repeated, swapped }).toEqual({
        index,
        dropped: true,
        repeated: true,
        swapped: true,
      });
    }
  });

  it('finds an entry stored again under the next sequence, whichever it is', () => {
    for (let index = 0; index < entries.length; index++) {
      const again = [
        ...entries.slice(0, index + 1),
        entries[index]!,
        ...entries.slice(index + 1),
      ].map((entry, place) => ({ ...entry, sequence: place + 1 }));
      expect({ index, ok: check(again).ok }).toEqual({ index, ok: false });
    }
  });

  it('finds an entry lost without a trace in the sequences, unless it was the last of its contact', () => {
    for (let index = 0; index < entries.length; index++) {
      if (!goesOn(index)) continue;
      const without = entries
        .toSpliced(index, 1)
        .map((entry, place) => ({ ...entry, sequence: place + 1 }));
      expect({ index, ok: check(without).ok }).toEqual({ index, ok: false });
    }
  });
});
