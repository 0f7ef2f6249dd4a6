import { setTimeout as delay } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import { copiedStreams, type LogMessage } from '@meridian/journal';
import type { Comparison } from '../domain/actions.ts';
import { compareOwn, haveCaughtUp } from './compare-own.ts';
import type { CopiesMetrics } from './copies-metrics.ts';
import { examine } from './examine.ts';
import { Exchange } from './exchange.ts';
import { LocalCopy } from './local-copy.ts';
import { lookAfter, type MirrorCare } from './look-after.ts';
import type { CopyNote } from './notes.ts';
import { Mender, type Fence } from './mender.ts';
import { Peers } from './peers.ts';
import type { CopiesReport, ReportedCopy } from './report.ts';
import { chunkOf, firstOf } from './rolling-hashes.ts';
import { Scrubber } from './scrubber.ts';
import { copiesDefaults, type CopiesSettings } from './settings.ts';
import { StreamWatch } from './stream-watch.ts';

export interface CopyKeeperOptions {
  readonly connection: NatsConnection;
  readonly region: string;
  /** All regions, the own one among them. */
  readonly regions: readonly string[];
  /** One server and one replica. Default false. */
  readonly development?: boolean;
  /** Where this region's writers are stopped. */
  readonly fence: Fence;
  readonly onNote: (note: CopyNote) => void;
  /** Why a turn came to nothing; it is tried again. */
  readonly onTrouble: (error: unknown) => void;
  readonly metrics: CopiesMetrics;
  /** Whether this process is the one of its region that acts. Default: always. */
  readonly isActive?: () => boolean;
  readonly settings?: Partial<CopiesSettings>;
  /** Epoch ms; default the system's. */
  readonly now?: () => number;
}

/**
 * Compares the copies of every stream that this region holds with those of its peers, finds out who is
 * wrong, and mends the own copy when it is the own one. Peers mend theirs in the same way: nobody ever
 * changes another region's copy.
 */
export class CopyKeeper {
  readonly #options: CopyKeeperOptions;
  readonly #settings: CopiesSettings;
  readonly #watches: readonly StreamWatch[];
  readonly #local: ReadonlyMap<string, LocalCopy>;
  readonly #peers: Peers;
  readonly #exchange: Exchange;
  readonly #scrubber: Scrubber;
  readonly #mender: Mender;
  readonly #mirrors: MirrorCare;
  readonly #instance = crypto.randomUUID();
  readonly #compared = new Map<string, number>();
  #number = 0;
  #running: Promise<void> | undefined;
  #stop = new AbortController();

  constructor(options: CopyKeeperOptions) {
    const { connection, region, regions } = options;
    this.#options = options;
    this.#settings = { ...copiesDefaults, ...options.settings };
    const now = performance.now();
    this.#watches = copiedStreams(regions).map(
      ({ stream, origin }) =>
        new StreamWatch(
          new LocalCopy(stream, origin, { connection }, () => performance.now()),
          now,
        ),
    );
    this.#local = new Map(this.#watches.map(({ copy }) => [copy.stream, copy]));
    this.#peers = new Peers(this.#settings.freshMs);
    this.#exchange = new Exchange(
      connection,
      region,
      regions.filter((one) => one !== region),
    );
    this.#mirrors = {
      ...options,
      settings: this.#settings,
      onNote: (note) => this.#note(note),
    };
    this.#scrubber = new Scrubber(this.#settings, options.metrics);
    this.#mender = new Mender({
      ...options,
      settings: this.#settings,
      watches: this.#watches,
      peers: this.#peers,
      exchange: this.#exchange,
      tell: () => this.#tell(),
      onNote: (note) => this.#note(note),
    });
  }

  /** Begins; what goes wrong in a turn is told to `onTrouble` and tried again. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#exchange.open(this.#local, (report) => this.#peers.take(report, performance.now()));
    this.#stop = new AbortController();
    this.#running = this.#run(this.#stop.signal);
  }

  /** A message that a copy here has got, as somebody in this process reads it: it need not be read twice. */
  arrived(message: LogMessage): void {
    this.#local.get(message.stream)?.arrived(message);
  }

  /** Stops comparing; resolves when a mending that was begun has come to its end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#mender.settled();
    this.#exchange.close();
    this.#running = undefined;
  }

  /**
   * Compares the ends of the region's own streams with the copies of all peers in reach, at once: for a
   * region that has just started or found its peers again. What is damaged is mended from then on. It is
   * not whole before it holds what the peers had decided meanwhile.
   */
  async compare(): Promise<Comparison> {
    const { connection, region, regions } = this.#options;
    const own = this.#watches.filter(({ copy }) => copy.origin === region);
    const peers = regions.filter((one) => one !== region);
    const outcome = await compareOwn(connection, own, peers, performance.now());
    if (outcome !== 'whole' || (await haveCaughtUp(connection, peers))) return outcome;
    return 'unreachable';
  }

  /** Whether a copy that this region holds is, as far as is known, as it should be. */
  isWhole(stream: string): boolean {
    const watch = this.#watches.find(({ copy }) => copy.stream === stream);
    return watch !== undefined && watch.own === undefined && watch.suspicion === undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const begunMs = performance.now();
      if (this.#options.isActive?.() ?? true) {
        try {
          await this.#turn(begunMs);
        } catch (error) {
          this.#options.onTrouble(error);
        }
      }
      const restMs = begunMs + this.#settings.everyMs - performance.now();
      await delay(Math.max(10, restMs), undefined, { signal }).catch(() => undefined);
    }
  }

  async #turn(nowMs: number): Promise<void> {
    const fresh = this.#peers.fresh(nowMs);
    const quiet = this.#watches.filter((watch) => !watch.isBegun);
    for (const { copy } of quiet) await copy.look();
    this.#tell();
    let most = this.#settings.followMost;
    for (const watch of quiet) {
      const { copy } = watch;
      for (let done = -1; done !== 0 && most > 0; most -= done) {
        done = await copy.follow(most, ({ chunk }) => watch.suspect(chunk, performance.now()));
      }
      this.#options.metrics.unhashed.set(
        { stream: copy.stream },
        Math.max(0, copy.last - copy.hashes.upTo),
      );
    }
    await this.#scrubber.turn(quiet, nowMs);
    for (const watch of quiet) {
      try {
        await lookAfter(watch, fresh, this.#mirrors);
        if (fresh.some(({ streams }) => streams[watch.copy.stream]?.mending === 'begun')) continue;
        await this.#compareWith(watch, fresh);
        if (watch.isDue(performance.now())) await this.#examine(watch);
      } catch (error) {
        // A peer that does not answer hinders neither the other streams nor what is being mended.
        this.#options.onTrouble(error);
      }
    }
    this.#mender.turn(this.#peers.fresh(performance.now()));
  }

  /** Compares a stream with what peers have said of theirs since the last time. */
  async #compareWith(watch: StreamWatch, fresh: readonly CopiesReport[]): Promise<void> {
    const { copy } = watch;
    let same = 0;
    for (const { region: peer, number, streams } of fresh) {
      const theirs = streams[copy.stream];
      if (theirs === undefined) continue;
      if (await this.#hasLost(watch, theirs)) {
        watch.suspect(chunkOf(Math.max(1, copy.last)), performance.now());
        continue;
      }
      const agreement = copy.hashes.compare(theirs.hashes);
      const isWhole = theirs.last >= 0 && copy.last >= 0 && theirs.hashes.upTo > 0;
      if (agreement === 'same' && (isWhole || copy.last === theirs.last)) same += 1;
      const key = `${peer} ${copy.stream}`;
      if (agreement === 'unknown' || this.#compared.get(key) === number) continue;
      this.#compared.set(key, number);
      this.#options.metrics.compared.inc({ peer, outcome: agreement });
      if (agreement === 'differs') {
        const chunk = await this.#exchange.firstDifference(peer, copy);
        watch.suspect(chunk, performance.now());
      }
    }
    const isSettled = watch.suspicion === undefined && watch.own === undefined;
    if (watch.isTold && isSettled && same === this.#options.regions.length - 1) {
      watch.isTold = false;
      watch.isUndecided = false;
      this.#note({ what: 'same_again', stream: copy.stream });
    }
  }

  /** Whether the own copy is gone, or is the origin's and shorter than a peer's. */
  async #hasLost({ copy }: StreamWatch, theirs: ReportedCopy): Promise<boolean> {
    if (theirs.last < 0) return false;
    if (copy.last < 0) return true;
    if (copy.origin !== this.#options.region) return false;
    if (copy.info?.source !== undefined) return true;
    if (theirs.last <= copy.last) return false;
    // It may have grown since it was looked at; what a mirror has told, the origin had before.
    await copy.look();
    return theirs.last > copy.last;
  }

  /** Reads the chunk everywhere, and draws the consequences for the own copy. */
  async #examine(watch: StreamWatch): Promise<void> {
    const { connection, region, regions } = this.#options;
    const { copy, suspicion } = watch;
    if (suspicion === undefined) return;
    const { stream, origin } = copy;
    const { chunk, sinceMs } = suspicion;
    const found = await examine({ connection, region, regions, stream, origin, chunk });
    const { wrong, undecided, ends, sequence } = found;
    const at = sequence === undefined ? {} : { sequence };
    for (const [one, fault] of Object.entries(wrong)) {
      if (!watch.isTold || one === region) {
        this.#note({ what: 'wrong', stream, region: one, fault, ...at });
      }
    }
    if (undecided.length > 0 && !watch.isUndecided) {
      this.#note({ what: 'undecided', stream, regions: undecided, ...at });
    }
    watch.isUndecided = undecided.length > 0;
    watch.isTold ||= watch.isUndecided || Object.keys(wrong).length > 0;
    watch.suspicion = undefined;
    // What was hashed before is told no longer.
    if (chunk < copy.hashes.chunks) await copy.refresh(chunk);
    else copy.hashes.cut(firstOf(chunk) - 1);
    const fault = wrong[region];
    if (fault === undefined) {
      if (watch.isUndecided) watch.suspect(chunk, sinceMs);
      return;
    }
    // The origin first: its copy is never behind.
    const sources = Object.keys(ends)
      .filter((one) => one !== region && !(one in wrong) && !undecided.includes(one))
      .toSorted((a, b) => Number(b === origin) - Number(a === origin));
    watch.own = { fault, sinceMs, sources, chunk };
  }

  #note(note: CopyNote): void {
    this.#options.metrics.take(note);
    this.#options.onNote(note);
  }

  /** @returns the number under which the present state was told */
  #tell(): number {
    this.#number += 1;
    const streams: Record<string, ReportedCopy> = {};
    for (const { copy, claim, isBegun } of this.#watches) {
      if (!copy.isKnown) continue;
      streams[copy.stream] = {
        last: copy.last,
        born: copy.info?.born ?? '',
        ...(copy.info?.source === undefined ? {} : { source: copy.info.source }),
        ...(isBegun ? { mending: 'begun' as const } : {}),
        ...(!isBegun && claim !== undefined ? { mending: 'wanted' as const } : {}),
        hashes: copy.hashes.summary(),
      };
    }
    this.#exchange.tell({
      region: this.#options.region,
      instance: this.#instance,
      number: this.#number,
      heard: this.#peers.numbers(),
      streams,
    });
    return this.#number;
  }
}
