import type { Task, World } from '@meridian/testing';
import type { ContactEvent } from '@meridian/wire';
import type { Publishing } from './publishing.ts';
import type { CustomerPlan } from './scenario.ts';

/** A customer, who does as planned and reacts to what becomes of the contact. */
class Customer {
  readonly #plan: CustomerPlan;
  readonly #world: World;
  readonly #publisher: Publishing;
  #patience: Task | undefined;
  #isConnected = false;
  #isGone = false;

  constructor(plan: CustomerPlan, world: World, publisher: Publishing) {
    this.#plan = plan;
    this.#world = world;
    this.#publisher = publisher;
    world.at(plan.arrivesMs, () => this.#arrive());
  }

  /** Whether the contact has come to its end, as far as the customer has heard. */
  get isGone(): boolean {
    return this.#isGone;
  }

  see(event: ContactEvent): void {
    switch (event.type) {
      case 'meridian.contact.offered.v1':
        if (this.#plan.leavesWhenOffered) this.#hangUp();
        break;
      case 'meridian.contact.connected_to_agent.v1':
        this.#isConnected = true;
        this.#world.cancel(this.#patience);
        if (this.#plan.endsBy !== 'NOBODY') {
          this.#world.after(this.#plan.talkMs, () =>
            this.#hangUp(this.#plan.endsBy as 'CUSTOMER' | 'AGENT'),
          );
        }
        break;
      case 'meridian.contact.abandoned.v1':
      case 'meridian.contact.disconnected.v1':
      case 'meridian.contact.orphan_reaped.v1':
        this.#world.cancel(this.#patience);
        this.#isGone = true;
        break;
      default:
    }
  }

  #arrive(): void {
    const { id: subject, channel, flow, ivrMs, impulseMs, attributesMs } = this.#plan;
    this.#publisher.publish(subject, {
      type: 'meridian.contact.initiate.v1',
      subject,
      data: { method: 'INBOUND', channel, ...(flow === undefined ? {} : { flow }) },
    });
    this.#world.after(ivrMs, () => this.#leaveIvr());
    if (impulseMs !== undefined) this.#world.after(impulseMs, () => this.#hangUp());
    for (const [index, afterMs] of attributesMs.entries()) {
      this.#world.after(afterMs, () => {
        // The same name again and again: what is decided twice out of turn shows.
        this.#publisher.publish(subject, {
          type: 'meridian.contact.update_attributes.v1',
          subject,
          data: { attributes: { mood: `${index}` } },
        });
      });
    }
  }

  #leaveIvr(): void {
    const { id: subject, exit, queueId, priority, requirements, patienceMs } = this.#plan;
    if (this.#isGone || exit === 'STAY') return;
    if (exit === 'LEAVE') {
      this.#hangUp();
      return;
    }
    this.#publisher.publish(subject, {
      type: 'meridian.contact.enter_queue.v1',
      subject,
      data: { queueId, priority, requirements },
    });
    if (patienceMs === Infinity || this.#isConnected) return;
    this.#patience = this.#world.after(patienceMs, () => this.#hangUp());
  }

  #hangUp(by: 'CUSTOMER' | 'AGENT' = 'CUSTOMER'): void {
    if (this.#isGone) return;
    const { id: subject } = this.#plan;
    this.#publisher.publish(subject, {
      type: 'meridian.contact.hang_up.v1',
      subject,
      data: { by },
    });
  }
}

/** All customers, by contact. */
export function customersOf(
  plans: readonly CustomerPlan[],
  world: World,
  publisher: Publishing,
): ReadonlyMap<string, { readonly isGone: boolean; see(event: ContactEvent): void }> {
  return new Map(plans.map((plan) => [plan.id, new Customer(plan, world, publisher)]));
}
