import { contactTypes, type ContactType, type Priority } from './call.ts';
import { DayFault } from './fault.ts';
import { checkRingRules, defaultRingRules, type RingRules } from './ring.ts';
import type { StaffMember } from './staff.ts';

/** A queue: one for each type of contact, with the skill an agent needs for it. */
export interface PlannedQueue {
  /** The same text as the type and the skill. */
  readonly id: ContactType;
  readonly name: string;
  readonly skill: ContactType;
}

/** An agent: id, skills with levels 1 to 5, shifts in epoch ms. */
export interface PlannedAgent extends StaffMember {
  readonly name?: string;
}

/** One contact to act out. Durations are in seconds, to the millisecond. */
export interface PlannedContact {
  /** Unique in the plan, the same for every tenant; rises with the arrival. */
  readonly id: string;
  /** Epoch ms. */
  readonly arrivalAt: number;
  readonly type: ContactType;
  readonly priority: Priority;
  /** From the arrival to the queue, or to hanging up when `leavesInIvr`. */
  readonly ivrSeconds: number;
  readonly leavesInIvr: boolean;
  /** Hangs up when not answered this long after entering the queue. */
  readonly patienceSeconds: number;
  /** An agent's whole time on it: exactly `talkSeconds` plus `wrapUpSeconds`. */
  readonly serviceSeconds: number;
  /** From the answer to hanging up. */
  readonly talkSeconds: number;
  /** From hanging up to the agent's being done. */
  readonly wrapUpSeconds: number;
  readonly customer?: string;
}

/** A contact-centre day for an outside player to act out; all times integer epoch ms. */
export interface DayPlan {
  /** As in 1999-08-02. */
  readonly date: string;
  /** Of every draw in it, and of `reactToOffer`. */
  readonly seed: string;
  readonly queues: readonly PlannedQueue[];
  readonly agents: readonly PlannedAgent[];
  /** By arrival. */
  readonly contacts: readonly PlannedContact[];
  readonly ring: RingRules;
  /** Everything that is not known but assumed, one sentence each. */
  readonly assumptions: readonly string[];
}

/** What both kinds of plan can be told. */
export interface PlanOptions {
  /** Share of each service that is wrap-up, 0 to 1. */
  readonly wrapUpShare?: number;
  readonly ring?: Partial<RingRules>;
}

/** The share of a service that is wrap-up unless told otherwise. */
export const defaultWrapUpShare = 0.1;
/** Nobody's patience is longer than this, in seconds. */
export const longestPatienceSeconds = 86_400;
/** What a priority contact (priority 2) has ahead of the others in the real centre, in seconds. */
export const priorityHeadStartSeconds = 90;

const queueNames: Readonly<Record<ContactType, string>> = {
  PS: 'Regular',
  PE: 'Regular, in English',
  IN: 'Internet support',
  NE: 'Stock exchange',
  NW: 'Prospects',
  TT: 'Call-backs',
};

export function plannedQueues(): PlannedQueue[] {
  return contactTypes.map((type) => ({ id: type, name: queueNames[type], skill: type }));
}

/** Seconds rounded to the millisecond. */
export function wholeMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Splits a service into talk and wrap-up that add up to it, to the millisecond. */
export function splitService(
  serviceSeconds: number,
  wrapUpShare: number,
): { serviceSeconds: number; talkSeconds: number; wrapUpSeconds: number } {
  const serviceMs = Math.round(serviceSeconds * 1000);
  const wrapUpMs = Math.round(serviceMs * wrapUpShare);
  return {
    serviceSeconds: serviceMs / 1000,
    talkSeconds: (serviceMs - wrapUpMs) / 1000,
    wrapUpSeconds: wrapUpMs / 1000,
  };
}

/** The id of the contact that arrived as number `ordinal`, from 1: contact-00001. */
export function contactIdOf(ordinal: number): string {
  return `contact-${String(ordinal).padStart(5, '0')}`;
}

/**
 * The options with their defaults.
 * @throws DayFault for a share or ring rule out of range
 */
export function settle(options: PlanOptions): { wrapUpShare: number; ring: RingRules } {
  const wrapUpShare = options.wrapUpShare ?? defaultWrapUpShare;
  if (!(wrapUpShare >= 0 && wrapUpShare <= 1)) {
    throw new DayFault(`wrapUpShare is ${wrapUpShare}.`, 'Give a share from 0 to 1.');
  }
  const ring = { ...defaultRingRules, ...options.ring };
  checkRingRules(ring);
  return { wrapUpShare, ring };
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

/** What every plan assumes, whatever it came from. */
export function commonAssumptions(wrapUpShare: number, ring: RingRules): string[] {
  const answer = `${ring.shortestAnswerSeconds} to ${ring.longestAnswerSeconds} s`;
  return [
    `Wrap-up is ${percent(wrapUpShare)} of each service; talk is the rest, so the agents' whole ` +
      'time on contacts is the service time.',
    `An agent reacts to an offer after ${answer}, uniformly; this ring time comes on top of the ` +
      'service.',
    `An agent lets ${percent(ring.missedOfferRate)} of the offers time out and rejects ` +
      `${percent(ring.rejectRate)} of them, independently of everything else.`,
    'A contact that hangs up does not call again on its account: every retry is its own arrival.',
    `Priority 2 stands for a head start of ${priorityHeadStartSeconds} s in the queue, as in the ` +
      'real centre; 0 and 1 have none.',
    'There is one queue for each type, and an agent serves the types for which they have a skill.',
  ];
}
