import { readEntry, type LogMessage } from '@meridian/journal';
import {
  isSealed,
  type CustomAppended,
  type EventEnvelope,
  type IntakeEnvelope,
  type ParsedSubject,
} from '@meridian/wire';
import { intakeNameOf, streamNameOf } from './names.ts';
import { uuidOf } from './protocol/uuid.ts';

/** How many positions a rank takes; an entry holds at most as many events. */
export const positionsPerRank = 1_024;

/** The rank of the message at a position of `$all`, or after it. */
export const rankAt = (position: number): number => Math.floor(position / positionsPerRank);
export const positionOf = (rank: number, index: number): number => rank * positionsPerRank + index;

/** One event as a client of the event-store protocol sees it. */
export interface Recorded {
  readonly stream: string;
  /** From 0 on. */
  readonly revision: number;
  /** In `$all`: rank × 1,024 + the event's index in its message; below 2^53. */
  readonly position: number;
  readonly id: string;
  readonly type: string;
  /** Epoch ms. */
  readonly createdMs: number;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** What a client appended, where it is sealed: `data` shows the sealed text then. */
  readonly sealed?: { readonly tenant: string; readonly appended: CustomAppended };
}

/** The contract under which an event appended by a client is stored. */
export const customType = 'meridian.custom.appended.v1';

/** The prefix of a type that filters for system events leave out. */
const systemPrefix = '$';
const orderTypes = 'meridian.order.';
const unreadableType = '$unreadable';
const nothing = new Uint8Array();

/** What was made of messages that several read: the end of the log is held once for all who follow. */
const made = new WeakMap<LogMessage, Map<string, Made>>();

interface Made {
  readonly rank: number;
  readonly events: readonly Recorded[];
}

/**
 * The events of one message, made once for all viewers of a kind: the tenant's own, and operators.
 * @param message of an `IN_` or `EV_` stream
 * @param address what its subject says
 * @param rank of the message
 * @param viewer the tenant of the key that asks
 */
export function recordedOf(
  message: LogMessage,
  address: ParsedSubject,
  rank: number,
  viewer: string,
): readonly Recorded[] {
  const byViewer = made.get(message) ?? new Map<string, Made>();
  const known = byViewer.get(viewer);
  if (known?.rank === rank) return known.events;
  const events = makeRecorded(message, address, rank, viewer);
  byViewer.set(viewer, { rank, events });
  made.set(message, byViewer);
  return events;
}

function makeRecorded(
  message: LogMessage,
  address: ParsedSubject,
  rank: number,
  viewer: string,
): readonly Recorded[] {
  if (address.kind === 'in') return [requestOf(message, address, rank, viewer)];
  const stream = streamNameOf(viewer, address);
  try {
    const place = `${message.stream}:${message.sequence}`;
    return readEntry(message).events.map((event, index) =>
      recordedEvent(event, stream, positionOf(rank, index), `${place}.${index}`),
    );
  } catch {
    return [unreadable(message, rank, `unreadable-${message.stream}`)];
  }
}

function recordedEvent(
  event: EventEnvelope,
  stream: string,
  position: number,
  place: string,
): Recorded {
  const { data, type, time, revision } = event;
  const at = { stream, revision, position, createdMs: Date.parse(time) };
  if (type === customType) return { ...at, ...customContent(event.tenant, data as CustomAppended) };
  const { specversion: _, datacontenttype: __, type: ___, data: ____, ...envelope } = event;
  return {
    ...at,
    id: uuidOf(`${event.source}#${event.id}#${event.epoch}`),
    type: type.startsWith(orderTypes) ? `${systemPrefix}${type}` : type,
    isJson: true,
    data: Buffer.from(JSON.stringify(data)),
    metadata: metadataOf(envelope, place),
  };
}

/** The envelope, and the two names by which clients of event stores know correlation and cause. */
function metadataOf(
  envelope: { readonly correlationid?: string; readonly causationid?: string },
  place: string,
): Uint8Array {
  const { correlationid, causationid } = envelope;
  return Buffer.from(
    JSON.stringify({
      ...envelope,
      place,
      ...(correlationid === undefined ? {} : { $correlationId: correlationid }),
      ...(causationid === undefined ? {} : { $causationId: causationid }),
    }),
  );
}

function customContent(tenant: string, appended: CustomAppended) {
  const { eventId: id, eventType: type, content = '', metadata } = appended;
  if (!isSealed(content)) return { id, type, ...clientContent(appended) };
  const shown = (sealed: string | undefined): Uint8Array =>
    sealed === undefined ? nothing : Buffer.from(JSON.stringify({ sealed }));
  const sealed = { tenant, appended };
  return { id, type, isJson: true, data: shown(content), metadata: shown(metadata), sealed };
}

/** What the client gave, byte for byte. */
export function clientContent({
  isJson = false,
  content = '',
  metadata = '',
}: CustomAppended): Pick<Recorded, 'isJson' | 'data' | 'metadata'> {
  return {
    isJson,
    data: isJson ? Buffer.from(content) : Buffer.from(content, 'base64'),
    metadata: metadata.startsWith('{') ? Buffer.from(metadata) : Buffer.from(metadata, 'base64'),
  };
}

/** Anything may have been published to an intake past the edge: what cannot be read is shown as it is. */
function requestOf(
  message: LogMessage,
  { tenant, region }: ParsedSubject,
  rank: number,
  viewer: string,
): Recorded {
  const stream = intakeNameOf(viewer, tenant, region);
  let event: Partial<IntakeEnvelope> | undefined;
  try {
    event = JSON.parse(message.text()) as Partial<IntakeEnvelope>;
  } catch {
    return unreadable(message, rank, stream);
  }
  if (typeof event !== 'object' || event === null || typeof event.type !== 'string') {
    return unreadable(message, rank, stream);
  }
  const { specversion: _, datacontenttype: __, type, data, ...envelope } = event;
  const place = `${message.stream}:${message.sequence}.0`;
  return {
    stream,
    revision: message.sequence - 1,
    position: positionOf(rank, 0),
    id: uuidOf(place),
    type,
    createdMs: message.storedAtMs,
    isJson: true,
    data: Buffer.from(JSON.stringify(data ?? {})),
    metadata: metadataOf(envelope, place),
  };
}

/** Something that is no event: shown with its bytes, so that nothing of the log is kept back. */
function unreadable(message: LogMessage, rank: number, stream: string): Recorded {
  return {
    stream,
    revision: message.sequence - 1,
    position: positionOf(rank, 0),
    id: uuidOf(`${message.stream}:${message.sequence}.0`),
    type: unreadableType,
    createdMs: message.storedAtMs,
    isJson: false,
    data: message.data,
    metadata: nothing,
  };
}
