import type { World } from '@meridian/testing';
import type { ContactEvent, DomainEvent } from '@meridian/wire';
import { agentConcerned, agentsOf } from '../agents.ts';
import { customersOf } from '../customers.ts';
import { watch } from './audience.ts';
import { Clients } from './clients.ts';
import { regions, type MeshScenario } from './scenario.ts';
import type { MeshServices } from './services.ts';

/** How long a log knows a message id in the world, in ms: short, so that repeats outlive it. */
export const duplicateWindowMs = 20_000;

const contactEnds = new Set<string>(
  ['completed', 'abandoned', 'orphan_reaped'].map((what) => `meridian.contact.${what}.v1`),
);

/** Customers, agents and an administrator, and what they see. */
export function populate({ world, mesh, edges }: MeshServices, scenario: MeshScenario): Clients {
  const { customers, agents, queues, moves, horizonMs } = scenario;
  const homes = new Map([...customers, ...agents].map(({ id, home }) => [id, home]));
  const clients = new Clients({
    world,
    mesh,
    edgeOf: (region) => {
      const node = mesh.region(region).nodes.find(({ name }) => name === `${region}.edge`);
      const instance = node?.instances.at(-1);
      return instance && edges.get(instance);
    },
    homeOf: (who) => homes.get(who) ?? regions[0],
    windowMs: duplicateWindowMs,
    untilMs: horizonMs,
  });
  for (const { id: subject, settings } of queues) {
    for (const { atMs, settings: each } of settings) {
      world.at(atMs, () =>
        clients.publish('admin', {
          type: 'meridian.queue.configure.v1',
          subject,
          data: { settings: each },
        }),
      );
    }
  }
  for (const { atMs, home, to } of moves) {
    world.at(atMs, () =>
      clients.publish('sre', {
        type: 'meridian.failover.request.v1',
        subject: home,
        data: { to, kind: 'PLANNED' },
      }),
    );
  }
  const completed = new Set<string>();
  const customersById = customersOf(customers, world, clients);
  const agentsById = agentsOf(agents, world, clients);
  for (const home of regions) {
    watch(world, mesh, home, ({ region, ...event }) => {
      // What a partition says of a contact bears the home of the partition, which may be another.
      if (!event.type.startsWith('meridian.routing.')) clients.saw(event.subject, region);
      const seen = event as unknown as DomainEvent;
      if (contactEnds.has(seen.type)) completed.add(seen.subject);
      if (homes.get(seen.subject) === home) {
        customersById.get(seen.subject)?.see(seen as ContactEvent);
      }
      const agentId = agentConcerned(seen) ?? '';
      if (homes.get(agentId) === home) agentsById.get(agentId)?.see(seen);
    });
  }
  for (const { id } of customers) {
    closeInTheEnd(world, clients, id, horizonMs, {
      isGone: () => customersById.get(id)?.isGone === true,
      isCompleted: () => completed.has(id),
    });
  }
  return clients;
}

/** Somebody who is still there when the day is over hangs up, and wraps up, again and again. */
function closeInTheEnd(
  world: World,
  clients: Clients,
  subject: string,
  horizonMs: number,
  contact: { readonly isGone: () => boolean; readonly isCompleted: () => boolean },
): void {
  for (let count = 0; count < 8; count += 1) {
    world.at(horizonMs + 15_000 + count * 25_000, () => {
      if (contact.isCompleted()) return;
      if (contact.isGone()) {
        clients.publish(subject, {
          type: 'meridian.contact.complete_wrap_up.v1',
          subject,
          data: { disposition: 'solved' },
        });
      } else {
        clients.publish(subject, {
          type: 'meridian.contact.hang_up.v1',
          subject,
          data: { by: 'CUSTOMER' },
        });
      }
    });
  }
}
