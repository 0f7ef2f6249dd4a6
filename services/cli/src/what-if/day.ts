import type {
  Channel,
  Presence,
  QueueSettings,
  SkillLevel,
  SkillRequirement,
} from '@meridian/wire';
import type { ChannelCapacity } from '@meridian/wire';

// A day as the log has it, in a form that can be acted out again: plain data, which goes to the
// simulator as JSON. All times are epoch ms, all spans ms.

/** What an agent did when an offer rang. */
export type Reaction =
  | { readonly kind: 'ACCEPTS'; readonly afterMs: number }
  | { readonly kind: 'REJECTS'; readonly afterMs: number; readonly reason?: string }
  /** Let it ring out; was back of their own accord after `backAfterMs`, null: was not. */
  | { readonly kind: 'MISSES'; readonly backAfterMs: number | null }
  /** The offer was taken back after that time: what the agent would have done is not known. */
  | { readonly kind: 'UNKNOWN'; readonly afterMs: number };

export interface RecordedOffer {
  readonly agentId: string;
  readonly reaction: Reaction;
}

/** The work on a contact, from the answer on. */
export interface Handling {
  readonly talkMs: number;
  /** null: the agent never said that it was done, and its time limit ended it. */
  readonly wrapUpMs: number | null;
  readonly by: 'CUSTOMER' | 'AGENT' | 'SYSTEM';
}

/** A contact that joined a queue. */
export interface RecordedContact {
  readonly id: string;
  readonly home: string;
  readonly channel: Channel;
  readonly queueId: string;
  readonly priority: number;
  /** The contact's own, beyond the queue's. */
  readonly requirements: readonly SkillRequirement[];
  readonly queuedAtMs: number;
  /** OPEN: neither answered nor given up when the record ended, or ended by a watchdog. */
  readonly outcome: 'ANSWERED' | 'ABANDONED' | 'OPEN';
  /** From joining the queue to the answer, to giving up, or to the end of what is known. */
  readonly waitedMs: number;
  readonly agentId?: string;
  /** Absent where the contact was not answered, or the record ends before the work did. */
  readonly handling?: Handling;
  readonly offers: readonly RecordedOffer[];
}

/** How a queue was set up at a moment in a home; `settings` absent: it was deleted. */
export interface QueueAct {
  readonly atMs: number;
  readonly home: string;
  readonly queueId: string;
  readonly settings?: QueueSettings;
}

/** What an agent did of their own accord. */
export type AgentAct = {
  readonly atMs: number;
  readonly home: string;
} & (
  | {
      readonly kind: 'SIGN_IN';
      readonly sessionId: string;
      readonly skills: readonly SkillLevel[];
      readonly capacities: readonly ChannelCapacity[];
      readonly presence: Presence;
    }
  | { readonly kind: 'SIGN_OUT' }
  | { readonly kind: 'PRESENCE'; readonly presence: Presence; readonly reason?: string }
);

export interface AgentDay {
  readonly id: string;
  /** Whose reactions to offers this agent has; their own when absent. */
  readonly like?: string;
  readonly acts: readonly AgentAct[];
}

export interface RecordedDay {
  readonly tenant: string;
  readonly homes: readonly string[];
  /** What is measured: contacts that joined a queue at or after `fromMs` and before `toMs`. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The times of the first and the last event that were read. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly queues: readonly QueueAct[];
  readonly agents: readonly AgentDay[];
  /**
   * In the order in which they joined: from a moment at which nobody was there before `fromMs`
   * to one after `toMs`, as far as the record has such moments.
   */
  readonly contacts: readonly RecordedContact[];
  readonly notes: RecordNotes;
}

/** What of the record matters to what a re-run can claim. */
export interface RecordNotes {
  /** Contacts that ended before they joined a queue: they are not acted out. */
  readonly leftBeforeQueue: number;
  /** Contacts that a watchdog ended. */
  readonly reaped: number;
  /** Homes that changed their owner within the record. */
  readonly failovers: number;
  /** Entries that lie beyond a seal, and were left out. */
  readonly orphans: number;
  /** Contacts that one home lent to another. */
  readonly lent: number;
  /** Contacts of an import that ask for a skill which only their agent has. */
  readonly pinned: number;
}

/** The last settings of each queue, over all homes. */
export function lastSettings(day: RecordedDay): Map<string, QueueSettings> {
  const last = new Map<string, QueueSettings>();
  for (const { queueId, settings } of day.queues) {
    if (settings !== undefined) last.set(queueId, settings);
  }
  return last;
}
