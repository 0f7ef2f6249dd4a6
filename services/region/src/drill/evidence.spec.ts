import { describe, expect, it } from '@jest/globals';
import type { RawEntry, Violation } from '@meridian/cli';
import type { Acknowledged } from './acknowledgements.ts';
import { isEndedByJump } from './exercises/clock.ts';
import { excuse, type Findings } from './findings.ts';
import { contactsThatDiffer, historiesOf } from './histories.ts';
import { decidedAlone, takenAlone } from './isolation.ts';
import { eventsAhead } from './jumped-times.ts';
import { decidedAt } from './long-call.ts';
import { longestPauseOfOffers } from './offers.ts';

interface Draft {
  readonly region?: string;
  readonly home?: string;
  readonly sequence?: number;
  readonly epoch?: number;
  readonly of?: string;
  readonly type?: string;
  readonly storedAt?: number;
  readonly time?: string;
  readonly cause?: string;
  readonly data?: unknown;
}

const entry = ({
  region = 'eu',
  home = 'eu',
  sequence = 1,
  epoch = 1,
  of = 'demo.contact.c1',
  type = 'meridian.contact.held.v1',
  storedAt = 0,
  time = '2026-02-03T04:05:06.000Z',
  cause = 'x',
  data = {},
}: Draft): RawEntry => ({
  stream: `EV_${region}`,
  sequence,
  subject: `ev.${region}.${home}.${of}`,
  storedAt,
  data: JSON.stringify([{ type, time, epoch, causationid: cause, data }]),
});

async function* stream(...entries: readonly RawEntry[]): AsyncIterable<RawEntry> {
  yield* entries;
}

const sealed = (upTo: number): RawEntry =>
  entry({
    region: 'us',
    sequence: 7,
    epoch: 2,
    of: 'meridian.ownership.eu',
    type: 'meridian.failover.completed.v1',
    data: {
      home: 'eu',
      epoch: 2,
      owner: 'us',
      kind: 'UNPLANNED',
      previousEpoch: 1,
      previousOwner: 'eu',
      seals: [{ epoch: 1, owner: 'eu', upTo }],
    },
  });

describe('the history of a contact', () => {
  const old = [1, 2, 3].map((sequence) => entry({ sequence, cause: `r${sequence}` }));
  const goesOn = entry({ region: 'us', sequence: 9, epoch: 2, cause: 'r4' });

  it('is what counts, by epoch, then by sequence, in whatever order it is read', async () => {
    const one = await historiesOf([stream(...old), stream(sealed(2), goesOn)]);
    const other = await historiesOf([stream(sealed(2), goesOn), stream(...old.slice(0, 2))]);
    expect([...one.keys()]).toEqual(['demo.c1']);
    expect(contactsThatDiffer([one, other])).toEqual([]);
  });

  it('differs where an entry that counts is missing, and where the seal is another', async () => {
    const whole = await historiesOf([stream(...old), stream(sealed(2), goesOn)]);
    const short = await historiesOf([stream(...old.slice(0, 1)), stream(sealed(2), goesOn)]);
    const later = await historiesOf([stream(...old), stream(sealed(3), goesOn)]);
    expect(contactsThatDiffer([whole, short])).toEqual(['demo.c1']);
    expect(contactsThatDiffer([whole, later])).toEqual(['demo.c1']);
    expect(contactsThatDiffer([whole, new Map()])).toEqual(['demo.c1']);
  });
});

describe('a region alone', () => {
  const alone = { fromMs: 100, toMs: 200 };

  it('is found to decide by what its server stored after its lease', async () => {
    const at = (storedAt: number) => entry({ storedAt, sequence: storedAt });
    const found = await decidedAlone(stream(at(99), at(100), at(199), at(200)), alone);
    expect(found.map(({ sequence }) => sequence)).toEqual([100, 199]);
  });

  it('is found to take in by what it acknowledged on its own', () => {
    const told = (atMs: number, more: Partial<Acknowledged> = {}): Acknowledged => ({
      id: 'r',
      stream: 'IN_eu',
      sequence: atMs,
      durability: 'region',
      atMs,
      ...more,
    });
    const all = [
      told(99),
      told(150),
      told(151, { stream: 'IN_us' }),
      told(152, { durability: 'mirrored' }),
    ];
    expect(takenAlone(all, 'eu', alone)).toEqual([told(150)]);
  });

  it('offers with pauses, both ends of the time among them', async () => {
    const offer = (storedAt: number, of = 'demo.routing.eu') =>
      entry({ storedAt, of, type: 'meridian.reservation.created.v1' });
    const pause = (...entries: readonly RawEntry[]) =>
      longestPauseOfOffers('eu', [stream(...entries)], alone);
    expect(await pause(offer(110), offer(190), offer(150))).toBe(40);
    expect(await pause(offer(110), offer(130))).toBe(70);
    expect(await pause(offer(190), offer(300))).toBe(90);
    expect(await pause(offer(120, 'demo.routing.us'))).toBeNull();
  });
});

describe('a call that goes on', () => {
  it('has its commands decided when the first entry that each caused was stored', async () => {
    const commands = ['a', 'b'].map((id) => ({ id, type: 't', acknowledgedAt: 1 }));
    const entries = stream(
      entry({ cause: '/drill#a', storedAt: 9 }),
      entry({ cause: '/drill#a', storedAt: 7, region: 'us' }),
      entry({ cause: '/drill#b', storedAt: 8, of: 'demo.contact.c2' }),
    );
    const decided = await decidedAt({ contactId: 'c1', commands }, [entries]);
    expect([...decided]).toEqual([['a', 7]]);
  });
});

describe('times that jumped', () => {
  it('are those far ahead of the time at which the entry was stored', async () => {
    const time = '2026-02-03T04:05:06.000Z';
    const at = (aheadMs: number, type: string) =>
      entry({ time, type, storedAt: Date.parse(time) - aheadMs });
    const entries = stream(at(500, 'b'), at(499, 'a'), at(600, 'c'), at(900, 'c'));
    expect([...(await eventsAhead([entries], 500))]).toEqual([
      ['c', 2],
      ['b', 1],
    ]);
  });

  it('excuse an offer of the region that was out at the jump, and nothing else', () => {
    const late: Violation = {
      invariant: 3,
      rule: 'offer-end',
      sequence: 408,
      index: 0,
      aggregate: 'ev.eu.eu.demo.routing.eu',
      expected: 'c22-r1 to end by 2026-11-22T17:36:29.118Z',
      found: '2026-11-22T17:46:08.253Z',
    };
    const others: readonly Violation[] = [
      { ...late, rule: 'one-offer' },
      { ...late, aggregate: 'ev.us.us.demo.routing.us' },
      { ...late, found: '2026-11-22T17:46:29.118Z' },
      { ...late, found: '2026-11-22T17:36:29.118Z' },
    ];
    const check = {
      ok: false,
      violationCount: 6,
      counts: { 'offer-end': 5, 'one-offer': 1 },
      violations: [late, ...others],
    };
    const { findings, excused } = excuse({ check } as unknown as Findings, (one) =>
      isEndedByJump(one, 'eu', 600_000),
    );
    expect(excused).toEqual([late]);
    expect(findings.check).toEqual({
      ok: false,
      violationCount: 5,
      counts: { 'offer-end': 4, 'one-offer': 1 },
      violations: others,
    });
    const { findings: clean } = excuse(
      {
        check: { ...check, violationCount: 1, counts: { 'offer-end': 1 }, violations: [late] },
      } as unknown as Findings,
      () => true,
    );
    expect(clean.check).toMatchObject({ ok: true, violationCount: 0, counts: {} });
  });
});
