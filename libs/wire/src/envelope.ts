import { hash } from 'node:crypto';
import { toTimestamp } from '@meridian/core';
import { contractOf } from './validate.ts';

/**
 * A decision as the log holds it: a CloudEvent 1.0 in structured JSON.
 * `revision` counts the aggregate's events from 0 without a gap; `prevhash` is the hash of the
 * aggregate's event before, `genesisHash` for the first.
 */
export interface EventEnvelope<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0';
  /** `<tenant>.<aggregate's entity>.<aggregate's id>.<revision>`. */
  readonly id: string;
  /** `/<region>/<service>`. */
  readonly source: string;
  readonly type: Type;
  /** The id of the contact, reservation, agent or queue that the event is about. */
  readonly subject: string;
  /** When it was decided, by the clock of the log. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  readonly tenant: string;
  /** The home region of the aggregate. */
  readonly region: string;
  readonly epoch: number;
  readonly revision: number;
  readonly prevhash: string;
  readonly correlationid: string;
  readonly causationid: string;
  readonly actor: string;
  readonly configversion: number;
  readonly dataclass: 'none' | 'pseudonymous' | 'personal';
  readonly traceparent?: string;
  /**
   * `EV_<region>:<sequence>` of the aggregate's entry before, when that was written by another
   * region: the first event after a failover.
   */
  readonly adoptedfrom?: string;
  readonly data: Data;
}

/** A request as the intake holds it: the publisher's CloudEvent and who sent it. */
export interface IntakeEnvelope<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: Type;
  readonly subject: string;
  readonly time: string;
  readonly tenant: string;
  readonly datacontenttype: 'application/json';
  readonly correlationid?: string;
  /** The home region of what is asked about, where the publisher named it. */
  readonly region?: string;
  /** The id of the API key that published it. */
  readonly actor?: string;
  readonly traceparent?: string;
  readonly data: Data;
}

/** Why an event came about, and through whom. */
export interface Cause {
  /** The id of the event or request that led to it: `causeOf` or an event's own id. */
  readonly causationId: string;
  /** The first contact of the chain. */
  readonly correlationId?: string;
  readonly actor?: string;
  readonly traceparent?: string;
}

/** One event about to be stored. */
export interface EventToEncode {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly cause: Cause;
  readonly timeMs: number;
}

/** Where an aggregate's history ends. */
export interface Head {
  /** Sequence of the last entry under the writer's own subject; 0 when there is none. */
  readonly sequence: number;
  /** Revision of its last event; -1 when there is none. */
  readonly revision: number;
  /** Hash of its last event; `genesisHash` when there is none. */
  readonly hash: string;
  /** Where its last entry is, `EV_<region>:<sequence>`, when that is not the writer's own stream. */
  readonly at?: string;
}

/** Who writes: filled in by the service and the ownership in force. */
export interface Writer {
  readonly region: string;
  readonly home: string;
  readonly service: string;
  readonly epoch: number;
}

/** The `prevhash` of an aggregate's first event: 32 zero bytes in base64url. */
export const genesisHash = 'A'.repeat(43);
export const emptyHead: Head = { sequence: 0, revision: -1, hash: genesisHash };

/** SHA-256 of an event's stored text in base64url, 43 characters. */
export function hashEvent(text: string): string {
  return hash('sha256', text, 'base64url');
}

const plainText = /^[\w .:/#|~+=@()-]*$/;
const quote = (text: string): string => (plainText.test(text) ? `"${text}"` : JSON.stringify(text));

const typeParts = new Map<string, string>();

/** The part of the envelope that only depends on the type. */
function typePart(type: string): string {
  const known = typeParts.get(type);
  if (known !== undefined) return known;
  const contract = contractOf(type);
  if (contract === undefined) {
    throw new Error(
      `There is no contract for the event type ${type}.\nAdd it to proto/ and run scripts/gen.`,
    );
  }
  const part =
    `"type":"${type}","datacontenttype":"application/json",` +
    `"dataschema":"urn:meridian:schema:${type}","dataclass":"${contract.dataClass}",`;
  typeParts.set(type, part);
  return part;
}

/** The text of an entry, and where the aggregate's history ends once it is stored. */
export interface EncodedEntry {
  readonly text: string;
  /** The text in UTF-8, where it was made already. */
  readonly bytes?: Uint8Array;
  readonly revision: number;
  readonly hash: string;
}

let lastTimeMs = Number.NaN;
let lastTime = '';

/** As `toTimestamp`; decisions of one moment share the text. */
function timestampOf(timeMs: number): string {
  if (timeMs !== lastTimeMs) {
    lastTime = toTimestamp(timeMs);
    lastTimeMs = timeMs;
  }
  return lastTime;
}

/**
 * Writes one decision event by event: a CloudEvents batch, one event a line, so that the stored
 * text of each event can be cut out and hashed again (see `eventTexts`).
 */
export class EntryEncoder {
  readonly #name: string;
  readonly #fixed: string;
  readonly #service: string;
  #revision: number;
  #hash: string;
  #text = '';
  #count = 0;
  #adoptedFrom: string | undefined;

  /** @param aggregate whose history the entry continues, `head` being where that ends */
  constructor(
    writer: Writer,
    aggregate: { readonly tenant: string; readonly entity: string; readonly id: string },
    head: Pick<Head, 'revision' | 'hash' | 'at'>,
  ) {
    this.#name = `${aggregate.tenant}.${aggregate.entity}.${aggregate.id}`;
    this.#fixed =
      `,"source":"/${writer.region}/${writer.service}","tenant":"${aggregate.tenant}",` +
      `"region":"${writer.home}","epoch":${writer.epoch},`;
    this.#service = writer.service;
    this.#revision = head.revision;
    this.#hash = head.hash;
    this.#adoptedFrom = head.at;
  }

  /** How many events there are so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds one event. `configVersion` is the version of the configuration it was decided under. */
  add(event: EventToEncode, configVersion = 0): void {
    const text = this.#next(event, configVersion);
    this.#hash = hashEvent(text);
    this.#text += this.#count === 0 ? `[${text}` : `,\n${text}`;
    this.#count += 1;
  }

  /** The whole entry of a single event: its bytes are made once, to be hashed and to be sent. */
  only(event: EventToEncode, configVersion = 0): EncodedEntry {
    const text = `[${this.#next(event, configVersion)}]`;
    const bytes = Buffer.from(text);
    this.#hash = hash('sha256', bytes.subarray(1, -1), 'base64url');
    return { text, bytes, revision: this.#revision, hash: this.#hash };
  }

  /** The text of the next event. */
  #next({ type, subject, data, cause, timeMs }: EventToEncode, configVersion: number): string {
    this.#revision += 1;
    const { causationId, correlationId, actor, traceparent } = cause;
    const adoptedFrom = this.#adoptedFrom;
    this.#adoptedFrom = undefined;
    return (
      `{"specversion":"1.0","id":"${this.#name}.${this.#revision}"${this.#fixed}${typePart(type)}` +
      `"configversion":${configVersion},"subject":${quote(subject)},"time":"${timestampOf(timeMs)}",` +
      `"revision":${this.#revision},"prevhash":"${this.#hash}",` +
      `"correlationid":${quote(correlationId ?? subject)},"causationid":${quote(causationId)},` +
      `"actor":${quote(actor ?? this.#service)},` +
      (traceparent === undefined ? '' : `"traceparent":${quote(traceparent)},`) +
      (adoptedFrom === undefined ? '' : `"adoptedfrom":"${adoptedFrom}",`) +
      `"data":${JSON.stringify(data)}}`
    );
  }

  /** Adds the events of one command, all or (when one cannot be written) none. */
  addAll(events: readonly EventToEncode[], configVersion = 0): void {
    const before = {
      revision: this.#revision,
      hash: this.#hash,
      text: this.#text,
      count: this.#count,
      adoptedFrom: this.#adoptedFrom,
    };
    try {
      for (const event of events) this.add(event, configVersion);
    } catch (error) {
      this.#revision = before.revision;
      this.#hash = before.hash;
      this.#text = before.text;
      this.#count = before.count;
      this.#adoptedFrom = before.adoptedFrom;
      throw error;
    }
  }

  /** The entry as it is to be stored. */
  finish(): EncodedEntry {
    return { text: `${this.#text}]`, revision: this.#revision, hash: this.#hash };
  }
}

/** Writes one decision; see `EntryEncoder`. */
export function encodeEntry(
  writer: Writer,
  aggregate: { readonly tenant: string; readonly entity: string; readonly id: string },
  head: Pick<Head, 'revision' | 'hash'>,
  events: readonly EventToEncode[],
  configVersion = 0,
): EncodedEntry {
  const encoder = new EntryEncoder(writer, aggregate, head);
  const [first] = events;
  if (first !== undefined && events.length === 1) return encoder.only(first, configVersion);
  encoder.addAll(events, configVersion);
  return encoder.finish();
}

/** The stored texts of an entry's events, as they were hashed. */
export function eventTexts(entryText: string): string[] {
  return entryText.slice(1, -1).split(',\n');
}

/** The events of an entry. @throws SyntaxError when it is not a JSON list */
export function decodeEntry(entryText: string): EventEnvelope[] {
  const events: unknown = JSON.parse(entryText);
  if (!Array.isArray(events) || events.length === 0) {
    throw new SyntaxError('an entry must be a list of at least one CloudEvent');
  }
  return events as EventEnvelope[];
}

/** The hash that the aggregate's next event must name. */
export function lastHash(entryText: string): string {
  const from = entryText.lastIndexOf(',\n');
  return hashEvent(entryText.slice(from === -1 ? 1 : from + 2, -1));
}

/** What a request is known by when it causes events: CloudEvents are unique by source and id. */
export function causeOf(intake: Pick<IntakeEnvelope, 'source' | 'id'>): string {
  return `${intake.source}#${intake.id}`;
}

/** What an event or request passes on to what it causes, `causationId` being its own name. */
export function passOn(
  event: {
    readonly correlationid?: string;
    readonly actor?: string;
    readonly traceparent?: string | undefined;
  },
  causationId: string,
): Cause {
  const { correlationid, actor, traceparent } = event;
  return {
    causationId,
    ...(correlationid === undefined ? {} : { correlationId: correlationid }),
    ...(actor === undefined ? {} : { actor }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
