import { describe, expect, it } from '@jest/globals';
import { EdgeUnreachable } from '../fault.ts';
import { Disaster, type Blow } from './disaster.ts';
import type { HomeView } from './edge.ts';
import { MeshEdge } from './mesh-edge.ts';
import type { Placement } from './placement.ts';

const noon = 43_200_000;
const lost = { id: 'c1/arrive/0', stream: 'IN_eu', sequence: 8, atMs: 5 };
const action = { kind: 'ARRIVE', subject: 'c1' } as const;

/** A mesh that takes the region's home over at the third look, and notes what is done with it. */
function stageOf(options: { readonly restart?: true } = {}) {
  const done: string[] = [];
  let looks = 0;
  const home = (owner: string, state: string): HomeView => ({
    home: 'eu',
    owner,
    epoch: 2,
    state,
    seals: [],
  });
  const answer = { at: noon, nextDueMs: null, lastSequence: { IN_eu: 7 } };
  const mesh = Object.assign(Object.create(MeshEdge.prototype) as MeshEdge, {
    regions: ['eu', 'us'],
    lose: (region: string) => done.push(`lose ${region}`),
    regain: (region: string) => done.push(`regain ${region}`),
    homes: async () => {
      looks += 1;
      if (looks === 1) throw new EdgeUnreachable('homes', 'x', new Error('away'));
      return [looks === 2 ? home('us', 'FAILING_OVER') : home('us', 'ACTIVE')];
    },
    rest: async () => {
      done.push('rest');
      return answer;
    },
    advance: async ({ at }: { at?: number }) => {
      done.push(`set ${at}`);
      return answer;
    },
    sendAgain: async (_: string, held: number) => {
      done.push(`send again beyond ${held}`);
      return { sentAgain: 2, missing: [lost] };
    },
  });
  const deed = (name: string) => async (): Promise<void> => {
    done.push(name);
  };
  const blow: Blow = {
    region: 'eu',
    timeOfDayMs: noon,
    kill: deed('kill'),
    ...(options.restart === true && { restart: deed('restart') }),
  };
  const where: Record<string, string> = { c1: 'eu', c2: 'us' };
  const placement = { homeOf: ({ subject }: { subject: string }) => where[subject] };
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
  };
  const disaster = new Disaster(blow, mesh, placement as unknown as Placement, 0, say);
  return { disaster, done, said, mesh };
}

describe('the loss of a region', () => {
  it('comes with the first request to it from its time on, or some minutes later', async () => {
    const { disaster } = stageOf();
    expect(disaster.isDue(noon - 1, action)).toBe(false);
    expect(disaster.isDue(noon, { ...action, subject: 'c2' })).toBe(false);
    expect(disaster.isDue(noon, action)).toBe(true);
    expect(disaster.latestMs).toBe(noon + 300_000);
    await disaster.strike(noon);
    expect(disaster.isDue(noon, action)).toBe(false);
    expect(disaster.latestMs).toBeUndefined();
  });

  it('is over when others decide and rest, and have what it may not have kept', async () => {
    const { disaster, done, said } = stageOf();
    expect(disaster.report).toBeUndefined();
    await disaster.strike(noon);
    expect(done).toEqual(['kill', 'lose eu', 'rest', 'send again beyond 7']);
    expect(disaster.report).toMatchObject({
      region: 'eu',
      at: noon,
      sentAgain: 2,
      missing: [lost],
      owners: { eu: 'us' },
      restartedAt: null,
      returnedMs: null,
    });
    expect(said).toEqual([
      '12:00:00 eu is killed; the day waits until others decide for its home',
      expect.stringMatching(
        /^12:00:00 us decides for eu; the day goes on, \d+\.\d s after the kill$/,
      ),
    ]);
    await disaster.mend(noon + 9);
    expect(done).toHaveLength(4);
  });

  it('ends after the day, with the clock that the others show', async () => {
    const { disaster, done } = stageOf({ restart: true });
    await disaster.mend(noon);
    expect(done).toEqual([]);
    await disaster.strike(noon);
    await disaster.mend(noon + 9);
    expect(done.slice(4)).toEqual(['restart', 'regain eu', `set ${noon + 9}`]);
    expect(disaster.report?.restartedAt).not.toBeNull();
    expect(disaster.report?.returnedMs).not.toBeNull();
  });

  it('is looked at in the copies of all regions, up to where they rest', async () => {
    const { disaster, mesh } = stageOf();
    expect(await disaster.look()).toBeUndefined();
    await disaster.strike(noon);
    const place = { id: 'c1/arrive/0', stream: 'IN_us', sequence: 1, atMs: 5 };
    const told = { places: [place], requests: 1, unanswered: 0, retried: 0, longestPauseMs: {} };
    Object.assign(mesh, {
      acknowledgements: () => told,
      rest: async () => ({ at: noon, nextDueMs: null, lastSequence: { IN_us: 1 } }),
      copyOf: async function* none() {},
    });
    Object.defineProperty(mesh, 'living', { value: ['us', 'ap'] });
    expect(await disaster.look()).toMatchObject({
      region: 'eu',
      acknowledgements: told,
      lost: [{ stream: 'IN_us', sequence: 1 }],
      differing: [],
    });
  });

  it('is only of one of several regions', () => {
    const { disaster } = stageOf();
    expect(disaster).toBeDefined();
    const blow = { region: 'xx', timeOfDayMs: 0, kill: async () => {} };
    const mesh = new MeshEdge(new Map());
    expect(() => new Disaster(blow, mesh, {} as Placement, 0)).toThrow('cannot be killed');
  });
});
