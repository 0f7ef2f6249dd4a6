import { accessDenied, invalidArgument } from '../faults.ts';
import type { Caller } from '../access.ts';
import { compileFilter, type EventFilter } from '../filters.ts';
import { parseStreamName, type NamedStream } from '../names.ts';
import type { ReadOptions, ReadReq, ReadResp } from '../protocol/messages.ts';
import { Pace, readPosition, type Page, type Scope } from '../reading/order-reader.ts';
import { patiently } from './patience.ts';
import { send, type Presentation, type Sink } from './sink.ts';
import type { SealedContent } from '../writing/sealed-content.ts';
import { confirm, followOrder, followStream, type SubscriptionParts } from './subscription.ts';

export interface ReadParts extends SubscriptionParts {
  readonly regions: readonly string[];
  readonly sealing: Pick<SealedContent, 'open'>;
}

/** One call of Read. */
export interface ReadCall {
  readonly request: ReadReq;
  readonly caller: Caller;
  readonly sink: Sink<ReadResp>;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

const checkpointWindow = 32;

/** Whether a call is a subscription: it has no end. */
export const isSubscription = ({ options }: ReadReq): boolean =>
  options?.subscription !== undefined;

/** Answers a read or a subscription, of a stream, a category or `$all`. */
export async function read(parts: ReadParts, call: ReadCall): Promise<void> {
  const { options } = call.request;
  if (options === undefined) throw invalidArgument('The read has no options.');
  const filter = options.filter === undefined ? undefined : compileFilter(options.filter);
  if (options.stream === undefined) {
    const from = options.all ?? {};
    await readOrder(parts, call, options, {
      scope: { viewer: call.caller.tenant },
      ...(filter === undefined ? {} : { filter }),
      from:
        from.end !== undefined
          ? 'end'
          : from.position && readPosition(from.position.commitPosition),
    });
    return;
  }
  const name = Buffer.from(options.stream.streamIdentifier?.streamName ?? []).toString();
  const stream = parseStreamName(name, call.caller.tenant, parts.regions);
  if (stream === 'denied') {
    throw accessDenied(`The stream ${name} is another tenant's than the API key's.`);
  }
  if (stream === undefined) await readNothing(call, options, name, parts);
  else if (stream.kind === 'category') {
    const { end, revision } = options.stream;
    await readOrder(parts, call, options, {
      scope: { viewer: call.caller.tenant, stream },
      from: end !== undefined ? 'end' : revision === undefined ? undefined : readPosition(revision),
      category: stream,
    });
  } else await readStream(parts, call, options, stream, name);
}

const isBackwards = ({ readDirection = 0 }: ReadOptions): boolean => readDirection === 1;
const countOf = ({ count }: ReadOptions): number => Number(count ?? 0);

/** A stream that cannot be: a read finds nothing, a subscription waits. */
async function readNothing(
  { sink, signal }: ReadCall,
  options: ReadOptions,
  name: string,
  { tail }: ReadParts,
): Promise<void> {
  if (options.subscription === undefined) return notFound(sink, name);
  await confirm(sink);
  while (!signal.aborted) await tail.moved(tail.version, signal);
}

const notFound = (sink: Sink<ReadResp>, name: string): Promise<void> =>
  sink.write({ streamNotFound: { streamIdentifier: { streamName: Buffer.from(name) } } });

interface OrderRead {
  readonly scope: Scope;
  readonly filter?: EventFilter;
  readonly from: number | 'end' | undefined;
  readonly category?: Extract<NamedStream, { kind: 'category' }>;
}

/** `$all` and categories: a position forwards is the first one read, backwards the one after the last. */
async function readOrder(
  parts: ReadParts,
  { caller, sink, signal }: ReadCall,
  options: ReadOptions,
  { scope, filter, from, category }: OrderRead,
): Promise<void> {
  const { order } = parts;
  const presentation: Presentation = {
    structuredIds: options.uuidOption?.structured !== undefined,
    viewer: caller.tenant,
    resolveLinks: options.resolveLinks === true,
    sealing: parts.sealing,
    ...(category === undefined ? {} : { category }),
  };
  if (options.subscription !== undefined) {
    await confirm(sink);
    const { max, checkpointIntervalMultiplier } = options.filter ?? {};
    const every = (max || checkpointWindow) * (checkpointIntervalMultiplier || 1);
    await followOrder(
      parts,
      { sink, signal, presentation },
      { scope, ...(filter === undefined ? {} : { filter, checkpointEvery: every }) },
      // A subscription begins after what it names.
      from === 'end' ? order.end : from === undefined ? 0 : from + 1,
    );
    return;
  }
  let left = countOf(options);
  const backwards = isBackwards(options);
  // The link at a revision is read too, as in any stream.
  const inclusive = category !== undefined && typeof from === 'number' ? 1 : 0;
  let next = from === 'end' ? order.end : (from ?? 0) + (backwards ? inclusive : 0);
  const pace = new Pace();
  while (left > 0 && !signal.aborted) {
    const page: Page = backwards
      ? await order.backwards(next, scope, pace.limit)
      : await order.forwards(next, scope, pace.limit);
    for (const event of page.events) {
      if (filter?.(event) === false) continue;
      await send(sink, event, presentation);
      left -= 1;
      if (left <= 0 || signal.aborted) return;
    }
    if (page.looked === 0) return;
    next = page.next;
    pace.took(page);
  }
}

/** One stream: a revision is read too, in both directions; a subscription begins after it. */
async function readStream(
  parts: ReadParts,
  { caller, sink, signal }: ReadCall,
  options: ReadOptions,
  stream: Exclude<NamedStream, { kind: 'category' }>,
  name: string,
): Promise<void> {
  const { segments } = parts;
  const viewer = caller.tenant;
  const presentation: Presentation = {
    structuredIds: options.uuidOption?.structured !== undefined,
    viewer,
    resolveLinks: false,
    sealing: parts.sealing,
  };
  const { revision, end } = options.stream ?? {};
  if (options.subscription !== undefined) {
    await confirm(sink);
    let from = 0;
    if (end !== undefined) {
      from = ((await patiently(signal, () => lastRevision(parts, stream, viewer))) ?? -1) + 1;
    } else if (revision !== undefined) from = readPosition(revision) + 1;
    await followStream(parts, { sink, signal, presentation }, stream, from);
    return;
  }
  const found = await segments.of(stream);
  if (found === undefined) return notFound(sink, name);
  const backwards = isBackwards(options);
  const start = revision === undefined ? 0 : readPosition(revision);
  if (end !== undefined && !backwards) return;
  const batches = backwards
    ? segments.backwards(found, end === undefined ? start : Infinity, viewer)
    : segments.forwards(found, start, viewer);
  let left = countOf(options);
  let isEmpty = true;
  for await (const events of batches) {
    for (const event of events) {
      if (left <= 0 || signal.aborted) return;
      isEmpty = false;
      left -= 1;
      await send(sink, event, presentation);
    }
    if (left <= 0) return;
  }
  // All of it was asked for, and nothing of it counts.
  const isWhole = backwards ? end !== undefined : start === 0;
  if (isEmpty && isWhole && countOf(options) > 0) await notFound(sink, name);
}

/** The revision of a stream's last event; -1 when there is none. */
async function lastRevision(
  { segments }: ReadParts,
  stream: Exclude<NamedStream, { kind: 'category' }>,
  viewer: string,
): Promise<number> {
  const found = await segments.of(stream);
  if (found === undefined) return -1;
  for await (const [last] of segments.backwards(found, Infinity, viewer)) {
    if (last !== undefined) return last.revision;
  }
  return -1;
}
