import type { NatsConnection, Subscription } from '@nats-io/nats-core';
import { LogUnavailable } from '@meridian/journal';
import type { LocalCopy } from './local-copy.ts';
import {
  chunksAtOnce,
  chunksSubject,
  copiesSubject,
  parseChunksAnswer,
  parseChunksAsked,
  parseCopiesReport,
  type ChunksAsked,
  type CopiesReport,
} from './report.ts';

const answerMs = 3_000;

/** Tells peers of the own copies, hears theirs, and exchanges hashes of chunks. */
export class Exchange {
  readonly #connection: NatsConnection;
  readonly #region: string;
  readonly #peers: readonly string[];
  readonly #subscriptions: Subscription[] = [];

  constructor(connection: NatsConnection, region: string, peers: readonly string[]) {
    this.#connection = connection;
    this.#region = region;
    this.#peers = peers;
  }

  /** Hears reports, and answers questions about the own copies. */
  open(copies: ReadonlyMap<string, LocalCopy>, onReport: (report: CopiesReport) => void): void {
    const reports = this.#connection.subscribe(copiesSubject(this.#region, '*'), {
      callback: (error, message) => {
        const report = error === null ? parseCopiesReport(message.string()) : undefined;
        if (report !== undefined && this.#peers.includes(report.region)) onReport(report);
      },
    });
    const questions = this.#connection.subscribe(chunksSubject(this.#region, '*'), {
      // Of several processes of a region one answers.
      queue: 'copies',
      callback: (error, message) => {
        const asked = error === null ? parseChunksAsked(message.string()) : undefined;
        const copy = asked && copies.get(asked.stream);
        if (asked === undefined || copy === undefined) return;
        const hashes = pageOf(copy, asked.from);
        message.respond(JSON.stringify({ hashes }));
      },
    });
    this.#subscriptions.push(reports, questions);
  }

  close(): void {
    for (const one of this.#subscriptions.splice(0)) one.unsubscribe();
  }

  tell(report: CopiesReport): void {
    if (this.#connection.isClosed() || this.#connection.isDraining()) return;
    const text = JSON.stringify(report);
    for (const peer of this.#peers) {
      this.#connection.publish(copiesSubject(peer, this.#region), text);
    }
  }

  /** The hashes of a peer's complete chunks from one on. @throws LogUnavailable */
  async chunks(peer: string, asked: ChunksAsked): Promise<readonly string[]> {
    const subject = chunksSubject(peer, this.#region);
    try {
      const answer = await this.#connection.request(subject, JSON.stringify(asked), {
        timeout: answerMs,
      });
      const { hashes } = parseChunksAnswer(answer.string()) ?? {};
      if (hashes !== undefined) return hashes;
      throw new Error('its answer is none');
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LogUnavailable(
        `Recovery in ${peer} did not tell the hashes of ${asked.stream}: ${reason}.`,
        'It is asked again; look whether recovery runs there.',
        { cause },
      );
    }
  }

  /** The hashes of all complete chunks of a peer's copy. @throws LogUnavailable */
  async allChunks(peer: string, stream: string): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const page = await this.chunks(peer, { stream, from: all.length });
      all.push(...page);
      if (page.length < chunksAtOnce) return all;
    }
  }

  /** The first chunk in which a peer's copy differs from the own one, so far as both are hashed. */
  async firstDifference(peer: string, copy: LocalCopy): Promise<number> {
    for (let from = 0; ; from += chunksAtOnce) {
      const theirs = await this.chunks(peer, { stream: copy.stream, from });
      for (const [index, hash] of theirs.entries()) {
        const mine = copy.hashes.chunk(from + index);
        if (mine !== hash) return from + index;
      }
      if (theirs.length < chunksAtOnce) return from + theirs.length;
    }
  }
}

function pageOf(copy: LocalCopy, from: number): string[] {
  const hashes: string[] = [];
  for (let chunk = from; chunk < from + chunksAtOnce; chunk += 1) {
    const hash = copy.hashes.chunk(chunk);
    if (hash === undefined) break;
    hashes.push(hash);
  }
  return hashes;
}
