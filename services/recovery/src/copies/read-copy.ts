import { jetstreamManager, JetStreamApiError } from '@nats-io/jetstream';
import { createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { LogUnavailable, storedForm, type LogMessage } from '@meridian/journal';
import type { CopiedMessage } from './copied-message.ts';

const streamNotFound = 10_059;
const notFound = 404;
const silenceMs = 10_000;
const ownInfoMs = 5_000;
const peerInfoMs = 2_000;
const batchLength = 1_024;
const batchBytes = 4 * 1_048_576;
const strideDefault = 256;

/** What reading adds to a message's own headers, from the first of them to the end. */
const firstAdded = 'Nats-Stream';
/** What a writer expected is kept by the origin and left out by its mirrors. */
const expectation = 'Nats-Expected-';

/** A copy of a stream: in the region of the connection, or in another one over the link. */
export interface CopyPlace {
  readonly connection: NatsConnection;
  /** Absent for the region of the connection. */
  readonly peer?: string;
}

/** What a server says of its copy. */
export interface CopyInfo {
  readonly first: number;
  readonly last: number;
  /** When the stream was made here; another time is another stream. */
  readonly born: string;
  /** The region it is copied from; absent for a stream with subjects of its own. */
  readonly source?: string;
}

const apiOf = ({ peer }: CopyPlace): string => (peer === undefined ? '$JS.API' : `$JS.${peer}.API`);

/**
 * Asks for the state of a copy.
 * @returns undefined when there is no such stream
 * @throws LogUnavailable when nobody answers
 */
export async function copyInfo(place: CopyPlace, stream: string): Promise<CopyInfo | undefined> {
  try {
    const manager = await jetstreamManager(place.connection, {
      ...(place.peer === undefined ? {} : { domain: place.peer }),
      checkAPI: false,
      timeout: place.peer === undefined ? ownInfoMs : peerInfoMs,
    });
    const { state, created, config } = await manager.streams.info(stream);
    const source = /^\$JS\.([^.]+)\.API$/.exec(config.mirror?.external?.api ?? '')?.[1];
    return {
      first: state.first_seq,
      last: state.last_seq,
      born: created,
      ...(source === undefined ? {} : { source }),
    };
  } catch (cause) {
    if (cause instanceof JetStreamApiError && cause.code === streamNotFound) return undefined;
    throw unavailable(place, stream, cause);
  }
}

/**
 * Reads what can be read of a range of sequences. What a damaged block hides is left out: for every
 * message of such a block the server says "not found", and a batch that begins in it is empty. Each
 * such answer costs the server a reading of the whole block, so reading goes on `stride` sequences
 * further: what can be read of less than that after such a block may be left out too.
 * @throws LogUnavailable when nobody answers
 */
export async function readRange(
  place: CopyPlace,
  stream: string,
  from: number,
  to: number,
  stride = strideDefault,
): Promise<Map<number, CopiedMessage>> {
  const found = new Map<number, CopiedMessage>();
  let next = from;
  while (next <= to) {
    const length = Math.min(batchLength, to - next + 1);
    const messages = await ask(place, stream, { seq: next, batch: length, max_bytes: batchBytes });
    for (const message of messages) {
      if (message.sequence <= to) found.set(message.sequence, message);
    }
    const last = messages.at(-1)?.sequence;
    next = last === undefined ? next + stride : last + 1;
  }
  return found;
}

/** One request and all its answers. */
function ask(
  place: CopyPlace,
  stream: string,
  body: { readonly seq: number; readonly batch: number; readonly max_bytes: number },
): Promise<CopiedMessage[]> {
  const { connection } = place;
  const inbox = createInbox();
  const { promise, resolve, reject } = Promise.withResolvers<CopiedMessage[]>();
  const messages: CopiedMessage[] = [];
  const timer = setTimeout(() => fail('silence'), silenceMs);
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error !== null) return fail(error);
      timer.refresh();
      const status = message.data.length === 0 ? (message.headers?.code ?? 0) : 0;
      if (status === 0) {
        messages.push(copiedMessage(message));
      } else if (status < 300 || status === notFound) done();
      else fail(message.headers?.status);
    },
  });
  const done = (): void => {
    clearTimeout(timer);
    subscription.unsubscribe();
    resolve(messages);
  };
  const fail = (cause: unknown): void => {
    clearTimeout(timer);
    subscription.unsubscribe();
    reject(unavailable(place, stream, cause));
  };
  try {
    const subject = `${apiOf(place)}.DIRECT.GET.${stream}`;
    connection.publish(subject, JSON.stringify(body), { reply: inbox });
  } catch (cause) {
    fail(cause);
  }
  return promise;
}

function copiedMessage({ headers, data }: Msg): CopiedMessage {
  return {
    sequence: Number(headers?.get('Nats-Sequence')),
    subject: headers?.get('Nats-Subject') ?? '',
    storedAt: headers?.get('Nats-Time-Stamp') ?? '',
    headers: ownHeaders(headers ?? []),
    data,
  };
}

/** The same of a message that a follower was handed; undefined for a log in memory. */
export function copiedFrom(message: LogMessage): CopiedMessage | undefined {
  const stored = storedForm(message);
  if (stored === undefined) return undefined;
  const { sequence, subject, data } = message;
  const { storedAt, headers } = stored;
  return { sequence, subject, storedAt, headers: ownHeaders(headers), data };
}

function ownHeaders(
  headers: Iterable<readonly [name: string, values: readonly string[]]>,
): CopiedMessage['headers'] {
  const own: [string, string][] = [];
  for (const [name, values] of headers) {
    if (name === firstAdded) break;
    if (name.startsWith(expectation)) continue;
    for (const value of values) own.push([name, value]);
  }
  return own;
}

function unavailable(
  { connection, peer }: CopyPlace,
  stream: string,
  cause: unknown,
): LogUnavailable {
  const where = peer === undefined ? connection.getServer() : `region ${peer}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LogUnavailable(
    `${stream} could not be read in ${where}: ${reason}.`,
    'It is tried again; if it goes on, look whether the region runs and its link is up.',
    { cause },
  );
}
