import type { RawEntry } from '../check/index.ts';
import type {
  ClockAnswer,
  ClockReading,
  HomeView,
  ListenOptions,
  LogRange,
  Places,
  PlayerEdge,
  PlayerRequest,
  RegionEdge,
  StoredRequest,
  StreamedEvent,
} from './edge.ts';
import { Outbox, type Acknowledgement, type Acknowledgements } from './outbox.ts';
import { PlayFault } from './patience.ts';
import { ownStreams, placeIn, regionOf } from './region-streams.ts';

/** What a lost region may not have kept. */
export interface Unsure {
  /** Requests that were sent again. */
  readonly sentAgain: number;
  /** What it had acknowledged of them and no other region held. */
  readonly missing: readonly Acknowledgement[];
}

/**
 * Several regions as those outside see them: each request goes to the edge of the region where its
 * customer or agent is, what happened is heard from one edge for all. When a region is lost, its
 * customers and agents go on at another one's edge. How it finds that all regions rest is written
 * in this folder's README.
 */
export class MeshEdge implements PlayerEdge {
  /** By name, those that are lost included. */
  readonly regions: readonly string[];
  readonly #edges: ReadonlyMap<string, RegionEdge>;
  /** The regions in the order in which they are preferred to be listened to. */
  readonly #listening: readonly string[];
  /** Lost regions, and when their customers and agents can go on elsewhere. */
  readonly #lost = new Map<string, Promise<void>>();
  readonly #outbox = new Outbox();
  /** The time at which each region's clock is known to stand still. */
  readonly #standing = new Map<string, number>();
  /** What each region answered when it rested last; not if anything was published there since. */
  readonly #answers = new Map<string, ClockAnswer>();
  /** Counts what makes an earlier answer of a region void: asking again, and publishing there. */
  readonly #turns = new Map<string, number>();
  readonly #listeners = new Map<string, Set<AbortController>>();

  /** @param avoided where events are heard only if no other region is there */
  constructor(edges: ReadonlyMap<string, RegionEdge>, avoided?: string) {
    this.#edges = edges;
    this.regions = [...edges.keys()];
    const last = (region: string): number => Number(region === avoided);
    this.#listening = this.regions.toSorted((one, two) => last(one) - last(two));
  }

  async publish(requests: readonly PlayerRequest[]): Promise<readonly StoredRequest[]> {
    const [first = ''] = this.regions;
    const byDoor = new Map<string, { readonly place: number; readonly request: PlayerRequest }[]>();
    for (const [place, request] of requests.entries()) {
      const home = request.region ?? first;
      // No turn is lost where there is nothing to wait for: what is sent now is on its way at once.
      const opened = this.#lost.get(home);
      if (opened !== undefined) await opened;
      const door = this.#doorOf(home);
      const own = byDoor.get(door) ?? [];
      own.push({ place, request });
      byDoor.set(door, own);
    }
    const stored: StoredRequest[] = [];
    await Promise.all(
      [...byDoor].map(async ([door, own]) => {
        this.#turn(door);
        const answers = await this.#publishAt(
          door,
          own.map(({ request }) => request),
        );
        for (const [index, { place }] of own.entries()) {
          stored[place] = answers[index] as StoredRequest;
        }
      }),
    );
    return stored;
  }

  async clock(): Promise<ClockReading> {
    const readings = await Promise.all(this.#living().map((one) => this.#edge(one).clock()));
    const shown = readings.flatMap(({ now }) => (now === null ? [] : [now]));
    return {
      driven: readings.every(({ driven }) => driven),
      now: shown.length === 0 ? null : Math.max(...shown),
    };
  }

  /** Sets the clocks of all regions and waits until all of them rest, what crosses included. */
  async advance(to: { readonly at?: number; readonly rate: number }): Promise<ClockAnswer> {
    const living = this.#living();
    const stands = (region: string): boolean =>
      to.rate === 0 && to.at !== undefined && this.#standing.get(region) === to.at;
    const fires = (region: string): boolean => {
      const dueMs = this.#answers.get(region)?.nextDueMs ?? null;
      return to.at !== undefined && dueMs !== null && dueMs <= to.at;
    };
    const toSet = living.filter((region) => !stands(region));
    const firing = toSet.filter(fires);
    // Where nothing is due nothing happens: so all others show the time before anything is decided.
    await Promise.all([
      this.#ask(
        living.filter((region) => stands(region) && !this.#answers.has(region)),
        {},
      ),
      this.#ask(
        toSet.filter((region) => !firing.includes(region)),
        to,
      ),
    ]);
    await this.#ask(firing, to);
    for (const region of toSet) {
      const at = this.#answers.get(region)?.at;
      if (to.rate === 0 && at !== undefined) this.#standing.set(region, at);
      else this.#standing.delete(region);
    }
    return this.#untilAllRest();
  }

  /** Waits until all regions rest as they are, their clocks not touched. */
  async rest(): Promise<ClockAnswer> {
    await this.#ask(this.#living(), {});
    return this.#untilAllRest();
  }

  async *events(after: Places | 'now', options: ListenOptions): AsyncGenerator<StreamedEvent> {
    const { signal, onOpen } = options;
    let from: Places | string = after;
    while (!signal.aborted) {
      const region = this.#listening.find((one) => !this.#lost.has(one)) as string;
      const abort = new AbortController();
      const all = AbortSignal.any([signal, abort.signal]);
      const open = this.#listeners.get(region) ?? new Set();
      this.#listeners.set(region, open.add(abort));
      try {
        for await (const event of this.#edge(region).events(from, { signal: all, onOpen })) {
          from = event.position;
          yield event;
        }
      } finally {
        open.delete(abort);
      }
      if (!abort.signal.aborted) return;
    }
  }

  /** The entries of a stream as its region has them; of a lost region as another one holds them. */
  log(stream: string, range?: LogRange): AsyncIterable<readonly RawEntry[]> {
    return this.#edge(this.#doorOf(regionOf(stream))).log(stream, range);
  }

  homes(): Promise<readonly HomeView[]> {
    return this.#edge(this.#living()[0] as string).homes();
  }

  /**
   * A region is gone. What is for its customers and agents waits until `opened`, and goes to another
   * region's edge from then on.
   */
  lose(region: string, opened: Promise<void>): void {
    this.#lost.set(region, opened);
    this.#standing.delete(region);
    this.#turn(region);
    if (this.#living().length === 0) {
      throw new PlayFault('Every region is lost.\nStart the regions again, and play the day anew.');
    }
    for (const listener of this.#listeners.get(region) ?? []) listener.abort();
  }

  /** A region is there again. */
  regain(region: string): void {
    this.#lost.delete(region);
  }

  /**
   * Sends what a lost region may or may not have kept to where its customers and agents are now,
   * with the same ids.
   * @param held up to where other regions hold the lost one's intake
   */
  async sendAgain(region: string, held: number): Promise<Unsure> {
    const sent = this.#outbox.unsure(region);
    const door = this.#doorOf(region);
    for (const { request } of sent) await this.#publishAt(door, [request]);
    this.#outbox.isSafe(region);
    const missing = sent.flatMap(({ acknowledged }) =>
      acknowledged !== undefined && acknowledged.sequence > held ? [acknowledged] : [],
    );
    return { sentAgain: sent.length, missing };
  }

  /** What publishers were told so far. */
  acknowledgements(): Acknowledgements {
    return this.#outbox.acknowledgements();
  }

  /** The regions that are there. */
  get living(): readonly string[] {
    return this.#living();
  }

  /** The entries of a stream as a region holds them. */
  copyOf(stream: string, region: string, range?: LogRange): AsyncIterable<readonly RawEntry[]> {
    return this.#edge(region).log(stream, range);
  }

  #publishAt(door: string, requests: readonly PlayerRequest[]): Promise<readonly StoredRequest[]> {
    return this.#outbox.publish(door, requests, (all) => this.#edge(door).publish(all));
  }

  #living(): string[] {
    return this.regions.filter((region) => !this.#lost.has(region));
  }

  #edge(region: string): RegionEdge {
    const edge = this.#edges.get(region);
    if (edge !== undefined) return edge;
    throw new PlayFault(
      `There is no edge of the region ${region}; there are ${this.regions.join(', ')}.\n` +
        'Give the address of every region.',
    );
  }

  /** The region whose edge those of a home turn to. */
  #doorOf(home: string): string {
    const at = this.regions.indexOf(home);
    const inTurn = [...this.regions.slice(at), ...this.regions.slice(0, at)];
    return inTurn.find((region) => !this.#lost.has(region)) ?? home;
  }

  /** Asks again who has not read what others had stored when they rested, until there is nobody. */
  async #untilAllRest(): Promise<ClockAnswer> {
    for (;;) {
      const answers = [...this.#answers];
      const ends: Record<string, number> = {};
      for (const [region, answer] of answers) {
        for (const stream of ownStreams(region)) ends[stream] = placeIn(answer, region, stream);
      }
      const behind = answers
        .filter(([region, answer]) =>
          Object.entries(ends).some(([stream, end]) => placeIn(answer, region, stream) < end),
        )
        .map(([region]) => region);
      if (behind.length === 0) {
        // Every region holds what was sent: nothing of it can be lost with one of them.
        for (const [region] of answers) this.#outbox.isSafe(region);
        return this.#together(ends);
      }
      await this.#ask(behind, { upTo: ends });
    }
  }

  async #ask(regions: readonly string[], to: Parameters<RegionEdge['advance']>[0]): Promise<void> {
    await Promise.all(
      regions.map(async (region) => {
        const turn = this.#turn(region);
        const answer = await this.#edge(region).advance(to);
        if (this.#turns.get(region) === turn) this.#answers.set(region, answer);
      }),
    );
  }

  /** What a region answered before is void, also what it answers later to what was asked before. */
  #turn(region: string): number {
    const turn = (this.#turns.get(region) ?? 0) + 1;
    this.#turns.set(region, turn);
    this.#answers.delete(region);
    return turn;
  }

  #together(ends: Places): ClockAnswer {
    const answers = this.#answers;
    const due = [...answers.values()].flatMap(({ nextDueMs }) => nextDueMs ?? []);
    const listening = this.#listening.find((region) => answers.has(region)) ?? '';
    const intakes: Record<string, number> = {};
    for (const lost of this.#lost.keys()) {
      const [intake = ''] = ownStreams(lost);
      const held = [...answers.values()].map(({ lastSequence }) => lastSequence[intake] ?? 0);
      intakes[intake] = Math.max(...held);
    }
    return {
      at: Math.max(...[...answers.values()].map(({ at }) => at)),
      nextDueMs: due.length === 0 ? null : Math.min(...due),
      // Of a lost region: the events held where they are heard, the intake held anywhere.
      lastSequence: { ...answers.get(listening)?.lastSequence, ...intakes, ...ends },
    };
  }
}
