import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Exchange } from './exchange.ts';
import type { Fault } from './judge.ts';
import { replaceMirror, restoreOrigin, MendFailed, type Mending, type Replaced } from './mend.ts';
import type { CopyNote } from './notes.ts';
import { mayBegin, type Peers } from './peers.ts';
import { TooMuchToKeep } from './only-here.ts';
import { copyInfo } from './read-copy.ts';
import type { CopiesReport } from './report.ts';
import type { CopiesSettings } from './settings.ts';
import type { StreamWatch } from './stream-watch.ts';

/** Stops and starts the writers of a region's own streams: intake and decisions. */
export interface Fence {
  /**
   * The stream is damaged. Resolves once nothing of this region writes to it any more, whatever was
   * granted before. Called again while it is closed, it changes nothing.
   */
  close(stream: string, fault: Fault): Promise<void>;
  /** The stream is whole again. */
  open(stream: string): void;
}

export interface MenderOptions {
  readonly connection: NatsConnection;
  readonly region: string;
  readonly regions: readonly string[];
  readonly development?: boolean;
  readonly fence: Fence;
  readonly settings: CopiesSettings;
  readonly watches: readonly StreamWatch[];
  readonly peers: Peers;
  readonly exchange: Exchange;
  /** Tells the peers how things are now. @returns the number of the report */
  readonly tell: () => number;
  readonly onNote: (note: CopyNote) => void;
  readonly onTrouble: (error: unknown) => void;
  readonly now?: () => number;
}

const againMs = 5_000;
/** When a person must look, it is tried again only to see whether one has. */
const personMs = 60_000;
/** How long peers may take to catch up with a damaged stream's end before it is replaced. */
const settleMs = 3_000;
const pollMs = 100;
/** How long a restored stream waits at most for its mirrors to follow it again. */
const followedMs = 15_000;

/** Mends the own copies that are wrong, one at a time, the region's own streams first. */
export class Mender {
  readonly #options: MenderOptions;
  #work: Promise<void> | undefined;
  readonly #closed = new Set<string>();

  constructor(options: MenderOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being mended. */
  async settled(): Promise<void> {
    await this.#work;
  }

  /** Claims what is to be mended, and begins with what may begin. */
  turn(fresh: readonly CopiesReport[]): void {
    const { watches, region, tell } = this.#options;
    const wrong = watches
      .filter(({ own }) => own !== undefined)
      .toSorted((a, b) => Number(b.copy.origin === region) - Number(a.copy.origin === region));
    for (const watch of wrong) {
      if (watch.copy.origin === region) this.#fenceOff(watch);
      if (watch.claim !== undefined) continue;
      watch.claim = { stream: watch.copy.stream, number: Infinity };
      watch.claim = { stream: watch.copy.stream, number: tell() };
    }
    // What was found whole after all, by an examination after a mending that failed.
    if (this.#work === undefined) {
      for (const { copy, own, suspicion } of watches) {
        const isWhole = own === undefined && suspicion === undefined;
        if (isWhole && this.#closed.has(copy.stream)) this.#open(copy.stream);
      }
    }
    const next = wrong.find((watch) => this.#mayBegin(watch, fresh));
    if (next === undefined || this.#work !== undefined) return;
    next.isBegun = true;
    this.#work = this.#mend(next).finally(() => {
      this.#work = undefined;
    });
  }

  #open(stream: string): void {
    this.#closed.delete(stream);
    this.#options.fence.open(stream);
  }

  #fenceOff({ copy, own }: StreamWatch): void {
    const { fence, onTrouble } = this.#options;
    if (own === undefined || this.#closed.has(copy.stream)) return;
    this.#closed.add(copy.stream);
    fence.close(copy.stream, own.fault).catch(onTrouble);
  }

  #mayBegin(watch: StreamWatch, fresh: readonly CopiesReport[]): boolean {
    const { region } = this.#options;
    const { claim, copy, waitUntilMs } = watch;
    if (claim === undefined || fresh.length === 0) return false;
    if (performance.now() < waitUntilMs) return false;
    return mayBegin(region, copy.origin, claim, fresh);
  }

  async #mend(watch: StreamWatch): Promise<void> {
    const { onNote, onTrouble, region, fence, tell } = this.#options;
    const { copy, own } = watch;
    if (own === undefined) return;
    const { stream, origin } = copy;
    const { fault, sinceMs } = own;
    const begunMs = performance.now();
    try {
      if (origin === region) await fence.close(stream, fault);
      const from =
        origin === region ? await this.#sourceOfOrigin(watch) : this.#sourceOfMirror(own);
      onNote({ what: 'mending', stream, fault, from });
      const mending = this.#mending(watch, from, fault);
      const replaced: Replaced =
        origin === region ? await restoreOrigin(mending) : await replaceMirror(mending);
      watch.mended(performance.now());
      tell();
      if (origin === region) {
        await this.#followed(watch);
        this.#open(stream);
      }
      const endMs = performance.now();
      const figures = {
        ...replaced,
        sinceNoticedMs: endMs - sinceMs,
        mendingMs: endMs - begunMs,
      };
      onNote({ what: 'mended', stream, fault, from, figures });
    } catch (error) {
      this.#failed(watch, error);
      onTrouble(error);
      const reason = error instanceof Error ? error.message : String(error);
      onNote({ what: 'mend_failed', stream, reason });
    }
  }

  /** It is looked at again: perhaps it was no fault, or another copy is the right one. */
  #failed(watch: StreamWatch, error: unknown): void {
    const { own } = watch;
    watch.isBegun = false;
    watch.claim = undefined;
    watch.waitUntilMs = performance.now() + (error instanceof TooMuchToKeep ? personMs : againMs);
    watch.own = undefined;
    if (own !== undefined) watch.suspect(own.chunk, own.sinceMs);
  }

  #mending(watch: StreamWatch, source: string, fault: Fault): Mending {
    const { connection, region, development = false, settings, exchange, now } = this.#options;
    const { stream } = watch.copy;
    return {
      connection,
      region,
      development,
      copy: watch.copy,
      fault,
      source,
      sourceLast: async () => (await this.#endAt(source, stream)) ?? this.#gone(source, stream),
      sourceHashes: () => exchange.allChunks(source, stream),
      keepMost: settings.keepMost,
      clock: { monotonicMs: () => performance.now(), wallMs: now ?? Date.now },
      pause: (ms) => delay(ms),
    };
  }

  #gone(source: string, stream: string): never {
    throw new MendFailed(`${source} has no copy of ${stream} any more.`);
  }

  /** Where a peer's copy ends; undefined where there is none. @throws LogUnavailable */
  async #endAt(peer: string, stream: string): Promise<number | undefined> {
    return (await copyInfo({ connection: this.#options.connection, peer }, stream))?.last;
  }

  #sourceOfMirror({ sources }: NonNullable<StreamWatch['own']>): string {
    const { peers } = this.#options;
    const fresh = new Set(peers.fresh(performance.now()).map(({ region }) => region));
    const inReach = sources.filter((one) => fresh.has(one));
    // The origin comes first where it is one of them.
    const source = inReach[0];
    if (source === undefined) throw new MendFailed('No region with a right copy is in reach.');
    return source;
  }

  /**
   * The peer that holds most of this region's stream, once the peers get no more of it and all of them
   * have said what they hold; one that does not answer is waited for, unless what it said last is
   * no more than the others hold.
   */
  async #sourceOfOrigin(watch: StreamWatch): Promise<string> {
    const { region, regions, settings, peers } = this.#options;
    const { stream } = watch.copy;
    const others = regions.filter((one) => one !== region);
    const sources = watch.own?.sources ?? [];
    const startMs = performance.now();
    let before = '';
    let movedMs = startMs;
    for (;;) {
      const ends = new Map<string, number>();
      for (const one of others) {
        const end = await this.#endAt(one, stream).catch(() => undefined);
        if (end !== undefined) ends.set(one, end);
      }
      const nowMs = performance.now();
      const text = JSON.stringify([...ends]);
      if (text !== before) {
        before = text;
        movedMs = nowMs;
      }
      const best = [...ends]
        .filter(([one]) => sources.includes(one))
        .toSorted(([, a], [, b]) => b - a)[0];
      const most = best?.[1] ?? -1;
      const hasAll = most >= watch.copy.last || nowMs - movedMs >= settleMs;
      const isKnown = others.every(
        (one) => ends.has(one) || (peers.lastWord(one, stream)?.last ?? Infinity) <= most,
      );
      const isPatient = nowMs - startMs < settings.patienceMs;
      if (best !== undefined && hasAll && (isKnown || !isPatient)) return best[0];
      if (best === undefined && !isPatient) {
        throw new MendFailed(`No region with a right copy of ${stream} answers.`);
      }
      await delay(pollMs);
    }
  }

  /** Waits until the peers' mirrors have followed the restored stream to its end. */
  async #followed(watch: StreamWatch): Promise<void> {
    const { peers } = this.#options;
    const { stream, last } = watch.copy;
    const untilMs = performance.now() + followedMs;
    for (;;) {
      const nowMs = performance.now();
      const reports = peers.fresh(nowMs);
      const behind = reports.filter((report) => (report.streams[stream]?.last ?? -1) < last);
      if (behind.length === 0 || nowMs >= untilMs) return;
      await delay(pollMs);
    }
  }
}
