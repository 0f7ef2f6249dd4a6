import { describe, expect, it } from '@jest/globals';
import type { PlayerRequest, RegionEdge, RegionEvent, SeenEvent, StoredRequest } from './edge.ts';
import { MeshEdge } from './mesh-edge.ts';

type Asked = Parameters<RegionEdge['advance']>[0];

const request = (id: string, region?: string): PlayerRequest =>
  ({ id, ...(region !== undefined && { region }) }) as unknown as PlayerRequest;

/** A region that holds of the others what it was told to wait for, and answers that with entries. */
class FakeRegion {
  readonly asked: Asked[] = [];
  readonly published: string[] = [];
  readonly heardAfter: unknown[] = [];
  readonly listened: AbortSignal[] = [];
  readonly ends: Record<string, number>;
  nextDueMs: number | null = null;
  /** Events that are heard here. */
  script: RegionEvent[] = [];
  now: number | null = null;
  readonly #name: string;
  #reactions: number;

  constructor(name: string, regions: readonly string[], reactions = 0) {
    this.#name = name;
    this.#reactions = reactions;
    this.ends = Object.fromEntries(
      regions.flatMap((one) => [
        [`IN_${one}`, 0],
        [`EV_${one}`, 0],
      ]),
    );
  }

  readonly edge = {
    publish: async (requests: readonly PlayerRequest[]): Promise<StoredRequest[]> =>
      requests.map(({ id }) => {
        this.published.push(id);
        const stream = `IN_${this.#name}`;
        const sequence = (this.ends[stream] = (this.ends[stream] ?? 0) + 1);
        return { id, stream, sequence, duplicate: false };
      }),
    clock: async () => ({ driven: true, now: this.now }),
    advance: async (to: Asked) => {
      this.asked.push(to);
      this.now = to.at ?? this.now;
      const before = JSON.stringify(this.ends);
      for (const [stream, sequence] of Object.entries(to.upTo ?? {})) {
        this.ends[stream] = Math.max(sequence, this.ends[stream] ?? 0);
      }
      // What came from elsewhere leads to something here, so many times.
      if (before !== JSON.stringify(this.ends) && this.#reactions > 0) {
        this.#reactions -= 1;
        this.ends[`EV_${this.#name}`] = (this.ends[`EV_${this.#name}`] ?? 0) + 1;
      }
      return { at: this.now ?? 0, nextDueMs: this.nextDueMs, lastSequence: { ...this.ends } };
    },
    events: (after: unknown, { signal, onOpen }: { signal: AbortSignal; onOpen: () => void }) =>
      this.#events(after, signal, onOpen),
    homes: async () => [],
  } as unknown as RegionEdge;

  async *#events(after: unknown, signal: AbortSignal, onOpen: () => void) {
    this.heardAfter.push(after);
    this.listened.push(signal);
    onOpen();
    yield* this.script;
    if (signal.aborted) return;
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
  }
}

const regions = ['eu', 'us', 'ap'];

function meshOf(reactions: Readonly<Record<string, number>> = {}, avoided?: string) {
  const fakes = regions.map((name) => [name, new FakeRegion(name, regions, reactions[name])]);
  const mesh = new MeshEdge(
    new Map(fakes.map(([name, fake]) => [name as string, (fake as FakeRegion).edge])),
    avoided,
  );
  const byName = Object.fromEntries(fakes) as Record<'eu' | 'us' | 'ap', FakeRegion>;
  return { mesh, ...byName };
}

describe('several regions as one', () => {
  it('rest when each has read what the others had stored when they rested', async () => {
    const { mesh, eu, us, ap } = meshOf({ us: 2, ap: 1, eu: 1 });
    await mesh.publish([request('a', 'eu')]);
    us.nextDueMs = 900;
    ap.nextDueMs = 700;
    const answer = await mesh.advance({ at: 500, rate: 0 });
    expect(answer).toMatchObject({ at: 500, nextDueMs: 700 });
    expect(answer.lastSequence).toEqual({
      IN_eu: 1,
      EV_eu: 1,
      IN_us: 0,
      EV_us: 2,
      IN_ap: 0,
      EV_ap: 1,
    });
    for (const one of [eu, us, ap]) expect(one.ends).toEqual(answer.lastSequence);
    // Clocks are set once.
    for (const { asked } of [eu, us, ap]) {
      expect(asked.filter(({ at }) => at !== undefined)).toEqual([{ at: 500, rate: 0 }]);
    }
  });

  it('are left alone where they have read everything, and their clocks when they show the time', async () => {
    const { mesh, eu, us } = meshOf();
    await mesh.advance({ at: 500, rate: 0 });
    await mesh.publish([request('a', 'us')]);
    await mesh.advance({ at: 500, rate: 0 });
    expect(us.asked).toEqual([{ at: 500, rate: 0 }, {}]);
    expect(eu.asked).toEqual([{ at: 500, rate: 0 }, { upTo: expect.anything() }]);
  });

  it('take each request where its home is, and answer in the order asked', async () => {
    const { mesh, eu, us } = meshOf();
    const stored = await mesh.publish([request('a', 'us'), request('b'), request('c', 'us')]);
    expect(stored.map(({ id, stream }) => `${id} ${stream}`)).toEqual([
      'a IN_us',
      'b IN_eu',
      'c IN_us',
    ]);
    expect([eu.published, us.published]).toEqual([['b'], ['a', 'c']]);
  });

  it('show the latest clock of those that were set', async () => {
    const { mesh, us, ap } = meshOf();
    expect(await mesh.clock()).toEqual({ driven: true, now: null });
    us.now = 7;
    ap.now = 5;
    expect(await mesh.clock()).toEqual({ driven: true, now: 7 });
  });

  it('go on without a lost one: another door, once it is open, and what was unsure again', async () => {
    const { mesh, eu, us, ap } = meshOf();
    const onItsWay = mesh.publish([request('a', 'eu')]);
    const opened = Promise.withResolvers<void>();
    mesh.lose('eu', opened.promise);
    const later = mesh.publish([request('b', 'eu')]);
    await mesh.publish([request('c', 'ap')]);
    expect(await onItsWay).toMatchObject([{ stream: 'IN_eu' }]);
    expect(await mesh.sendAgain('eu', 0)).toEqual({
      sentAgain: 1,
      missing: [{ id: 'a', stream: 'IN_eu', sequence: 1, atMs: expect.any(Number) }],
    });
    expect([us.published, ap.published]).toEqual([['a'], ['c']]);
    opened.resolve();
    await later;
    expect([eu.published, us.published]).toEqual([['a'], ['a', 'b']]);
    await mesh.advance({ at: 1, rate: 0 });
    expect(eu.asked).toEqual([]);
    mesh.regain('eu');
    await mesh.advance({ at: 1, rate: 0 });
    expect(eu.asked[0]).toEqual({ at: 1, rate: 0 });
  });

  it('are heard from one, and from another one when that is lost, after the last event', async () => {
    const { mesh, eu, us } = meshOf({}, 'us');
    const event = {} as SeenEvent;
    eu.script = [{ stream: 'EV_us', sequence: 5, index: 0, position: 'EV_us:5.0,EV_eu:3', event }];
    us.script = [{ stream: 'EV_us', sequence: 6, index: 0, position: 'EV_us:6.0,EV_eu:3', event }];
    const stop = new AbortController();
    const heard: number[] = [];
    for await (const { sequence } of mesh.events(
      { EV_us: 4, EV_eu: 3 },
      { signal: stop.signal, onOpen: () => {} },
    )) {
      heard.push(sequence);
      if (sequence === 5) mesh.lose('eu', Promise.resolve());
      if (sequence === 5) mesh.lose('ap', Promise.resolve());
      if (sequence === 6) stop.abort();
    }
    expect(heard).toEqual([5, 6]);
    expect(eu.heardAfter).toEqual([{ EV_us: 4, EV_eu: 3 }]);
    expect(us.heardAfter).toEqual(['EV_us:5.0,EV_eu:3']);
    expect(eu.listened[0]?.aborted).toBe(true);
  });

  it('cannot all be lost', () => {
    const { mesh } = meshOf();
    mesh.lose('eu', Promise.resolve());
    mesh.lose('us', Promise.resolve());
    expect(() => mesh.lose('ap', Promise.resolve())).toThrow('Every region is lost');
  });
});
