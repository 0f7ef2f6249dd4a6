import { toTimestamp, unreachable } from '@meridian/core';
import type { DomainCommand } from '@meridian/wire';
import type { DayPlan, PlannedContact } from '../day/index.ts';
import type { Action } from './action.ts';
import type { Cast } from './cast.ts';
import type { PlayerRequest } from './edge.ts';
import type { RunNames } from './names.ts';
import type { Placement } from './placement.ts';
import { dispositionOf, flow, priorityLevel, queueSettings, whoHangsUp } from './rules.ts';

/**
 * Words actions as requests. The id and the data of a request follow from the action and the
 * plan alone: asked for again, after a failure or in another process, it is the same request.
 */
export class Requests {
  readonly #plan: DayPlan;
  readonly #names: RunNames;
  readonly #placement: Placement;
  readonly #agents: ReadonlyMap<string, DayPlan['agents'][number]>;
  readonly #queues: ReadonlyMap<string, DayPlan['queues'][number]>;

  constructor(plan: DayPlan, names: RunNames, placement: Placement) {
    this.#plan = plan;
    this.#names = names;
    this.#placement = placement;
    this.#agents = new Map(plan.agents.map((agent) => [agent.id, agent]));
    this.#queues = new Map(plan.queues.map((queue) => [queue.id, queue]));
  }

  /**
   * @param cast knows whom the offer of an ACCEPT or REJECT is for
   * @param at the time of the log at which it is made, epoch ms
   * @returns undefined when there is nothing to ask any more
   */
  of(action: Action, cast: Pick<Cast, 'offer'>, at: number): PlayerRequest | undefined {
    const command = this.#command(action, cast);
    if (command === undefined) return undefined;
    const { kind, subject, ordinal } = action;
    const region = this.#placement.homeOf(action);
    return {
      specversion: '1.0',
      id: `${subject}/${kind.toLowerCase()}/${ordinal}`,
      source: this.#names.source,
      time: toTimestamp(at),
      ...(region !== undefined && { region }),
      ...command,
    };
  }

  #command(action: Action, cast: Pick<Cast, 'offer'>): DomainCommand | undefined {
    const { kind, subject } = action;
    switch (kind) {
      case 'CONFIGURE_QUEUE': {
        const queue = this.#queues.get(subject);
        if (queue === undefined) return undefined;
        const settings = queueSettings(queue);
        return { type: 'meridian.queue.configure.v1', subject, data: { settings } };
      }
      case 'SIGN_IN':
        return this.#signIn(action);
      case 'SIGN_OUT':
        return { type: 'meridian.agent.sign_out.v1', subject, data: {} };
      case 'COME_BACK':
        return { type: 'meridian.agent.set_presence.v1', subject, data: { presence: 'AVAILABLE' } };
      case 'ACCEPT':
      case 'REJECT': {
        const offer = cast.offer(subject);
        if (offer === undefined) return undefined;
        const data = { agentId: offer.agentId };
        if (kind === 'ACCEPT') return { type: 'meridian.reservation.accept.v1', subject, data };
        const because = { ...data, reason: 'declined' };
        return { type: 'meridian.reservation.reject.v1', subject, data: because };
      }
      case 'ARRIVE':
      case 'LEAVE_IVR':
      case 'LOSE_PATIENCE':
      case 'HANG_UP':
      case 'COMPLETE_WRAP_UP': {
        const contact = this.#names.planned(subject);
        return contact === undefined ? undefined : this.#ofContact(kind, subject, contact);
      }
      default:
        return unreachable(kind);
    }
  }

  #signIn({ subject, ordinal }: Action): DomainCommand | undefined {
    const agent = this.#agents.get(subject);
    if (agent === undefined) return undefined;
    return {
      type: 'meridian.agent.sign_in.v1',
      subject,
      data: {
        sessionId: this.#names.sessionId(subject, ordinal),
        skills: agent.skills,
        capacities: [{ channel: 'VOICE', limit: 1 }],
        presence: 'AVAILABLE',
      },
    };
  }

  #ofContact(
    kind: 'ARRIVE' | 'LEAVE_IVR' | 'LOSE_PATIENCE' | 'HANG_UP' | 'COMPLETE_WRAP_UP',
    subject: string,
    contact: PlannedContact,
  ): DomainCommand {
    const { seed } = this.#plan;
    switch (kind) {
      case 'ARRIVE': {
        const { customer } = contact;
        const data = { method: 'INBOUND', channel: 'VOICE', flow } as const;
        return {
          type: 'meridian.contact.initiate.v1',
          subject,
          data: customer === undefined ? data : { ...data, customer },
        };
      }
      case 'LEAVE_IVR':
        if (contact.leavesInIvr) return hangUp(subject, 'CUSTOMER', 'left in the IVR');
        return {
          type: 'meridian.contact.enter_queue.v1',
          subject,
          data: { queueId: contact.type, priority: priorityLevel(contact) },
        };
      case 'LOSE_PATIENCE':
        return hangUp(subject, 'CUSTOMER', 'lost patience');
      case 'HANG_UP':
        return hangUp(subject, whoHangsUp(seed, contact.id), 'done');
      case 'COMPLETE_WRAP_UP':
        return {
          type: 'meridian.contact.complete_wrap_up.v1',
          subject,
          data: { disposition: dispositionOf(seed, contact.id) },
        };
      default:
        return unreachable(kind);
    }
  }
}

function hangUp(subject: string, by: 'AGENT' | 'CUSTOMER', reason: string): DomainCommand {
  return { type: 'meridian.contact.hang_up.v1', subject, data: { by, reason } };
}
