import type { Channel, Presence, QueueSettings, SkillRequirement } from '@meridian/wire';
import type { PartitionEvent } from '../src/index.ts';

/**
 * What a reader of the log alone would know of a partition: kept by the plainest means, and
 * sharing nothing with the code that decides.
 */
export interface ShadowAgent {
  id: string;
  isSignedIn: boolean;
  isSigningOut: boolean;
  presence: Presence;
  skills: Record<string, number>;
  limits: Partial<Record<Channel, number>>;
  declined: Set<string>;
}

export interface ShadowReservation {
  id: string;
  contactId: string;
  agentId: string;
  channel: Channel;
  stage: 'PENDING' | 'ACCEPTED' | 'WRAPPING';
  expiresAtMs: number;
}

export interface ShadowContact {
  id: string;
  queueId: string;
  channel: Channel;
  priority: number;
  own: readonly SkillRequirement[];
  enqueuedAtMs: number;
}

export class Shadow {
  readonly agents = new Map<string, ShadowAgent>();
  readonly queues = new Map<string, QueueSettings>();
  readonly waiting = new Map<string, ShadowContact>();
  readonly contacts = new Map<string, ShadowContact>();
  readonly live = new Map<string, ShadowReservation>();

  agent(id: string): ShadowAgent {
    const agent = this.agents.get(id) ?? {
      id,
      isSignedIn: false,
      isSigningOut: false,
      presence: 'OFFLINE',
      skills: {},
      limits: {},
      declined: new Set(),
    };
    this.agents.set(id, agent);
    return agent;
  }

  openOf(agentId: string, channel?: Channel): ShadowReservation[] {
    return [...this.live.values()].filter(
      (one) => one.agentId === agentId && (channel === undefined || one.channel === channel),
    );
  }

  /** Whether an agent could be offered a contact now, by the words of the issue. */
  canServe(agent: ShadowAgent, contact: ShadowContact): boolean {
    const settings = this.queues.get(contact.queueId);
    if (settings === undefined || !agent.isSignedIn || agent.isSigningOut) return false;
    if (agent.presence !== 'AVAILABLE' || agent.declined.has(contact.id)) return false;
    if (this.openOf(agent.id, contact.channel).length >= (agent.limits[contact.channel] ?? 0)) {
      return false;
    }
    return [...(settings.requirements ?? []), ...contact.own].every(
      ({ skill, minimumLevel }) => (agent.skills[skill] ?? 0) >= minimumLevel,
    );
  }

  /** The waiting contacts that an agent could serve, first to be served first. */
  servable(agent: ShadowAgent): ShadowContact[] {
    const rank = (contact: ShadowContact): number =>
      contact.enqueuedAtMs -
      contact.priority * (this.queues.get(contact.queueId) as QueueSettings).ageingMsPerLevel;
    return [...this.waiting.values()]
      .filter((contact) => this.canServe(agent, contact))
      .toSorted(
        (a, b) => rank(a) - rank(b) || a.enqueuedAtMs - b.enqueuedAtMs || (a.id < b.id ? -1 : 1),
      );
  }

  apply(event: PartitionEvent): void {
    const { subject } = event;
    switch (event.type) {
      case 'meridian.agent.signed_in.v1': {
        const { skills, capacities, presence } = event.data;
        Object.assign(this.agent(subject), {
          isSignedIn: true,
          isSigningOut: false,
          presence,
          skills: Object.fromEntries(skills.map(({ skill, level }) => [skill, level])),
          limits: Object.fromEntries(capacities.map(({ channel, limit }) => [channel, limit])),
        });
        break;
      }
      case 'meridian.agent.signed_out.v1':
        Object.assign(this.agent(subject), {
          isSignedIn: false,
          isSigningOut: false,
          presence: 'OFFLINE',
          declined: new Set(),
        });
        break;
      case 'meridian.agent.sign_out_requested.v1':
        this.agent(subject).isSigningOut = true;
        break;
      case 'meridian.agent.session_superseded.v1':
        this.agent(subject).isSigningOut = false;
        break;
      case 'meridian.agent.state_changed.v1':
        this.agent(subject).presence = event.data.to;
        if (event.data.to === 'AVAILABLE') this.agent(subject).declined.clear();
        break;
      case 'meridian.agent.skills_changed.v1':
        this.agent(subject).skills = Object.fromEntries(
          event.data.skills.map(({ skill, level }) => [skill, level]),
        );
        break;
      case 'meridian.agent.capacity_changed.v1':
        this.agent(subject).limits = Object.fromEntries(
          event.data.capacities.map(({ channel, limit }) => [channel, limit]),
        );
        break;
      case 'meridian.agent.not_responding.v1':
        this.agent(subject).presence = 'NOT_RESPONDING';
        break;
      case 'meridian.queue.created.v1':
      case 'meridian.queue.updated.v1':
        this.queues.set(subject, event.data.settings);
        break;
      case 'meridian.queue.deleted.v1':
        this.queues.delete(subject);
        break;
      case 'meridian.routing.withdrawn.v1':
        this.waiting.delete(subject);
        this.contacts.delete(subject);
        break;
      default:
        this.applyRouting(event);
    }
  }

  private applyRouting(event: Extract<PartitionEvent, { type: `meridian.r${string}` }>): void {
    const { subject } = event;
    // The shadow knows one partition: nobody lends.
    if (
      event.type === 'meridian.routing.withdrawn.v1' ||
      event.type === 'meridian.routing.lent.v1' ||
      event.type === 'meridian.routing.returned.v1'
    ) {
      return;
    }
    if (event.type === 'meridian.routing.decided.v1') {
      const {
        queueId,
        channel,
        priority = 0,
        contactRequirements: own,
        enqueuedAt,
        outcome,
      } = event.data;
      const contact = {
        id: subject,
        queueId,
        channel,
        priority,
        own,
        enqueuedAtMs: Date.parse(enqueuedAt),
      };
      this.contacts.set(subject, contact);
      if (outcome === 'OFFERED') this.waiting.delete(subject);
      else this.waiting.set(subject, contact);
      return;
    }
    const { contactId, agentId } = event.data;
    const reservation = this.live.get(subject);
    switch (event.type) {
      case 'meridian.reservation.created.v1': {
        const { channel, expiresAt } = event.data;
        this.live.set(subject, {
          id: subject,
          contactId,
          agentId,
          channel,
          stage: 'PENDING',
          expiresAtMs: Date.parse(expiresAt),
        });
        break;
      }
      case 'meridian.reservation.accepted.v1':
        if (reservation !== undefined) reservation.stage = 'ACCEPTED';
        this.contacts.delete(contactId);
        break;
      case 'meridian.reservation.wrapping.v1':
        if (reservation !== undefined) reservation.stage = 'WRAPPING';
        break;
      default: {
        this.live.delete(subject);
        if (event.type === 'meridian.reservation.rejected.v1') {
          this.agent(agentId).declined.add(contactId);
        }
        const place = this.contacts.get(contactId);
        if (reservation?.stage === 'PENDING' && place !== undefined) {
          this.waiting.set(contactId, place);
        }
      }
    }
  }
}
