import { EdgeRefusal, EdgeUnreachable } from '../fault.ts';
import { Exchange, readText, type Call, type ExchangeOptions } from './exchange.ts';
import { readLines } from './lines.ts';
import {
  subscribe,
  toProblem,
  type StreamedEvent,
  type StreamFilter,
  type SubscribeOptions,
} from './subscription.ts';

/** A request as it is published: a CloudEvent. */
export interface EventToPublish {
  readonly specversion?: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time?: string;
  readonly data?: unknown;
}

/** Where a request was stored. */
export interface Accepted {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
  /** It had been stored before; the sequence is that of then. */
  readonly duplicate: boolean;
}

/** What `GET /v1/clock` and `POST /v1/clock` answer. */
export interface ClockAnswer {
  /** Epoch milliseconds of the log's clock. */
  readonly at: number;
  readonly rate?: number;
  /** When the next timer is due, epoch milliseconds; null when none is. */
  readonly nextDueMs: number | null;
  readonly lastSequence?: Readonly<Record<string, number>>;
}

/** The way to an edge. Its connections are kept and shared by all calls. */
export class EdgeClient {
  readonly #exchange: Exchange;

  constructor(options: ExchangeOptions) {
    this.#exchange = new Exchange(options);
  }

  get url(): string {
    return this.#exchange.url.href;
  }

  /**
   * Publishes requests, all or none of them checked.
   * @returns where each was stored, in their order
   * @throws EdgeRefusal, EdgeUnreachable (publish it again then: ids make it safe)
   */
  async publish(events: readonly EventToPublish[]): Promise<readonly Accepted[]> {
    const whole = events.map((event) => ({ specversion: '1.0', ...event }));
    const body = JSON.stringify(whole.length === 1 ? whole[0] : whole);
    const type =
      whole.length === 1 ? 'application/cloudevents+json' : 'application/cloudevents-batch+json';
    const answer = await this.#json<{ accepted: readonly Accepted[] }>('Publishing', {
      method: 'POST',
      path: '/v1/events',
      body,
      headers: { 'content-type': type },
      repeatable: true,
    });
    return answer.accepted;
  }

  /** Reads a JSON document. @param path with its query @throws EdgeRefusal, EdgeUnreachable */
  get<T>(path: string): Promise<T> {
    return this.#json<T>(`GET ${path}`, { method: 'GET', path, repeatable: true });
  }

  /** The text at a path and its status, whatever it is. @throws EdgeUnreachable */
  async probe(path: string): Promise<{ status: number; text: string }> {
    return this.#send(`GET ${path}`, { method: 'GET', path, repeatable: true });
  }

  /** Sends a JSON document and reads one. @throws EdgeRefusal, EdgeUnreachable */
  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#json<T>(`POST ${path}`, {
      method: 'POST',
      path,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  /** As `post`; repeating it changes nothing. @throws EdgeRefusal, EdgeUnreachable */
  put<T>(path: string, body: unknown): Promise<T> {
    return this.#json<T>(`PUT ${path}`, {
      method: 'PUT',
      path,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      repeatable: true,
    });
  }

  /** @throws EdgeRefusal, EdgeUnreachable */
  async delete(path: string): Promise<void> {
    await this.#json<unknown>(`DELETE ${path}`, { method: 'DELETE', path });
  }

  /** What time it is in the log. */
  clock(): Promise<ClockAnswer> {
    return this.get<ClockAnswer>('/v1/clock');
  }

  /**
   * Sets a driven clock, and resolves when every service has read everything and has fired what
   * was due until then.
   * @param atMs epoch milliseconds @param rate how fast it runs on; 0 (default) stands still
   * @param upTo what the region must hold before: the last sequences of streams of other regions
   */
  settle(atMs: number, rate = 0, upTo?: Readonly<Record<string, number>>): Promise<ClockAnswer> {
    return this.#json<ClockAnswer>('Setting the clock', {
      method: 'POST',
      path: '/v1/clock',
      body: JSON.stringify({ at: atMs, rate, upTo }),
      headers: { 'content-type': 'application/json' },
      repeatable: true,
    });
  }

  /** The events of the log as they are decided; see `subscribe`. */
  stream(filter: StreamFilter = {}, options: SubscribeOptions = {}): AsyncGenerator<StreamedEvent> {
    return subscribe(this.#exchange, filter, options);
  }

  /**
   * Raw entries of a stream as lines of NDJSON, many at a time.
   * @param range first and last sequence; without `to`, to the last one at the time of the call
   */
  async *log(stream: string, range: { from?: number; to?: number } = {}): AsyncGenerator<string[]> {
    const query = new URLSearchParams();
    if (range.from !== undefined) query.set('from', String(range.from));
    if (range.to !== undefined) query.set('to', String(range.to));
    const path = `/v1/log/${encodeURIComponent(stream)}${query.size === 0 ? '' : `?${query.toString()}`}`;
    const what = `GET ${path}`;
    const response = await this.#unreachable(what, this.#exchange.open({ method: 'GET', path }));
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      throw new EdgeRefusal(
        what,
        status,
        toProblem(await this.#unreachable(what, readText(response))),
      );
    }
    try {
      yield* readLines(response as AsyncIterable<Buffer>);
    } catch (error) {
      throw new EdgeUnreachable(what, this.url, error);
    }
  }

  /** Closes the connections. */
  close(): void {
    this.#exchange.close();
  }

  async #json<T>(what: string, call: Call): Promise<T> {
    const { status, text } = await this.#send(what, call);
    if (status < 200 || status > 299) throw new EdgeRefusal(what, status, toProblem(text));
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new EdgeUnreachable(what, this.url, error);
    }
  }

  #send(what: string, call: Call): Promise<{ status: number; text: string }> {
    return this.#unreachable(what, this.#exchange.send(call));
  }

  #unreachable<T>(what: string, promise: Promise<T>): Promise<T> {
    return promise.catch((error: unknown) => {
      throw new EdgeUnreachable(what, this.url, error);
    });
  }
}
