import { describe, expect, it } from '@jest/globals';
import { contact, routing } from '../../test/drafts.ts';
import { at } from '../../test/log-builder.ts';
import { MeshBuilder, sourcesOf, type MeshEntryOptions } from '../../test/mesh-builder.ts';
import {
  borrowed,
  checkStreams,
  completed,
  foundIn,
  lent,
  ofUs,
  returned,
  ringingElsewhere,
  takenOver,
  waiting,
  type Streams,
} from '../../test/mesh-scenes.ts';
import { checkMesh, type RawEntry } from './index.ts';

/** The streams with one entry replaced, or left out. */
function changed(streams: Streams, stream: string, index: number, by?: RawEntry): Streams {
  const entries = streams.get(stream) ?? [];
  return new Map(streams).set(
    stream,
    entries.toSpliced(index, 1, ...(by === undefined ? [] : [by])),
  );
}

const isOfC1 = ({ subject }: RawEntry): boolean => subject.endsWith('.contact.c1');

const rulesIn = async (streams: Streams): Promise<string[]> => [
  ...new Set((await foundIn(streams)).map(({ rule }) => rule)),
];

describe('a valid mesh', () => {
  it('breaks no rule: served elsewhere, taken over meanwhile, an orphan set aside', async () => {
    const { streams } = takenOver();
    const result = await checkStreams(streams);
    expect(result).toMatchObject({
      ok: true,
      violations: [],
      entries: 18,
      contacts: 1,
      reservations: 1,
      living: { contacts: 0, reservations: 0 },
      orphans: [
        {
          home: 'us',
          epoch: 1,
          stream: 'EV_us',
          sequence: 8,
          subject: 'ev.us.us.demo.contact.c1',
          outcome: 'set_aside',
        },
      ],
    });
    expect(await checkStreams(new Map([...streams].toReversed()))).toEqual(result);
  });

  it('breaks no rule: a loan that comes to nothing, and is offered at home under the next number', async () => {
    const { mesh } = ringingElsewhere();
    const back = mesh.add('eu', 'routing.eu', 10, [
      ofUs(routing.changed('rejected', 'c1-r1', 'c1', 'a1')),
      returned(1, 1),
    ]);
    mesh.add('us', 'routing.us', 10, [routing.signedIn('a2')]);
    const again = mesh.add(
      'us',
      'routing.us',
      10,
      [
        routing.decided('c1', 'OFFERED', 'CONTACT_RETURNED', 2, { agentId: 'a2', attempts: 1 }),
        routing.created('c1-r2', 'c1', 'a2', 30),
      ],
      { cause: back },
    );
    const superseded = contact.requeued('c1', 'c1-r1', 2);
    mesh.add('us', 'contact.c1', 10, [...superseded, ...contact.offered('c1', 'c1-r2', 'a2', 30)], {
      cause: again,
    });
    expect(await foundIn(mesh.streams)).toEqual([]);
  });

  it('is read on where a stream has grown by what others follow from', async () => {
    const { mesh } = ringingElsewhere();
    const sources = sourcesOf(mesh.streams).map((source) => {
      let readings = 0;
      return {
        ...source,
        grows: true,
        read: (range: { after: number; to?: number }) => {
          readings += 1;
          // The loan, which the offer follows from, was not there when the end was looked for.
          const to = source.stream === 'EV_us' && readings === 1 ? 4 : range.to;
          return source.read({ after: range.after, ...(to === undefined ? {} : { to }) });
        },
      };
    });
    const { violations, entries } = await checkMesh(sources);
    expect([violations, entries]).toEqual([[], 8]);
  });
});

describe('mutations of a valid mesh', () => {
  const { streams } = takenOver();
  const places = [...streams].flatMap(([stream, entries]) =>
    entries.map((entry, index) => [stream, index, entry] as const),
  );

  it('finds every dropped, repeated and swapped entry', async () => {
    for (const [stream, index, entry] of places) {
      const entries = streams.get(stream) ?? [];
      const next = entries[index + 1];
      if (next === undefined) continue;
      const dropped = index === 0 || !(await checkStreams(changed(streams, stream, index))).ok;
      const twice = new Map(streams).set(stream, entries.toSpliced(index, 0, entry));
      const swapped = new Map(streams).set(
        stream,
        entries.with(index, next).with(index + 1, entry),
      );
      const repeated = !(await checkStreams(twice)).ok;
      const isFound = { dropped, repeated, swapped: !(await checkStreams(swapped)).ok };
      const all = { dropped: true, repeated: true, swapped: true };
      expect({ stream, index, ...isFound }).toEqual({ stream, index, ...all });
    }
  });

  it('finds an entry whose text was changed, if others of its aggregate follow', async () => {
    const name = ({ subject }: RawEntry): string => subject.split('.').slice(2).join('.');
    const last = new Map(places.map(([, , entry]) => [name(entry), entry]));
    // The contact went on elsewhere, and its orphan is vouched for by nothing.
    last.set('us.demo.contact.c1', streams.get('EV_eu')?.findLast(isOfC1) as RawEntry);
    let count = 0;
    for (const [stream, index, entry] of places) {
      const isOrphan = stream === 'EV_us' && entry.sequence === 8;
      if (isOrphan || last.get(name(entry)) === entry) continue;
      const data = entry.data.replace('"actor":"', '"actor":"x');
      const { ok } = await checkStreams(changed(streams, stream, index, { ...entry, data }));
      count += 1;
      expect({ stream, index, ok }).toEqual({ stream, index, ok: false });
    }
    expect(count).toBeGreaterThan(8);
  });
});

describe('1: contacts between partitions', () => {
  it('finds a partition that goes on with a contact that it lent', async () => {
    const { mesh } = ringingElsewhere();
    mesh.add('us', 'routing.us', 4, [routing.decided('c1', 'WAITING', 'TIME', 2)]);
    expect(await foundIn(mesh.streams)).toEqual([
      {
        rule: 'partition',
        at: 'us 7',
        expected: 'demo/us/c1 in the partition of eu',
        found: 'us',
      },
    ]);
  });

  it('finds a contact offered by whom nobody lent it to, and in two partitions at once', async () => {
    const mesh = waiting();
    mesh.add('eu', 'routing.eu', 3, borrowed('c1-r1'));
    expect(await rulesIn(mesh.streams)).toEqual(['partition']);
    mesh.add('us', 'routing.us', 4, [
      routing.signedIn('a2'),
      routing.decided('c1', 'OFFERED', 'AGENT_FREED', 2, { agentId: 'a2' }),
      routing.created('c1-r2', 'c1', 'a2', 24),
    ]);
    expect(await foundIn(mesh.streams)).toContainEqual({
      rule: 'one-offer',
      at: 'us 5',
      expected: 'no second reservation of demo/c1',
      found: 'c1-r2 beside c1-r1 (open)',
    });
  });

  it('finds an offer whose number is not above the last one of another partition', async () => {
    const { mesh } = ringingElsewhere();
    const back = mesh.add('eu', 'routing.eu', 10, [
      ofUs(routing.changed('rejected', 'c1-r1', 'c1', 'a1')),
      returned(),
    ]);
    const offer = [
      routing.signedIn('a2'),
      routing.decided('c1', 'OFFERED', 'CONTACT_RETURNED', 2, { agentId: 'a2', attempts: 0 }),
      routing.created('c1-r1', 'c1', 'a2', 30),
    ];
    mesh.add('us', 'routing.us', 10, offer, { cause: back });
    expect(await foundIn(mesh.streams)).toEqual([
      { rule: 'offer-number', at: 'us 7', expected: 'c1-r<n>, n above 1', found: 'c1-r1' },
    ]);
  });

  it.each([
    ['lends to itself', 'us', [lent('us')], 'another home to lend to', 'us'],
    [
      'lends what is not its own',
      'eu',
      [ofUs(lent('ap'))],
      'demo/us/c1 in the partition of us',
      'eu',
    ],
    ['gives back what it was not lent', 'eu', [returned()], 'a contact that is lent', 'loan 1'],
  ] as const)('finds a partition that %s', async (_, home, drafts, expected, found) => {
    const mesh = waiting();
    mesh.add(home, `routing.${home}`, 5, drafts);
    expect(await foundIn(mesh.streams)).toContainEqual(
      expect.objectContaining({ rule: 'partition', expected, found }),
    );
  });

  it('finds what is lent while it is offered, and given back while it is', async () => {
    const mesh = waiting();
    const offered = [
      routing.signedIn('a2'),
      routing.decided('c1', 'OFFERED', 'AGENT_FREED', 2, { agentId: 'a2' }),
      routing.created('c1-r1', 'c1', 'a2', 24),
    ];
    mesh.add('us', 'routing.us', 4, [...offered, lent('eu')]);
    expect(await foundIn(mesh.streams)).toEqual([
      expect.objectContaining({ rule: 'partition', found: 'it is offered: c1-r1' }),
    ]);
    const { mesh: other } = ringingElsewhere();
    other.add('eu', 'routing.eu', 5, [returned()]);
    expect(await foundIn(other.streams)).toEqual([
      expect.objectContaining({ rule: 'partition', found: 'c1-r1' }),
    ]);
  });

  it('finds another loan than the one that is meant, and a borrowed contact that waits', async () => {
    const mesh = waiting();
    const loan = mesh.add('us', 'routing.us', 3, [lent('eu')]);
    mesh.add('eu', 'routing.eu', 3, borrowed('c1-r1', 2), { cause: loan });
    expect(await foundIn(mesh.streams)).toEqual([
      { rule: 'partition', at: 'eu 2', expected: 'loan 1', found: 'loan 2' },
    ]);
    const other = waiting();
    const second = other.add('us', 'routing.us', 3, [lent('eu')]);
    const waits = ofUs(routing.decided('c1', 'WAITING', 'CONTACT_BORROWED', 2, { loan: 1 }));
    other.add('eu', 'routing.eu', 3, [waits], { cause: second });
    expect(await foundIn(other.streams)).toEqual([
      expect.objectContaining({ expected: 'c1 of us offered or given back', found: 'WAITING' }),
    ]);
  });

  it('finds a reservation that forgets whose contact it is of', async () => {
    const { mesh } = ringingElsewhere();
    mesh.add('eu', 'routing.eu', 5, [routing.changed('accepted', 'c1-r1', 'c1', 'a1')]);
    expect(await foundIn(mesh.streams)).toEqual([
      { rule: 'reservation', at: 'eu 3', expected: 'contactHome: us', found: 'nothing' },
    ]);
  });
});

describe('2: ownership', () => {
  const ownership = { by: 'eu', epoch: 2, tenant: 'meridian' } as const;

  /** Home us is taken over by eu after entry 4, as the draft says. */
  function over(
    draft = completed('us', 2, 'eu', [['us', 4]]),
    options: MeshEntryOptions = ownership,
  ): MeshBuilder {
    const mesh = waiting();
    mesh.add('us', 'ownership.us', 10, [draft], options);
    return mesh;
  }

  it('finds who writes under an epoch of another, or of nobody', async () => {
    const foreign = over();
    foreign.add('us', 'contact.c2', 11, contact.initiated('c2'), { by: 'us', epoch: 2 });
    expect(await foundIn(foreign.streams)).toEqual([
      { rule: 'ownership', at: 'us 5', expected: 'the owner of epoch 2 of us', found: 'us' },
    ]);
    const unknown = over();
    unknown.add('us', 'contact.c2', 11, contact.initiated('c2'), { by: 'eu', epoch: 3 });
    expect(await foundIn(unknown.streams)).toEqual([
      { rule: 'ownership', at: 'eu 3', expected: 'an epoch of us', found: '3' },
    ]);
    const never = waiting();
    never.add('us', 'contact.c2', 11, contact.initiated('c2'), { by: 'eu' });
    expect(await rulesIn(never.streams)).toEqual(['ownership']);
  });

  it('finds a decision under a new epoch before the one that begins it', async () => {
    const mesh = waiting();
    mesh.add('us', 'contact.c2', 9, contact.initiated('c2'), { by: 'eu', epoch: 2 });
    mesh.add('us', 'ownership.us', 10, [completed('us', 2, 'eu', [['us', 4]])], ownership);
    expect(await foundIn(mesh.streams)).toEqual([
      {
        rule: 'ledger',
        at: 'eu 2',
        expected: 'failover.completed as the first entry of epoch 2',
        found: 'ev.eu.us.demo.contact.c2',
      },
    ]);
  });

  it.each([
    [
      'another seal than it names in the list',
      completed('us', 2, 'eu', [['us', 4]], { upTo: 3 }),
      'epoch 1 of us to 4',
      'epoch 1 of us to 3',
    ],
    [
      'a seal too few',
      completed('us', 2, 'eu', [['us', 4]], { seals: [] }),
      'the seals of the epochs 1 to 1',
      'none',
    ],
    [
      'a seal beyond the end of the stream',
      completed('us', 2, 'eu', [['us', 9]]),
      'EV_us to reach the seal 9',
      'it ends at 4',
    ],
    [
      'a plan that the owner did not seal',
      completed('us', 2, 'eu', [['us', 4]], { kind: 'PLANNED' }),
      'failover.sealed of epoch 1 at EV_us:4',
      'no seal',
    ],
    [
      'a first epoch of another region',
      completed('us', 2, 'eu', [['ap', 4]]),
      'epoch 1 of us',
      'epoch 1 of ap to 4',
    ],
  ])('finds a takeover with %s', async (_, draft, expected, found) => {
    expect(await foundIn(over(draft).streams)).toContainEqual({
      rule: 'ledger',
      at: 'eu 2',
      expected,
      found,
    });
  });

  it('takes a plan that the owner sealed', async () => {
    const mesh = waiting();
    const sealed = {
      type: 'meridian.failover.sealed.v1' as const,
      subject: 'us',
      data: { epoch: 1, to: 'eu' },
    };
    mesh.add('us', 'ownership.us', 9, [sealed], { tenant: 'meridian' });
    const plan = { kind: 'PLANNED' };
    mesh.add('us', 'ownership.us', 10, [completed('us', 2, 'eu', [['us', 5]], plan)], ownership);
    expect(await foundIn(mesh.streams)).toEqual([]);
  });

  it('finds two that begin one epoch, and a later one that tells the past otherwise', async () => {
    const twice = over();
    twice.add('us', 'ownership.us', 11, [completed('us', 2, 'eu', [['us', 4]])], ownership);
    expect(await foundIn(twice.streams)).toEqual([
      expect.objectContaining({ rule: 'ledger', found: 'a second beginning by eu' }),
    ]);
    const otherwise = over();
    const third = completed('us', 3, 'us', [
      ['us', 3],
      ['eu', 2],
    ]);
    otherwise.add('us', 'ownership.us', 20, [third], { by: 'us', epoch: 3, tenant: 'meridian' });
    expect(await foundIn(otherwise.streams)).toContainEqual({
      rule: 'ledger',
      at: 'eu 2',
      expected: 'epoch 1 of us to 3',
      found: 'epoch 1 of us to 4',
    });
  });

  it('finds a takeover that another than the new owner wrote', async () => {
    const mesh = over(completed('us', 2, 'eu', [['us', 4]]), { ...ownership, by: 'us' });
    expect(await foundIn(mesh.streams)).toContainEqual({
      rule: 'ledger',
      at: 'us 5',
      expected: 'ev.eu.us.meridian.ownership.us',
      found: 'ev.us.us.meridian.ownership.us',
    });
  });

  it('finds an adopted aggregate that does not say so, says it wrong, or says it twice', async () => {
    const now = { by: 'eu', epoch: 2 } as const;
    const says = (tamper: (text: string) => string): Promise<unknown> => {
      const mesh = over();
      mesh.add('us', 'contact.c1', 11, contact.gaveUp('c1', 9, { IVR: 2, QUEUED: 9 }), {
        ...now,
        tamper,
      });
      return foundIn(mesh.streams);
    };
    expect(await says((text) => text)).toEqual([]);
    const wrong = { rule: 'adopted', at: 'eu 3' };
    expect(await says((text) => text.replace('"adoptedfrom":"EV_us:3",', ''))).toEqual([
      { ...wrong, expected: 'EV_us:3', found: 'nothing' },
    ]);
    expect(await says((text) => text.replace('EV_us:3', 'EV_us:2'))).toEqual([
      { ...wrong, expected: 'EV_us:3', found: '"EV_us:2"' },
    ]);
    const always = '"adoptedfrom":"EV_us:3","data":';
    expect(
      await says((text) => (text.includes('adopted') ? text : text.replace('"data":', always))),
    ).toEqual([{ ...wrong, expected: 'nothing', found: '"EV_us:3"' }]);
  });
});

describe('3: the end of offers', () => {
  /** Its home is taken over at 40, long after the offer expired at 23; it ends then. */
  const ended = (seconds: number): Promise<unknown> => {
    const { mesh } = ringingElsewhere();
    const seal = [['eu', mesh.length('eu')]] as const;
    const now = { by: 'us', epoch: 2 } as const;
    const draft = completed('eu', 2, 'us', seal);
    mesh.add('eu', 'ownership.eu', 40, [draft], { ...now, tenant: 'meridian' });
    const late = ofUs(routing.changed('timed_out', 'c1-r1', 'c1', 'a1'));
    mesh.add('eu', 'routing.eu', seconds, [late], now);
    return foundIn(mesh.streams);
  };

  it('is due when the home has been taken over, and one second more', async () => {
    expect(await ended(41)).toEqual([]);
    expect(await ended(41.001)).toEqual([
      expect.objectContaining({
        rule: 'offer-end',
        expected: `c1-r1 to end by ${at(41)}`,
        found: at(41.001),
      }),
    ]);
  });
});
