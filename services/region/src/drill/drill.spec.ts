import { describe, expect, it } from '@jest/globals';
import type { Receipt } from '@meridian/cli';
import type { Acknowledged } from './acknowledgements.ts';
import { holds, missingElsewhere, type CopyContent } from './copies.ts';
import { Door } from './doors.ts';
import { exercisesOf, longSeries } from './exercises.ts';
import { publishers } from './load-options.ts';
import { readCut, readOptions } from './options.ts';
import { reactionTo, type Heard } from './reactions.ts';
import { renderWorst } from './worst.ts';

const copy = (ids: Readonly<Record<number, string>>): CopyContent => ({
  stream: 'IN_eu',
  last: 9,
  digest: '',
  ids: new Map(
    Object.entries(ids).map(([sequence, id]) => [Number(sequence), `demo#/drill#${id}`]),
  ),
});
const told = (
  sequence: number,
  durability: Acknowledged['durability'],
  stream = 'IN_eu',
): Acknowledged => ({
  id: `r${sequence}`,
  stream,
  sequence,
  durability,
  atMs: 1_000 + sequence,
});

describe('what was acknowledged and is not held elsewhere', () => {
  it('must be held by one survivor, at all by each, under its own id', () => {
    const one = copy({ 1: 'r1', 2: 'r2', 3: 'r3', 4: 'other' });
    const other = copy({ 1: 'r1', 3: 'r3' });
    const acknowledged = [
      told(1, 'all'),
      told(2, 'mirrored'),
      told(3, 'region'),
      told(2, 'all'),
      told(4, 'mirrored'),
      told(5, 'region'),
      told(6, 'region', 'IN_us'),
    ];
    const { lost, messages } = missingElsewhere(acknowledged, 'IN_eu', [one, other]);
    expect(messages).toEqual([told(2, 'all'), told(4, 'mirrored'), told(5, 'region')]);
    expect(lost.count).toEqual({ region: 1, mirrored: 1, all: 1 });
    expect(holds(one, told(4, 'region'))).toBe(false);
  });
});

describe('the command line of a drill', () => {
  it('says what is wrong', () => {
    const wrong: readonly (readonly [string[], string])[] = [
      [[], 'Nothing to do'],
      [['--kill', 'mars'], 'regions of a drill are eu, us, ap'],
      [['--planned'], '--planned needs --kill'],
      [['--kill', 'eu', '--rate', '0'], '--rate is "0"'],
      [['--kill', 'eu', '--seconds', '601'], 'from 1 to 600'],
      [['--cut', 'eu-eu:reset'], '--cut is "eu-eu:reset"'],
      [['--cut', 'eu>us:reset'], 'reset both ways'],
      [['--fly'], '--fly'],
    ];
    for (const [args, message] of wrong) expect(() => readOptions(args)).toThrow(message);
  });

  it('reads cuts, one way and both', () => {
    expect(readCut('eu-us:blackhole')).toEqual({
      from: 'eu',
      to: 'us',
      by: 'black hole',
      direction: 'both',
    });
    expect(readCut('ap>us:blackhole').direction).toBe('forward');
  });

  it('chooses the exercise, or names of the series', () => {
    const of = (...args: string[]) => exercisesOf(readOptions(args)).map(({ what }) => what);
    expect(of('--kill', 'us')).toEqual(['kill us']);
    expect(of('--kill', 'us', '--planned')).toEqual(['planned failover of us to ap and failback']);
    expect(of('--cut', 'eu-us:reset', '--cut', 'eu>ap:blackhole')).toEqual([
      'cut eu-us by reset, eu>ap by black hole',
    ]);
    expect(of('--all', '--only', 'break-glass,kill-eu')).toHaveLength(2);
    const names = longSeries().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(() => of('--all', '--only', 'kill-eu,fly')).toThrow('--only names "fly"');
  });

  it('has every exercise that was promised in the series, each by its name', () => {
    const names = longSeries().map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'break-glass',
        'clock-jump',
        'clock-jump-recovery',
        'clock-jump-routing',
        'clock-jump-sessions',
        'disk-full',
        'isolate-eu',
        'kill-eu-services',
        'on-isolation-serve',
        'orphans',
      ]),
    );
  });
});

describe('the load', () => {
  it('is shared out whole', () => {
    const shares = Object.values(publishers).map(({ sharePercent }) => sharePercent);
    expect(shares.reduce<number>((sum, one) => sum + one, 0)).toBe(100);
  });

  it('goes on at the next edge once, whoever notices first', () => {
    const edges = ['eu', 'us', 'ap'].map((region) => ({ region, url: '', key: '' }));
    const door = new Door(edges, 'us');
    const { edge } = door;
    door.moveOn(edge);
    door.moveOn(edge);
    expect(door.edge.region).toBe('ap');
    door.moveOn(door.edge);
    expect(door.edge.region).toBe('eu');
  });

  it('reacts to what concerns its own customers and agents, with one request for each event', () => {
    const heard = (type: string, subject: string, data = {}): Heard => ({
      id: `demo.x.${subject}.3`,
      type: `meridian.${type}.v1`,
      subject,
      region: 'eu',
      epoch: 2,
      data,
    });
    const who = {
      isMyCustomer: (id: string) => id === 'c1',
      isMyAgent: (id: string) => id === 'a1',
    };
    const asked = (event: Heard) => reactionTo(event, who)?.request;
    expect(asked(heard('contact.initiated', 'c1'))).toMatchObject({
      id: 'c1/enter-2',
      type: 'meridian.contact.enter_queue.v1',
      region: 'eu',
    });
    expect(asked(heard('contact.initiated', 'c2'))).toBeUndefined();
    expect(asked(heard('reservation.created', 'c9-r1', { agentId: 'a1' }))).toEqual({
      id: 'c9-r1/accept-a1-2',
      type: 'meridian.reservation.accept.v1',
      subject: 'c9-r1',
      region: 'eu',
      data: { agentId: 'a1' },
    });
    expect(asked(heard('reservation.created', 'c9-r1', { agentId: 'a2' }))).toBeUndefined();
    expect(asked(heard('contact.connected_to_agent', 'c9', { agentId: 'a1' }))?.type).toContain(
      'hang_up',
    );
    expect(asked(heard('contact.acw_started', 'c9', { agentId: 'a1' }))?.type).toContain('wrap_up');
    expect(asked(heard('agent.not_responding', 'a1'))?.data).toEqual({ presence: 'AVAILABLE' });
  });
});

describe('several drills', () => {
  it('show the worst of each promise', () => {
    const receipt = (rtoMs: number | null, perSecond: number): Receipt =>
      ({
        passed: rtoMs !== null,
        verdicts: [
          {
            code: 'RTO',
            promise: 'RTO',
            measured: rtoMs,
            bound: 'at most',
            limit: 9,
            unit: 'ms',
            kept: rtoMs !== null,
          },
          {
            code: 'LOAD',
            promise: 'load',
            measured: perSecond,
            bound: 'at least',
            limit: 1,
            unit: '/s',
            kept: true,
          },
        ],
      }) as unknown as Receipt;
    const text = renderWorst([receipt(4, 7), receipt(6, 8)]);
    expect(text).toContain('kept    worst 6, kept 2 of 2: RTO');
    expect(text).toContain('worst 7, kept 2 of 2: load');
    expect(renderWorst([receipt(4, 7), receipt(null, 8)])).toContain(
      'BROKEN  worst not measured, kept 1 of 2',
    );
  });
});
