import type { Routing } from '@meridian/routing';
import type { Sessions } from '@meridian/sessions';
import type { Instance, SimulatedMesh, World } from '@meridian/testing';
import {
  routingSpec,
  sessionsSpec,
  startService,
  type LivingService,
  type Oversight,
} from './desks.ts';
import { SimulatedEdge } from './edge.ts';
import { simulatedLeases } from './leases.ts';
import { startRecovery } from './recovery.ts';
import { regions } from './scenario.ts';
import type { Watch } from './watch.ts';

/** All that lives in a simulated mesh. */
export interface MeshServices {
  readonly world: World;
  readonly mesh: SimulatedMesh;
  readonly sessions: Map<Instance, LivingService<Sessions>>;
  readonly routing: Map<Instance, LivingService<Routing>>;
  readonly edges: Map<Instance, SimulatedEdge>;
  readonly watch: Watch;
}

/** Starts every service of every region. */
export function startServices(
  world: World,
  mesh: SimulatedMesh,
  oversight: Oversight,
): MeshServices {
  const services: MeshServices = {
    world,
    mesh,
    sessions: new Map(),
    routing: new Map(),
    edges: new Map(),
    watch: oversight.watch,
  };
  for (const region of mesh.regions) {
    startRecovery(mesh, region, oversight);
    startService(region, regions, sessionsSpec, services.sessions, oversight);
    startService(region, regions, routingSpec, services.routing, oversight);
    region.node('edge', (instance) => {
      const leases = simulatedLeases(region, instance, 'edge', () => ({}));
      services.edges.set(instance, new SimulatedEdge(instance, region, regions, leases));
    });
  }
  return services;
}
