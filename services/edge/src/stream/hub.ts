import type { FastifyReply } from 'fastify';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Feed } from './feed.ts';
import { HttpSink } from './http-sink.ts';
import { FeedReader, type Reading } from './reader.ts';

export interface HubOptions {
  /** How often an idle stream says that it lives, in ms. */
  readonly heartbeatMs: number;
  /** How many streams may be open at once. */
  readonly streamsLimit: number;
  readonly onFault: (error: unknown) => void;
}

export const defaultHubOptions = { heartbeatMs: 15_000, streamsLimit: 5_000 } as const;

/** What a stream is asked to send, once it is known where the logs end: the next sequence of each feed. */
export type Plan = (next: readonly number[]) => Reading | 'nothing-left';

/** All event streams of this process that are open over HTTP. */
export class StreamHub {
  readonly #feeds: readonly Feed[];
  readonly #options: HubOptions;
  readonly #sinks = new Set<HttpSink>();
  readonly #heart: NodeJS.Timeout;

  /** @param feeds one for each region's stream, in the order of their names */
  constructor(feeds: readonly Feed[], options: HubOptions) {
    this.#feeds = feeds;
    this.#options = options;
    this.#heart = setInterval(() => {
      for (const sink of this.#sinks) sink.beat(':\n\n');
    }, options.heartbeatMs);
    this.#heart.unref();
  }

  /** How many streams are open. */
  get size(): number {
    return this.#sinks.size;
  }

  /** How many bytes wait in this process for clients to read them. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const sink of this.#sinks) bytes += sink.waitingBytes;
    return bytes;
  }

  /**
   * Answers with server-sent events until they end, the client goes or the hub closes.
   * @param plan says what to send; may throw a Refusal
   * @throws Refusal before anything was answered
   */
  async stream(reply: FastifyReply, plan: Plan): Promise<void> {
    if (this.#sinks.size >= this.#options.streamsLimit) {
      throw new Refusal(
        'too-many-streams',
        `${this.#sinks.size} streams are open here; try again later.`,
        {},
        { 'retry-after': '5' },
      );
    }
    const joined = await Promise.allSettled(this.#feeds.map((feed) => feed.join()));
    try {
      const reading = plan(await orRefuse(nextOf(joined)));
      if (reading === 'nothing-left') {
        void reply.code(204).send();
        return;
      }
      await this.#send(reply, reading);
    } finally {
      // A feed that could not be joined was left by that.
      this.#feeds.forEach((feed, index) => {
        if (joined[index]?.status === 'fulfilled') feed.leave();
      });
    }
  }

  async #send(reply: FastifyReply, reading: Reading): Promise<void> {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const sink = new HttpSink(response, () => reader.wake());
    const reader = new FeedReader(this.#feeds, sink, reading);
    this.#sinks.add(sink);
    try {
      response.write(`retry: 1000\n${reader.place === undefined ? '' : `id: ${reader.place}\n`}\n`);
      await reader.run();
    } catch (error) {
      // The answer has begun: it ends here, and the client goes on from its last event.
      this.#options.onFault(error);
    } finally {
      this.#sinks.delete(sink);
      sink.end();
    }
  }

  /** Ends every stream. */
  close(): void {
    clearInterval(this.#heart);
    for (const sink of this.#sinks) sink.end();
  }
}

/** @throws what one of them failed with */
async function nextOf(joined: readonly PromiseSettledResult<number>[]): Promise<number[]> {
  return joined.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}
