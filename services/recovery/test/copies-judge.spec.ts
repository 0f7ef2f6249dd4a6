import { describe, expect, it } from '@jest/globals';
import { judge, type ReadCopy, type Verdict } from '../src/copies/judge.ts';
import type { CopiedMessage } from '../src/copies/copied-message.ts';
import { mayBegin } from '../src/copies/peers.ts';
import type { CopiesReport } from '../src/copies/report.ts';
import { copied, copiedRange } from './copies-messages.ts';

const range = { from: 1, to: 1_024 };

function copy(region: string, last: number, over: Record<number, CopiedMessage | undefined> = {}) {
  const messages = copiedRange(1, last);
  for (const [sequence, message] of Object.entries(over)) {
    if (message === undefined) messages.delete(Number(sequence));
    else messages.set(Number(sequence), message);
  }
  return { region, last, messages } satisfies ReadCopy;
}

const later = (sequence: number): CopiedMessage =>
  copied(sequence, { storedAt: '2026-01-02T00:00:00.5Z', data: new Uint8Array([1]) });
const changed = (sequence: number): CopiedMessage =>
  copied(sequence, { data: new Uint8Array([2]) });

describe('who is wrong', () => {
  it.each<[string, ReadCopy[], Verdict]>([
    [
      'nobody, when all are the same or merely behind',
      [copy('us', 40), copy('ap', 30), copy('eu', 40)],
      { wrong: {}, undecided: [] },
    ],
    [
      'a mirror that is gone',
      [copy('us', -1), copy('ap', 30), copy('eu', 40)],
      { wrong: { us: 'MISSING' }, undecided: [] },
    ],
    [
      'an origin that is gone',
      [copy('us', 40), copy('ap', 39), copy('eu', -1)],
      { wrong: { eu: 'MISSING' }, undecided: [] },
    ],
    [
      'an origin that lost its tail',
      [copy('us', 40), copy('ap', 38), copy('eu', 37)],
      { wrong: { eu: 'SHORT' }, undecided: [] },
    ],
    [
      'a mirror with a hole',
      [copy('us', 40, { 7: undefined, 8: undefined }), copy('eu', 40)],
      { wrong: { us: 'LOST_MESSAGES' }, undecided: [], sequence: 7 },
    ],
    [
      'an origin with a hole, against one mirror',
      [copy('us', 40), copy('eu', 41, { 7: undefined })],
      { wrong: { eu: 'LOST_MESSAGES' }, undecided: [], sequence: 7 },
    ],
    [
      'one mirror against two copies',
      [copy('us', 40, { 9: changed(9) }), copy('ap', 40), copy('eu', 40)],
      { wrong: { us: 'CHANGED' }, undecided: [], sequence: 9 },
    ],
    [
      'an origin against two mirrors',
      [copy('us', 40), copy('ap', 40), copy('eu', 40, { 9: changed(9) })],
      { wrong: { eu: 'CHANGED' }, undecided: [], sequence: 9 },
    ],
    [
      'an origin that used sequences again, against one mirror',
      [copy('us', 40), copy('eu', 44, { 39: later(39), 40: later(40) })],
      { wrong: { eu: 'REUSED_SEQUENCES' }, undecided: [], sequence: 39 },
    ],
    [
      'an origin that used sequences again and is still shorter',
      [copy('us', 40), copy('ap', 40), copy('eu', 39, { 39: later(39) })],
      { wrong: { eu: 'REUSED_SEQUENCES' }, undecided: [], sequence: 39 },
    ],
    [
      'a mirror with what the origin lost, once another has what came instead',
      [copy('us', 40), copy('ap', 39, { 39: later(39) }), copy('eu', 39, { 39: later(39) })],
      { wrong: { us: 'CHANGED' }, undecided: [], sequence: 39 },
    ],
    [
      'nobody can say, when two differ and the origin is not later',
      [copy('us', 40), copy('eu', 40, { 5: changed(5) })],
      { wrong: {}, undecided: ['us', 'eu'], sequence: 5 },
    ],
  ])('%s', (_, copies, verdict) => {
    const { wrong, undecided, sequence } = judge('eu', copies, range);
    expect({ wrong, undecided: undecided.toSorted(), sequence }).toEqual({
      sequence: undefined,
      ...verdict,
      undecided: verdict.undecided.toSorted(),
    });
  });
});

describe('who may take a copy down', () => {
  const hashes = { upTo: 0, chunks: 0, chain: '', run: '' };
  const report = (
    region: string,
    heard: Record<string, number>,
    mending?: 'wanted' | 'begun',
  ): CopiesReport => ({
    region,
    instance: region,
    number: 1,
    heard,
    streams: { EV_eu: { last: 1, born: '', hashes, ...(mending ? { mending } : {}) } },
  });
  const claim = { stream: 'EV_eu', number: 5 };

  it.each<[string, string, CopiesReport[], boolean]>([
    ['not before all have heard', 'us', [report('eu', { us: 5 }), report('ap', { us: 4 })], false],
    ['once all have heard', 'us', [report('eu', { us: 5 }), report('ap', { us: 6 })], true],
    ['not while another does', 'eu', [report('us', { eu: 9 }, 'begun')], false],
    ['not before the origin', 'ap', [report('eu', { ap: 9 }, 'wanted')], false],
    ['the origin before others', 'eu', [report('ap', { eu: 9 }, 'wanted')], true],
    ['then the first by name', 'us', [report('ap', { us: 9 }, 'wanted')], false],
    ['and nobody else', 'ap', [report('us', { ap: 9 }, 'wanted')], true],
  ])('%s', (_, region, reports, may) => {
    expect(mayBegin(region, 'eu', claim, reports)).toBe(may);
  });

  it('never two that hear each other', () => {
    for (const [one, other] of [
      ['eu', 'us'],
      ['us', 'ap'],
      ['ap', 'eu'],
    ] as const) {
      const both = [
        mayBegin(one, 'eu', claim, [report(other, { [one]: 9 }, 'wanted')]),
        mayBegin(other, 'eu', claim, [report(one, { [other]: 9 }, 'wanted')]),
      ];
      expect(both.filter(Boolean)).toHaveLength(1);
    }
  });
});
