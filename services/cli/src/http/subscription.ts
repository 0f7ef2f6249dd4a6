import { StringDecoder } from 'node:string_decoder';
import { setTimeout as wait } from 'node:timers/promises';
import { EdgeRefusal, EdgeUnreachable, type Problem } from '../fault.ts';
import { readText, type Exchange } from './exchange.ts';
import { isAfter, parseEventPosition, writerOf, type EventPosition } from './position.ts';
import { SseParser } from './sse.ts';

/** What a subscription is narrowed to. Lists are any-of. */
export interface StreamFilter {
  /** The regions that contacts and agents entered. */
  readonly home?: readonly string[];
  readonly entity?: readonly string[];
  readonly type?: readonly string[];
  readonly subject?: readonly string[];
  /** The id of an event to go on after, a sequence, `start` or `now` (default). */
  readonly from?: string;
  /** The last sequence, or places such as EV_eu:12,EV_us:7; the stream then ends. */
  readonly to?: string;
}

/** An event as a subscriber gets it. */
export interface StreamedEvent {
  /** `EV_eu:41.2`; among several regions `EV_eu:41.2,EV_us:7`. */
  readonly position: string;
  readonly event: CloudEvent;
}

/** A decision of the log. */
export interface CloudEvent {
  readonly id: string;
  /** `/<region>/<service>`. */
  readonly source?: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly tenant?: string;
  readonly causationid?: string;
  readonly correlationid?: string;
  readonly actor?: string;
  /** As the contract of its type says. */
  readonly data: unknown;
}

export interface SubscribeOptions {
  readonly signal?: AbortSignal;
  /** Told of each lost connection: why, and after how many milliseconds it is tried again. */
  readonly onLost?: (reason: string, delayMs: number) => void;
  /** Told once the stream is open, the first time and again. */
  readonly onOpen?: () => void;
  /** The shortest and longest wait before trying again, in ms. Default 250 and 5,000. */
  readonly retryMs?: { readonly first: number; readonly longest: number };
}

/** The query of a filter, with its question mark; empty when it narrows nothing. */
export function streamQuery(filter: StreamFilter): string {
  const query = new URLSearchParams();
  for (const name of ['home', 'entity', 'type', 'subject'] as const) {
    for (const value of filter[name] ?? []) query.append(name, value);
  }
  if (filter.from !== undefined) query.set('from', filter.from);
  if (filter.to !== undefined) query.set('to', filter.to);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * A filter that starts at a sequence where it said `now`: without one, what is decided while the
 * first connection is lost would be missed if nothing had come before. The position of the read
 * models is at most a moment behind; where they cannot be read, `now` stays. An edge among several
 * regions says itself where `now` is, before the first event.
 */
async function pinNow(
  exchange: Exchange,
  filter: StreamFilter,
  signal: AbortSignal | undefined,
): Promise<StreamFilter> {
  if (filter.from !== undefined && filter.from !== 'now') return filter;
  const call = { method: 'GET', path: '/v1/queues?limit=1', repeatable: true } as const;
  const answer = await exchange
    .send({ ...call, ...(signal === undefined ? {} : { signal }) })
    .catch((error: unknown) => {
      throw new EdgeUnreachable('The stream', exchange.url.href, error);
    });
  if (answer.status !== 200) return filter;
  const { position } = JSON.parse(answer.text) as {
    readonly position?: { readonly sequence?: number; readonly places?: object };
  };
  return position?.sequence === undefined || position.places !== undefined
    ? filter
    : { ...filter, from: String(position.sequence + 1) };
}

/**
 * The events of `GET /v1/stream`, in order, without a gap, without a repeat. A lost connection is
 * opened again after the last event that was handed over, for ever, until the signal aborts or the
 * caller stops. With `to` it ends after that sequence.
 * @throws EdgeRefusal when the edge refuses; EdgeUnreachable when it cannot be reached at first
 */
export async function* subscribe(
  exchange: Exchange,
  asked: StreamFilter,
  options: SubscribeOptions = {},
): AsyncGenerator<StreamedEvent> {
  const filter = await pinNow(exchange, asked, options.signal);
  const { first = 250, longest = 5000 } = options.retryMs ?? {};
  let lastEventId = '';
  const last = new Map<string, EventPosition>();
  let failures = 0;
  let opened = false;
  for (;;) {
    const parser = new SseParser(lastEventId);
    let reason = 'the edge ended the stream';
    try {
      const response = await open(exchange, filter, lastEventId, options.signal);
      // Nothing is left up to `to`.
      if (response === undefined) return;
      opened = true;
      options.onOpen?.();
      const decoder = new StringDecoder('utf8');
      for await (const chunk of response) {
        for (const { id, data } of parser.push(decoder.write(chunk))) {
          failures = 0;
          const event = JSON.parse(data) as CloudEvent;
          const position = parseEventPosition(id, writerOf(event));
          if (position !== undefined) {
            if (!isAfter(position, last.get(position.stream))) continue;
            last.set(position.stream, position);
          }
          yield { position: id, event };
        }
        lastEventId = parser.lastEventId;
      }
      if (filter.to !== undefined) return;
    } catch (error) {
      if (options.signal?.aborted === true) return;
      if (!opened || isFinal(error)) throw error;
      reason = (error as Error).message.split('\n')[0] ?? '';
    }
    if (options.signal?.aborted === true) return;
    failures += 1;
    const delayMs = Math.min(parser.retryMs ?? first * 2 ** (failures - 1), longest);
    options.onLost?.(reason, delayMs);
    try {
      await wait(
        delayMs,
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      );
    } catch {
      return;
    }
  }
}

const isFinal = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  (error instanceof EdgeRefusal &&
    error.status >= 400 &&
    error.status < 500 &&
    error.status !== 429);

async function open(
  exchange: Exchange,
  filter: StreamFilter,
  lastEventId: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Buffer> | undefined> {
  const response = await exchange
    .open({
      method: 'GET',
      path: `/v1/stream${streamQuery(filter)}`,
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
      },
      ...(signal === undefined ? {} : { signal }),
    })
    .catch((error: unknown) => {
      throw new EdgeUnreachable('The stream', exchange.url.href, error);
    });
  const status = response.statusCode ?? 0;
  if (status === 204) {
    response.resume();
    return undefined;
  }
  if (status === 200) return response as AsyncIterable<Buffer>;
  throw new EdgeRefusal('The stream', status, toProblem(await readText(response)));
}

/** A problem document, or what of an answer can stand in for one. */
export function toProblem(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // No document: the text itself says what is known.
  }
  return text.trim() === '' ? {} : { detail: text.trim().slice(0, 500) };
}
