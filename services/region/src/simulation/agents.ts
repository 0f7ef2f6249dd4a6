import { fromTimestamp, type Random } from '@meridian/core';
import type { World } from '@meridian/testing';
import type { ContactEvent, DomainEvent } from '@meridian/wire';
import type { Publishing, RequestToPublish } from './publishing.ts';
import type { AgentPlan, Step } from './scenario.ts';

const secondMs = 1_000;

/** An agent: works as planned and answers offers as people do. */
class Agent {
  readonly #plan: AgentPlan;
  readonly #world: World;
  readonly #publisher: Publishing;
  readonly #random: Random;
  #sessions = 0;

  constructor(plan: AgentPlan, world: World, publisher: Publishing) {
    this.#plan = plan;
    this.#world = world;
    this.#publisher = publisher;
    this.#random = world.random.fork(plan.habits);
    for (const step of plan.steps) world.at(step.atMs, () => this.#do(step));
  }

  see(event: DomainEvent): void {
    switch (event.type) {
      case 'meridian.reservation.created.v1':
        this.#answer(event.subject, fromTimestamp(event.data.expiresAt));
        break;
      case 'meridian.agent.not_responding.v1':
        this.#later(5 * secondMs + this.#random.exponential(10 * secondMs), () =>
          this.#available(),
        );
        break;
      case 'meridian.contact.connected_to_agent.v1':
        if (this.#random.next() < 0.2) this.#hold(event.subject);
        break;
      case 'meridian.contact.acw_started.v1':
        // Some never finish their after-call work: its time limit ends it.
        if (this.#random.next() < 0.85) {
          this.#later(this.#random.exponential(15 * secondMs), () =>
            this.#publish({
              type: 'meridian.contact.complete_wrap_up.v1',
              subject: event.subject,
              data: { disposition: 'solved' },
            }),
          );
        }
        break;
      default:
    }
  }

  #do(step: Step): void {
    const { id: subject, skills, capacities } = this.#plan;
    switch (step.kind) {
      case 'sign_in':
      case 'supersede':
        this.#sessions += 1;
        this.#publish({
          type: 'meridian.agent.sign_in.v1',
          subject,
          data: { sessionId: `${subject}-s${this.#sessions}`, skills, capacities },
        });
        break;
      case 'sign_out':
        this.#publish({ type: 'meridian.agent.sign_out.v1', subject, data: {} });
        break;
      case 'away':
        this.#publish({
          type: 'meridian.agent.set_presence.v1',
          subject,
          data: { presence: 'AWAY', reason: step.reason },
        });
        break;
      case 'available':
        this.#available();
        break;
      default:
        step satisfies never;
    }
  }

  #available(): void {
    this.#publish({
      type: 'meridian.agent.set_presence.v1',
      subject: this.#plan.id,
      data: { presence: 'AVAILABLE' },
    });
  }

  /** Accepts, declines, does not hear it, answers twice or too late, or for somebody else. */
  #answer(subject: string, expiresAtMs: number): void {
    const agentId = this.#plan.id;
    const accept = { type: 'meridian.reservation.accept.v1', subject, data: { agentId } } as const;
    const leftMs = Math.max(0, expiresAtMs - this.#world.now());
    const soonMs = Math.min(this.#random.exponential(3 * secondMs), leftMs);
    const chance = this.#random.next();
    if (chance < 0.66) this.#later(soonMs, () => this.#publish(accept));
    else if (chance < 0.74) {
      this.#later(soonMs, () => {
        this.#publish(accept);
        this.#publish(accept);
      });
    } else if (chance < 0.84) {
      this.#later(soonMs, () =>
        this.#publish({ type: 'meridian.reservation.reject.v1', subject, data: { agentId } }),
      );
    } else if (chance < 0.92) {
      // At the very moment of its end, or a little around it.
      this.#later(leftMs - 10 + this.#random.int(20), () => this.#publish(accept));
    } else if (chance < 0.94) {
      this.#later(soonMs, () => this.#publish({ ...accept, data: { agentId: `${agentId}x` } }));
    }
  }

  #hold(subject: string): void {
    const times = 1 + this.#random.int(3);
    for (let count = 0, delayMs = 0; count < times; count += 1) {
      delayMs += this.#random.exponential(4 * secondMs);
      this.#later(delayMs, () =>
        this.#publish({ type: 'meridian.contact.hold.v1', subject, data: {} }),
      );
      delayMs += this.#random.exponential(4 * secondMs);
      this.#later(delayMs, () =>
        this.#publish({ type: 'meridian.contact.resume.v1', subject, data: {} }),
      );
    }
  }

  #later(delayMs: number, run: () => void): void {
    this.#world.after(delayMs, run);
  }

  #publish(request: RequestToPublish): void {
    this.#publisher.publish(this.#plan.id, request);
  }
}

/** Whom an event concerns; undefined when it is no agent. */
export function agentConcerned(event: DomainEvent | ContactEvent): string | undefined {
  if (event.type === 'meridian.agent.not_responding.v1') return event.subject;
  return 'agentId' in event.data ? event.data.agentId : undefined;
}

/** All agents, by id. */
export function agentsOf(
  plans: readonly AgentPlan[],
  world: World,
  publisher: Publishing,
): ReadonlyMap<string, { see(event: DomainEvent): void }> {
  return new Map(plans.map((plan) => [plan.id, new Agent(plan, world, publisher)]));
}
