import { describe, expect, it } from '@jest/globals';
import { EdgeRefusal } from '../fault.ts';
import type { Places, PlayerEdge, SeenEvent, StreamedEvent } from './edge.ts';
import { Feed } from './feed.ts';
import { Patience, readPatiently } from './patience.ts';

const event = (subject: string) =>
  ({ type: 'x', subject, time: '', tenant: 'demo', data: {} }) as unknown as SeenEvent;

/** An edge whose stream says what the test pushes. */
class Scripted {
  readonly #queue: StreamedEvent[] = [];
  #wake: () => void = () => {};
  readonly froms: (Places | 'now')[] = [];
  logged: unknown[] = [];

  push(sequence: number, index = 0, stream = 'EV_eu'): void {
    this.#queue.push({ stream, sequence, index, event: event(`${sequence}.${index}`) });
    this.#wake();
  }

  readonly edge = {
    events: (from: Places | 'now', options: { signal: AbortSignal; onOpen: () => void }) =>
      this.#events(from, options),
    log: async function* (this: Scripted) {
      yield this.logged;
    }.bind(this),
  } as unknown as PlayerEdge;

  async *#events(
    from: Places | 'now',
    { signal, onOpen }: { signal: AbortSignal; onOpen: () => void },
  ) {
    this.froms.push(from);
    onOpen();
    signal.addEventListener('abort', () => this.#wake());
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

describe('the feed', () => {
  it('resolves once everything up to the sequence was seen, the rest of its entry included', async () => {
    const script = new Scripted();
    const seen: string[] = [];
    const feed = new Feed(script.edge, { EV_eu: 4 }, ({ subject }) => seen.push(subject));
    await feed.open();
    const settled = feed.until({ EV_eu: 6 }).then(() => [...seen]);
    for (const [sequence, index] of [
      [5, 0],
      [6, 0],
      [6, 1],
      [6, 2],
    ] as const) {
      script.push(sequence, index);
    }
    expect(await settled).toEqual(['5.0', '6.0', '6.1', '6.2']);
    expect([feed.events, feed.late, feed.first, feed.last]).toEqual([
      4,
      0,
      { EV_eu: 5 },
      { EV_eu: 6 },
    ]);
    expect(script.froms).toEqual([{ EV_eu: 4 }]);
    await feed.close();
  });

  it('hears nothing twice, and counts what comes after it was waited for', async () => {
    const script = new Scripted();
    const seen: string[] = [];
    const feed = new Feed(script.edge, { EV_eu: 0 }, ({ subject }) => seen.push(subject));
    await feed.open();
    script.push(1);
    await feed.until({ EV_eu: 1 });
    script.push(1);
    script.push(1, 1);
    script.push(2);
    await feed.until({ EV_eu: 2 });
    expect(seen).toEqual(['1.0', '1.1', '2.0']);
    expect(feed.late).toBe(1);
    await feed.close();
  });

  it("passes over other tenants' entries, which never come", async () => {
    const script = new Scripted();
    const feed = new Feed(script.edge, { EV_eu: 7 }, () => {});
    await feed.open();
    await feed.until({ EV_eu: 9 });
    expect(feed.last).toEqual({ EV_eu: 9 });
    await feed.close();
  });

  it('says why it cannot listen', async () => {
    const refusal = new EdgeRefusal('The stream', 403, { detail: 'no' });
    const edge = {
      // oxlint-disable-next-line require-yield
      async *events() {
        throw refusal;
      },
    } as unknown as PlayerEdge;
    const feed = new Feed(edge, { EV_eu: 0 }, () => {});
    await expect(feed.open()).rejects.toBe(refusal);
    await expect(feed.until({ EV_eu: 1 })).rejects.toBe(refusal);
    await expect(feed.news(1)).rejects.toBe(refusal);
  });
});

describe('patience', () => {
  const quick = { firstPauseMs: 1, longestPauseMs: 1 };
  const away = () => new EdgeRefusal('x', 503, {});

  it('tries again what may succeed, and not what cannot', async () => {
    const patience = new Patience(quick);
    let calls = 0;
    await expect(
      patience.keepTrying('x', async () => {
        calls += 1;
        if (calls < 4) throw away();
        return 'done';
      }),
    ).resolves.toBe('done');
    expect([calls, patience.failures]).toEqual([4, 3]);
    await expect(
      patience.keepTrying('x', async () => {
        throw new EdgeRefusal('x', 409, {});
      }),
    ).rejects.toThrow('409');
  });

  it('reads a log on from where it broke off', async () => {
    const froms: number[] = [];
    const edge = {
      async *log(_: string, { from = 1 }: { from?: number }) {
        froms.push(from);
        yield [{ sequence: from }, { sequence: from + 1 }];
        if (from < 5) throw away();
      },
    } as unknown as PlayerEdge;
    const sequences: number[] = [];
    for await (const { sequence } of readPatiently(edge, 'EV_eu', new Patience(quick))) {
      sequences.push(sequence);
    }
    expect(froms).toEqual([1, 3, 5]);
    expect(sequences).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
