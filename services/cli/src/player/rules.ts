import { seeded } from '@meridian/core';
import type { QueueSettings } from '@meridian/wire';
import { priorityHeadStartSeconds, type PlannedContact, type PlannedQueue } from '../day/index.ts';

/** How long an offer rings. */
export const offerTtlMs = 20_000;
/** A wait of at most this long counts for the service level. */
export const serviceLevelMs = 20_000;
/** One level of priority is the head start that the bank's priority contacts have. */
export const ageingMsPerLevel = priorityHeadStartSeconds * 1000;
/** An agent who let an offer ring out is back after this. */
export const comeBackMs = 30_000;
/** Share of the conversations that the agent ends and not the customer. */
export const agentHangsUpShare = 0.1;
/** The IVR flow that every customer enters. */
export const flow = 'vru';

/** How the queue of a type works. */
export function queueSettings(queue: PlannedQueue): QueueSettings {
  return {
    requirements: [{ skill: queue.skill, minimumLevel: 1 }],
    strategy: 'LONGEST_IDLE',
    offerTtlMs,
    ageingMsPerLevel,
    serviceLevelMs,
  };
}

/** The level in the queue: priority 2 has a head start of one level, 0 and 1 have none. */
export function priorityLevel(contact: Pick<PlannedContact, 'priority'>): number {
  return contact.priority === 2 ? 1 : 0;
}

/** Who ends the conversation: a function of the seed and the contact's id in the plan alone. */
export function whoHangsUp(seed: string, contactId: string): 'AGENT' | 'CUSTOMER' {
  const draw = seeded(`hang-up/${seed}/${contactId}`).next();
  return draw < agentHangsUpShare ? 'AGENT' : 'CUSTOMER';
}

/** How the agent files the contact: a function of the seed and the contact's id in the plan. */
export function dispositionOf(seed: string, contactId: string): string {
  return seeded(`disposition/${seed}/${contactId}`).pick(['resolved', 'resolved', 'follow-up']);
}

/** What the player assumes beside the plan, one sentence each. */
export const playerAssumptions: readonly string[] = [
  `Queues: an offer rings ${offerTtlMs / 1000} s, a priority level is worth ` +
    `${priorityHeadStartSeconds} s, the service level is ${serviceLevelMs / 1000} s; agents are ` +
    'chosen by the longest idle time among those with the skill.',
  `An agent who let an offer ring out is available again ${comeBackMs / 1000} s later.`,
  `${agentHangsUpShare * 100} % of the conversations are ended by the agent.`,
  'An agent who is free takes the next contact at once; pauses that real agents made between ' +
    'contacts are not in their log, so a real centre may have served fewer.',
  'The wait is from entering the queue to the answer; the ring time is part of it.',
];
