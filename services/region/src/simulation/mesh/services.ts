import type { Routing } from '@meridian/routing';
import type { Sessions } from '@meridian/sessions';
import type { Instance, SimulatedMesh, World } from '@meridian/testing';
import {
  routingSpec,
  sessionsSpec,
  startService,
  type DeskHooks,
  type LivingService,
} from './desks.ts';
import { SimulatedEdge } from './edge.ts';
import { simulatedLeases } from './leases.ts';
import { startRecovery } from './recovery.ts';
import { regions } from './scenario.ts';

/** All that lives in a simulated mesh. */
export interface MeshServices {
  readonly world: World;
  readonly mesh: SimulatedMesh;
  readonly sessions: Map<Instance, LivingService<Sessions>>;
  readonly routing: Map<Instance, LivingService<Routing>>;
  readonly edges: Map<Instance, SimulatedEdge>;
}

export const noHooks: DeskHooks = {
  log: (log) => log,
  leases: (leases) => leases,
  ledger: (ledger) => ledger,
  onState: () => undefined,
};

/** Starts every service of every region. */
export function startServices(world: World, mesh: SimulatedMesh, hooks: DeskHooks): MeshServices {
  const services: MeshServices = {
    world,
    mesh,
    sessions: new Map(),
    routing: new Map(),
    edges: new Map(),
  };
  for (const region of mesh.regions) {
    startRecovery(mesh, region);
    startService(world, region, regions, sessionsSpec, services.sessions, hooks);
    startService(world, region, regions, routingSpec, services.routing, hooks);
    region.node('edge', (instance) => {
      const leases = simulatedLeases(region, instance, 'edge', () => ({}));
      services.edges.set(instance, new SimulatedEdge(instance, region, regions, leases));
    });
  }
  return services;
}
