import type { Caller } from '../access.ts';
import { accessDenied, invalidArgument } from '../faults.ts';
import { customEntity, parseStreamName } from '../names.ts';
import type {
  AppendReq,
  AppendResp,
  AppendSuccess,
  BatchAppendReq,
  BatchAppendResp,
  Empty,
  StreamIdentifier,
  Timestamp,
  WireExpected,
  WireUuid,
} from '../protocol/messages.ts';
import { readUuid } from '../protocol/uuid.ts';
import { WrongExpected, type Appended, type CustomStreams } from '../writing/custom-streams.ts';
import { readExpected, readProposed } from '../writing/proposal.ts';
import { statusOf } from './append-status.ts';
import { AppendBudget, Proposed, proposedBytesLimit } from './proposed.ts';
import type { Sink } from './sink.ts';
import { Waiting } from './waiting.ts';

export interface AppendParts {
  readonly streams: CustomStreams;
  readonly regions: readonly string[];
  /** What all calls of the gateway together may have in memory. */
  readonly budget?: AppendBudget;
}

/** A gateway has one `CustomStreams`, whatever appends by it. */
const budgets = new WeakMap<CustomStreams, AppendBudget>();

function budgetOf({ streams, budget }: AppendParts): AppendBudget {
  const known = budget ?? budgets.get(streams) ?? new AppendBudget();
  budgets.set(streams, known);
  return known;
}

/** How long an append without a deadline of its own may take. */
const patienceMs = 10_000;
/** Appends of one call that may be open or under way at once, and what either may have in bytes. */
const openLimit = 256;
const openBytesLimit = 2 * proposedBytesLimit;

const textOf = (identifier: StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.streamName ?? []).toString();

/** The name behind `custom-` of a stream that the caller may append to. @throws CallRefused */
function nameToAppend(stream: string, caller: Caller, regions: readonly string[]): string {
  const named = parseStreamName(stream, caller.tenant, regions);
  const isOwn =
    named !== undefined &&
    named !== 'denied' &&
    named.kind === 'aggregate' &&
    named.aggregate.entity === customEntity &&
    named.aggregate.tenant === caller.tenant;
  if (isOwn) return named.aggregate.id;
  throw accessDenied(
    `The stream ${stream} cannot be appended to: only ${customEntity}-<name> of the key's tenant, ` +
      'the name being 1 to 72 of A-Z a-z 0-9 _ -.',
  );
}

const successOf = ({ revision, position }: Appended): AppendSuccess => ({
  ...(revision < 0 ? { noStream: {} } : { currentRevision: revision }),
  ...(position === undefined
    ? { noPosition: {} }
    : { position: { commitPosition: position, preparePosition: position } }),
});

const none: Empty = {};

function wrongOf({ expected, revision }: WrongExpected): AppendResp['wrongExpectedVersion'] {
  return {
    ...(revision < 0 ? { currentNoStream: none } : { currentRevision: revision }),
    ...(typeof expected === 'number' ? { expectedRevision: expected } : {}),
    ...(expected === 'any' ? { expectedAny: none } : {}),
    ...(expected === 'exists' ? { expectedStreamExists: none } : {}),
    ...(expected === 'no-stream' ? { expectedNoStream: none } : {}),
  };
}

/** Answers Append: options first, then the events, then an answer. */
export async function append(
  parts: AppendParts,
  requests: AsyncIterable<AppendReq>,
  caller: Caller,
  deadlineMs: number,
): Promise<AppendResp> {
  const proposed = new Proposed(budgetOf(parts));
  try {
    return await appendProposed(parts, requests, caller, deadlineMs, proposed);
  } finally {
    proposed.release();
  }
}

async function appendProposed(
  { streams, regions }: AppendParts,
  requests: AsyncIterable<AppendReq>,
  caller: Caller,
  deadlineMs: number,
  proposed: Proposed,
): Promise<AppendResp> {
  let options: AppendReq['options'];
  for await (const request of requests) {
    options ??= request.options;
    if (request.proposedMessage !== undefined) proposed.add(request.proposedMessage);
  }
  if (options === undefined) throw invalidArgument('The append names no stream.');
  try {
    const appended = await streams.append({
      name: nameToAppend(textOf(options.streamIdentifier), caller, regions),
      expected: readExpected(options),
      events: readProposed(proposed.messages),
      caller,
      untilMs: Math.min(deadlineMs, Date.now() + patienceMs),
    });
    return { success: successOf(appended) };
  } catch (error) {
    if (!(error instanceof WrongExpected)) throw error;
    const wrong = wrongOf(error);
    return wrong === undefined ? {} : { wrongExpectedVersion: wrong };
  }
}

interface OpenAppend {
  readonly proposed: Proposed;
  readonly options: NonNullable<BatchAppendReq['options']>;
}

/**
 * Answers BatchAppend: one long call with many appends, each of one or more messages of its
 * correlation id, answered as each is stored. Only what every append of the call would meet (no
 * lease, another owner) ends the call.
 */
export async function batchAppend(
  parts: AppendParts,
  requests: AsyncIterable<BatchAppendReq>,
  caller: Caller,
  sink: Sink<BatchAppendResp>,
): Promise<void> {
  const open = new Map<string, OpenAppend>();
  try {
    await batchAppendTo(open, parts, requests, caller, sink);
  } finally {
    for (const { proposed } of open.values()) proposed.release();
  }
}

async function batchAppendTo(
  open: Map<string, OpenAppend>,
  parts: AppendParts,
  requests: AsyncIterable<BatchAppendReq>,
  caller: Caller,
  sink: Sink<BatchAppendResp>,
): Promise<void> {
  const { streams, regions } = parts;
  const budget = budgetOf(parts);
  const underWay = new Set<Promise<void>>();
  const waiting = new Waiting();
  const bytes = { open: 0, underWay: 0 };
  const run = async (correlationId: WireUuid, one: OpenAppend): Promise<void> => {
    const { options, proposed } = one;
    const answer = answerTo(correlationId, options);
    try {
      const appended = await streams.append({
        name: nameToAppend(textOf(options.streamIdentifier), caller, regions),
        expected: readExpected(options),
        events: readProposed(proposed.messages),
        caller,
        untilMs: deadlineOf(options),
      });
      await sink.write({ ...answer, success: successOf(appended) });
    } catch (error) {
      const told = statusOf(error);
      if (told === undefined) throw error;
      await sink.write({ ...answer, error: told });
    }
  };
  const incoming = requests[Symbol.asyncIterator]();
  for (;;) {
    const next = await waiting.for(incoming.next());
    if (next.done === true) break;
    const { correlationId, options, proposedMessages = [], isFinal } = next.value;
    const id = readUuid(correlationId);
    if (id === undefined || correlationId === undefined) {
      throw invalidArgument('An append bears no UUID as its correlation id.');
    }
    let one = open.get(id);
    if (one === undefined) {
      if (options === undefined) throw invalidArgument(`The append ${id} names no stream.`);
      if (open.size >= openLimit) throw invalidArgument(`${openLimit} appends are not whole yet.`);
      one = { options, proposed: new Proposed(budget) };
      open.set(id, one);
    }
    bytes.open -= one.proposed.bytes;
    for (const message of proposedMessages) one.proposed.add(message);
    const size = one.proposed.bytes;
    bytes.open += size;
    if (bytes.open > openBytesLimit) {
      throw invalidArgument(
        `Appends that are not whole yet have more than ${openBytesLimit} bytes.`,
      );
    }
    if (isFinal !== true) continue;
    open.delete(id);
    bytes.open -= size;
    bytes.underWay += size;
    const running = run(correlationId, one)
      .catch((error: unknown) => waiting.fail(error))
      .finally(() => {
        underWay.delete(running);
        one.proposed.release();
        bytes.underWay -= size;
      });
    underWay.add(running);
    // A slow log is felt by the client: it is read no further.
    while (underWay.size >= openLimit || bytes.underWay > openBytesLimit) {
      await waiting.for(Promise.race(underWay));
    }
  }
  await waiting.for(Promise.all(underWay));
}

/** What an answer repeats of the request. */
function answerTo(
  correlationId: WireUuid,
  options: NonNullable<BatchAppendReq['options']>,
): Omit<BatchAppendResp, 'error' | 'success'> {
  const { streamIdentifier = { streamName: Buffer.alloc(0) }, streamPosition } = options;
  const { noStream, any, streamExists } = options;
  const expected: WireExpected = {
    ...(streamPosition === undefined ? {} : { streamPosition }),
    ...(noStream === undefined ? {} : { noStream }),
    ...(any === undefined ? {} : { any }),
    ...(streamExists === undefined ? {} : { streamExists }),
  };
  return { correlationId, streamIdentifier, ...expected };
}

/** Until when the client waits, by its own clock where it names a moment; not for ever. */
function deadlineOf({ deadlineAt, deadlineIn }: NonNullable<BatchAppendReq['options']>): number {
  const now = Date.now();
  const ms = ({ seconds, nanos }: Timestamp): number => Number(seconds) * 1_000 + nanos / 1_000_000;
  const given =
    deadlineAt === undefined
      ? now + (deadlineIn === undefined ? patienceMs : ms(deadlineIn))
      : ms(deadlineAt);
  return Math.min(Math.max(given, now), now + patienceMs);
}
