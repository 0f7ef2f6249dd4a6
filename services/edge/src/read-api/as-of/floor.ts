import type { LogMessage } from '@meridian/journal';
import {
  decodeForProjection,
  foldRows,
  type RecordedEvent,
  type Row,
  type RowProjection,
} from '@meridian/readmodel';
import { parseSubject } from '@meridian/wire';
import { invalidParameter } from '../../domain/query.ts';
import {
  agents,
  agentsProjection,
  contacts,
  contactsProjection,
  queues,
  queuesProjection,
  type AgentRow,
  type ContactRow,
  type QueueRow,
} from '../../projections/index.ts';
import { Refusal } from '../../domain/problem.ts';
import { asStored } from './stored.ts';
import { readEvents, unreadEntry, type UnreadEntry } from './unread.ts';

/** How much one rebuilding may take. Beyond it the question is refused, and nothing is answered in part. */
export interface FloorLimits {
  /** How many entries of the log may be read. */
  readonly entries: number;
  /** How many contacts may be held: the living ones, and those that ended where they are asked for. */
  readonly contacts: number;
  /** How long it may last, in ms. */
  readonly durationMs: number;
}

/** Some 100 MB of rows, and half a minute of one core at 60,000 entries a second. */
export const floorLimits: FloorLimits = {
  entries: 2_000_000,
  contacts: 100_000,
  durationMs: 30_000,
};

const endStates: ReadonlySet<string> = new Set(['COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED']);

/** The events with which a contact ends. */
const endTypes: ReadonlySet<string> = new Set([
  'meridian.contact.completed.v1',
  'meridian.contact.abandoned.v1',
  'meridian.contact.orphan_reaped.v1',
]);
/** What an entry of a contact says of its queue. */
const queueTypes: ReadonlySet<string> = new Set([
  'meridian.contact.queued.v1',
  'meridian.contact.dequeued.v1',
]);
/** How much text of living contacts waits to be parsed at most. */
const unreadBytesLimit = 32 * 1_048_576;
const all = (): boolean => true;
const ignore = (): void => {};

/** The rows of one tenant at a moment, as the read models would have them. */
export interface Floor {
  readonly contacts: readonly ContactRow[];
  readonly agents: readonly AgentRow[];
  readonly queues: readonly QueueRow[];
}

/**
 * Folds entries into rows, by the projections that the read models run on. Of contacts that end, where
 * these are not asked for, nothing is parsed but what concerns their queue: their rows are never made.
 */
export class FloorFold {
  readonly #contacts = new Map<string, Row>();
  readonly #agents = new Map<string, Row>();
  readonly #queues = new Map<string, Row>();
  readonly #keepEnded: boolean;
  readonly #limits: FloorLimits;
  readonly #endsAtMs: number;
  #entries = 0;
  /** What is not folded yet of living contacts, by home, tenant and id. */
  readonly #unread = new Map<string, UnreadEntry[]>();
  #unreadBytes = 0;

  /** @param keepEnded whether contacts that have ended stay among the rows */
  constructor(keepEnded: boolean, limits: FloorLimits = floorLimits) {
    this.#keepEnded = keepEnded;
    this.#limits = limits;
    this.#endsAtMs = performance.now() + limits.durationMs;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Takes the next entries. @throws Refusal when it comes to take too much */
  take(batch: readonly LogMessage[]): void {
    this.#entries += batch.length;
    const events: RecordedEvent[] = [];
    for (const message of batch) this.#takeOne(message, events);
    foldRows(agentsProjection, this.#agents, events, ignore);
    foldRows(queuesProjection, this.#queues, events, ignore);
    if (this.#keepEnded) this.#foldContacts(events);
    if (this.#unreadBytes > unreadBytesLimit) this.#readAll();
    this.#checkLimits();
  }

  /** @param events takes those that are folded now */
  #takeOne(message: LogMessage, events: RecordedEvent[]): void {
    const { stream, sequence, data, subject } = message;
    const entry = unreadEntry({ stream, sequence, data, text: message.text() });
    const address = this.#keepEnded ? undefined : parseSubject(subject);
    if (entry === undefined) {
      const read = decodeForProjection(message).events;
      events.push(...read);
      this.#readAll();
      if (!this.#keepEnded) this.#foldContacts(read);
      return;
    }
    if (address?.entity !== 'contact') {
      events.push(...readEvents(entry, all));
      return;
    }
    const ofQueue = entry.events.some(({ type }) => queueTypes.has(type));
    if (ofQueue) events.push(...readEvents(entry, (type) => queueTypes.has(type)));
    const name = `${address.home}.${address.tenant}.${address.id}`;
    if (endTypes.has(entry.events.at(-1)?.type ?? '')) {
      this.#forget(name);
      this.#contacts.delete(`${address.tenant}/${address.id}/${address.home}`);
      return;
    }
    const waiting = this.#unread.get(name);
    if (waiting === undefined) this.#unread.set(name, [entry]);
    else waiting.push(entry);
    this.#unreadBytes += entry.bytes;
  }

  #forget(name: string): void {
    for (const { bytes } of this.#unread.get(name) ?? []) this.#unreadBytes -= bytes;
    this.#unread.delete(name);
  }

  /** Folds what waits. */
  #readAll(): void {
    for (const entries of this.#unread.values()) {
      this.#foldContacts(entries.flatMap((entry) => readEvents(entry, all)));
    }
    this.#unread.clear();
    this.#unreadBytes = 0;
  }

  #foldContacts(events: readonly RecordedEvent[]): void {
    const projection = contactsProjection as unknown as RowProjection;
    const changed = foldRows(projection, this.#contacts, events, ignore);
    if (this.#keepEnded) return;
    for (const key of changed) {
      const state = this.#contacts.get(key)?.['state'] as string;
      if (endStates.has(state)) this.#contacts.delete(key);
    }
  }

  /** The rows as the database would give them. */
  floor(): Floor {
    this.#readAll();
    return {
      contacts: [...this.#contacts.values()].map((row) => asStored(contacts, row as ContactRow)),
      agents: [...this.#agents.values()].map((row) => asStored(agents, row as AgentRow)),
      queues: [...this.#queues.values()].map((row) => asStored(queues, row as QueueRow)),
    };
  }

  #checkLimits(): void {
    const { entries, contacts: most, durationMs } = this.#limits;
    const other =
      'Export the log and fold it elsewhere: meridian export, then meridian replay --file FILE --as-of.';
    if (this.#entries > entries) {
      throw invalidParameter(
        'time',
        `has more than ${entries} entries before it, the most that are read for one answer. ${other}`,
      );
    }
    if (this.#contacts.size + this.#unread.size > most) {
      const hint = this.#keepEnded
        ? 'Ask for the states of living contacts only, or not here. '
        : '';
      throw invalidParameter(
        'time',
        `has more than ${most} contacts before it, the most that are held for one answer. ${hint}${other}`,
      );
    }
    if (performance.now() > this.#endsAtMs) {
      throw new Refusal(
        'read-models-unavailable',
        `Rebuilding that moment took longer than ${durationMs} ms (${this.#entries} entries were read). ${other}`,
        {},
        { 'retry-after': '30' },
      );
    }
  }
}
