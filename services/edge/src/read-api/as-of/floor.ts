import type { LogMessage } from '@meridian/journal';
import { decodeForProjection, foldRows, type Row, type RowProjection } from '@meridian/readmodel';
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

/** The rows of one tenant at a moment, as the read models would have them. */
export interface Floor {
  readonly contacts: readonly ContactRow[];
  readonly agents: readonly AgentRow[];
  readonly queues: readonly QueueRow[];
}

/** Folds entries into rows, by the projections that the read models run on. */
export class FloorFold {
  readonly #contacts = new Map<string, Row>();
  readonly #agents = new Map<string, Row>();
  readonly #queues = new Map<string, Row>();
  readonly #keepEnded: boolean;
  readonly #limits: FloorLimits;
  readonly #endsAtMs: number;
  #entries = 0;

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
    // What a projection cannot take it leaves out, here as there: the row stays as it was.
    const events = batch.flatMap((message) => decodeForProjection(message).events);
    const ignore = (): void => {};
    foldRows(agentsProjection, this.#agents, events, ignore);
    foldRows(queuesProjection, this.#queues, events, ignore);
    const projection = contactsProjection as unknown as RowProjection;
    const changed = foldRows(projection, this.#contacts, events, ignore);
    if (!this.#keepEnded) {
      for (const key of changed) {
        const state = this.#contacts.get(key)?.['state'] as string;
        if (endStates.has(state)) this.#contacts.delete(key);
      }
    }
    this.#checkLimits();
  }

  /** The rows as the database would give them. */
  floor(): Floor {
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
    if (this.#contacts.size > most) {
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
