import type { Msg } from '@nats-io/nats-core';
import { AppendRefused, LogUnavailable, StreamMissing, type LogFault } from '../errors.ts';
import { MESSAGE_ID } from '../headers.ts';
import type { LogMessage } from '../log.ts';
import { Awaited, type Exchange } from './exchange.ts';
import { DirectMessage } from './message.ts';

const BATCH_LENGTH = 1_000;
const STREAM_MISSING = 10_059;
const NO_MESSAGE = 10_037;
const END_OF_BATCH = 204;
const NOT_FOUND = 404;
const NO_RESPONDERS = 503;

/** The answers to one request, handed over when the last one has come. */
class Request extends Awaited {
  readonly #what: string;
  readonly #isLast: (message: Msg) => boolean;
  readonly #resolve: (messages: Msg[]) => void;
  readonly #reject: (fault: LogFault) => void;
  readonly #messages: Msg[] = [];

  constructor(
    what: string,
    subject: string,
    body: unknown,
    isLast: (message: Msg) => boolean,
    resolve: (messages: Msg[]) => void,
    reject: (fault: LogFault) => void,
  ) {
    super(subject, body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body)));
    this.#what = what;
    this.#isLast = isLast;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  describe(): string {
    return this.#what;
  }

  onReply(message: Msg): boolean {
    this.#messages.push(message);
    if (!this.#isLast(message)) return false;
    this.#resolve(this.#messages);
    return true;
  }

  onSilence(fault: LogFault): void {
    this.#reject(fault);
  }
}

function ask(
  exchange: Exchange,
  what: string,
  subject: string,
  body: unknown,
  isLast: (message: Msg) => boolean = () => true,
): Promise<Msg[]> {
  return new Promise((resolve, reject) => {
    exchange.send(new Request(what, subject, body, isLast, resolve, reject));
  });
}

/** The status of an answer; 0 when it is a message or a document. */
function statusOf(message: Msg): number {
  return message.data.length === 0 ? (message.headers?.code ?? 0) : 0;
}

interface ApiAnswer {
  readonly error?: {
    readonly code?: number;
    readonly err_code?: number;
    readonly description?: string;
  };
}

/**
 * Asks JetStream's management interface.
 * @throws StreamMissing, LogUnavailable or AppendRefused with the server's reason
 */
export async function manage<T>(
  exchange: Exchange,
  stream: string,
  command: string,
  body?: unknown,
): Promise<T> {
  const what = `${command} of ${stream}`;
  const [message] = await ask(exchange, what, `$JS.API.${command}`, body);
  if (message === undefined || statusOf(message) === NO_RESPONDERS) {
    throw new LogUnavailable(
      `JetStream did not answer ${what} on ${exchange.link.address}.`,
      "Enable JetStream in the server's configuration, or wait until it has started.",
    );
  }
  const answer = JSON.parse(message.string()) as ApiAnswer & T;
  if (answer.error === undefined) return answer;
  const { code = 0, err_code = 0, description = '' } = answer.error;
  if (err_code === STREAM_MISSING) throw new StreamMissing(stream);
  if (code < 500) throw new AppendRefused(what, err_code, description, false);
  throw new LogUnavailable(
    `JetStream refused ${what} for now: ${description} (${err_code}).`,
    "Repeat the call a little later, and check the server's health.",
  );
}

/** What a request that found nobody listening means: no such stream, or no JetStream. */
export async function explainSilence(
  exchange: Exchange,
  stream: string,
  cause: LogFault,
): Promise<LogFault> {
  try {
    await manage(exchange, stream, `STREAM.INFO.${stream}`);
    return cause;
  } catch (error) {
    return error instanceof StreamMissing ? error : cause;
  }
}

async function direct(
  exchange: Exchange,
  stream: string,
  body: object,
  isLast?: (message: Msg) => boolean,
): Promise<Msg[]> {
  const what = `reading ${JSON.stringify(body)} of ${stream}`;
  const messages = await ask(exchange, what, `$JS.API.DIRECT.GET.${stream}`, body, isLast);
  const last = messages.at(-1);
  const status = last === undefined ? 0 : statusOf(last);
  if (status === NO_RESPONDERS) {
    throw await explainSilence(
      exchange,
      stream,
      new LogUnavailable(
        `Nothing on ${exchange.link.address} answered ${what}.`,
        'The stream may still be starting; it must also allow direct gets (allow_direct).',
      ),
    );
  }
  if (status === 0 || status === END_OF_BATCH || status === NOT_FOUND) return messages;
  throw new LogUnavailable(
    `The server answered ${what} with "${last?.headers?.status}".`,
    "Repeat the call; if it goes on, compare the server's version with the one required.",
  );
}

/** A subject's first messages from a sequence on, and how many there are after them. */
export async function firstOf(
  exchange: Exchange,
  stream: string,
  subject: string,
  fromSequence: number,
): Promise<{ readonly messages: LogMessage[]; readonly further: number }> {
  const body = { seq: Math.max(1, fromSequence), next_by_subj: subject, batch: BATCH_LENGTH };
  const answers = await direct(exchange, stream, body, (message) => statusOf(message) > 0);
  const end = answers.pop();
  return {
    messages: answers.map((message) => new DirectMessage(stream, message)),
    further: answers.length === 0 ? 0 : Number(end?.headers?.get('Nats-Num-Pending')),
  };
}

export async function get(
  exchange: Exchange,
  stream: string,
  sequence: number,
): Promise<LogMessage | undefined> {
  if (!(sequence >= 1)) return undefined;
  const [message] = await direct(exchange, stream, { seq: sequence });
  if (message === undefined || message.headers?.code === NOT_FOUND) return undefined;
  return new DirectMessage(stream, message);
}

/** The last sequence under a filter, or of the stream, as its leader knows it; 0 when there is none. */
export async function lastSequence(
  exchange: Exchange,
  stream: string,
  filter: string | undefined,
): Promise<number> {
  if (filter === undefined) {
    const info = await manage<{ state: { last_seq: number } }>(
      exchange,
      stream,
      `STREAM.INFO.${stream}`,
    );
    return info.state.last_seq;
  }
  try {
    const command = `STREAM.MSG.GET.${stream}`;
    const found = await manage<{ message: { seq: number } }>(exchange, stream, command, {
      last_by_subj: filter,
    });
    return found.message.seq;
  } catch (error) {
    if (error instanceof AppendRefused && error.code === NO_MESSAGE) return 0;
    throw error;
  }
}

/** The last sequence under any of the filters, or of the stream without any, as `lastSequence` has it. */
export async function lastUnder(
  exchange: Exchange,
  stream: string,
  filters: readonly string[] = [],
): Promise<number> {
  const wanted = filters.length === 0 ? [undefined] : filters;
  const lasts = await Promise.all(wanted.map((filter) => lastSequence(exchange, stream, filter)));
  return Math.max(...lasts);
}

/**
 * The sequence under which a message was stored that follows `expected` on its subject and bears
 * this id. The server compares sequences before it looks for duplicates, so a repeated append of
 * what is stored already would otherwise read as somebody else's. Asks the stream's leader.
 */
export async function storedBefore(
  exchange: Exchange,
  stream: string,
  subject: string,
  expected: number,
  messageId: string,
): Promise<number | undefined> {
  const { message } = await manage<{ message: { seq: number; hdrs?: string } }>(
    exchange,
    stream,
    `STREAM.MSG.GET.${stream}`,
    { seq: expected + 1, next_by_subj: subject },
  );
  const headers = Buffer.from(message.hdrs ?? '', 'base64')
    .toString()
    .split('\r\n');
  return headers.includes(`${MESSAGE_ID}: ${messageId}`) ? message.seq : undefined;
}
