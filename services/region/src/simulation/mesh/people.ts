import type { SimulatedMesh } from '@meridian/testing';
import type { ContactEvent, DomainEvent } from '@meridian/wire';
import { agentConcerned, agentsOf } from '../agents.ts';
import { customersOf } from '../customers.ts';
import { watch } from './audience.ts';
import { canonOf } from './canon.ts';
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
  const customersById = customersOf(customers, world, clients);
  const agentsById = agentsOf(agents, world, clients);
  for (const home of regions) {
    watch(world, mesh, home, ({ region, ...event }) => {
      // What a partition says of a contact bears the home of the partition, which may be another.
      if (!event.type.startsWith('meridian.routing.')) clients.saw(event.subject, region);
      const seen = event as unknown as DomainEvent;
      if (homes.get(seen.subject) === home) {
        customersById.get(seen.subject)?.see(seen as ContactEvent);
      }
      const agentId = agentConcerned(seen) ?? '';
      if (homes.get(agentId) === home) agentsById.get(agentId)?.see(seen);
    });
  }
  for (let count = 0; count < 8; count += 1) {
    world.at(horizonMs + 15_000 + count * 25_000, () => closeWhatIsOpen(mesh, clients));
  }
  return clients;
}

/**
 * When the day is over, somebody hangs up for who is still there, and wraps up. They go by what
 * counts: who saw a call end may have seen what was lost with the power, or lay beyond a seal.
 */
function closeWhatIsOpen(mesh: SimulatedMesh, clients: Clients): void {
  const region = mesh.regions.find(({ isUp }) => isUp);
  if (region === undefined) return;
  const open = new Map<string, 'there' | 'gone'>();
  for (const { entry } of [...canonOf(region).homes.values()].flat()) {
    for (const { type, subject } of entry.events) {
      if (type === 'meridian.contact.initiated.v1') open.set(subject, 'there');
      else if (type === 'meridian.contact.disconnected.v1') open.set(subject, 'gone');
      else if (contactEnds.has(type)) open.delete(subject);
    }
  }
  for (const [subject, state] of open) {
    clients.publish(
      subject,
      state === 'gone'
        ? {
            type: 'meridian.contact.complete_wrap_up.v1',
            subject,
            data: { disposition: 'solved' },
          }
        : { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'CUSTOMER' } },
    );
  }
}
