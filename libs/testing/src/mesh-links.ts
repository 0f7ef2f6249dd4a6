import { regionOf, type ControlRoute, type Link, type Topology } from '@meridian/topology';
import { CuttableProxy, type Cut } from './mesh-proxy.ts';

/** The links and control routes of a mesh, each through a proxy that can be cut. */
export interface CuttableLinks {
  /** The same mesh, dialling the proxies. */
  readonly topology: Topology;
  /** The leaf link that `from` dials to `to`. */
  link(from: string, to: string): CuttableProxy;
  /** The route that the control server of `from` dials to that of `to`. */
  route(from: string, to: string): CuttableProxy;
  /**
   * Cuts everything between two groups of regions: links and control routes of both directions of
   * dialling. `direction: 'forward'` loses what the first group sends to the second.
   */
  cut(some: readonly string[], others: readonly string[], cut: Cut): void;
  /** Heals everything between two groups of regions; without arguments, everything. */
  heal(some?: readonly string[], others?: readonly string[]): void;
  /** Delays everything each way between two groups, in milliseconds. */
  delay(some: readonly string[], others: readonly string[], ms: number): void;
  close(): Promise<void>;
}

const keyOf = (from: string, to: string): string => `${from}>${to}`;

const reverse = ({ by, direction }: Cut): Cut => ({
  by,
  ...(direction === undefined
    ? {}
    : {
        direction:
          direction === 'forward' ? 'backward' : direction === 'backward' ? 'forward' : 'both',
      }),
});

/** Puts a proxy in front of each leaf port and control port, one for each who dials it. */
export async function cuttableLinks(topology: Topology): Promise<CuttableLinks> {
  const links = new Map<string, CuttableProxy>();
  const routes = new Map<string, CuttableProxy>();
  // What control servers tell each other about themselves must not lead past the proxies.
  const nowhere = await CuttableProxy.start(1);
  nowhere.cut({ by: 'reset' });
  for (const { from, to } of topology.links) {
    const [server] = regionOf(topology, to).servers;
    links.set(
      keyOf(from, to),
      await CuttableProxy.start((server as { ports: { leaf: number } }).ports.leaf),
    );
  }
  for (const { from, to } of topology.controlRoutes) {
    const { ports } = regionOf(topology, to).control;
    routes.set(keyOf(from, to), await CuttableProxy.start(ports.cluster));
  }
  const find = (proxies: Map<string, CuttableProxy>, from: string, to: string): CuttableProxy => {
    const proxy = proxies.get(keyOf(from, to));
    if (proxy === undefined) throw new RangeError(`Nothing leads from ${from} to ${to}.`);
    return proxy;
  };
  const between = (
    some: readonly string[],
    others: readonly string[],
    act: (proxy: CuttableProxy, isReverse: boolean) => void,
  ): void => {
    for (const one of some) {
      for (const other of others) {
        for (const proxies of [links, routes]) {
          const there = proxies.get(keyOf(one, other));
          const back = proxies.get(keyOf(other, one));
          if (there !== undefined) act(there, false);
          if (back !== undefined) act(back, true);
        }
      }
    }
  };
  const through = (proxy: CuttableProxy | undefined) => ({
    host: '127.0.0.1',
    port: (proxy as CuttableProxy).port,
  });
  return {
    topology: {
      ...topology,
      regions: topology.regions.map((region) => ({
        ...region,
        control: { ...region.control, advertise: through(nowhere) },
      })),
      links: topology.links.map(({ from, to }): Link => ({
        from,
        to,
        via: [through(links.get(keyOf(from, to)))],
      })),
      controlRoutes: topology.controlRoutes.map(({ from, to }): ControlRoute => ({
        from,
        to,
        via: through(routes.get(keyOf(from, to))),
      })),
    },
    link: (from, to) => find(links, from, to),
    route: (from, to) => find(routes, from, to),
    cut: (some, others, cut) =>
      between(some, others, (proxy, isReverse) => proxy.cut(isReverse ? reverse(cut) : cut)),
    heal(some, others) {
      if (some === undefined || others === undefined) {
        for (const proxy of [...links.values(), ...routes.values()]) proxy.heal();
      } else between(some, others, (proxy) => proxy.heal());
    },
    delay: (some, others, ms) => between(some, others, (proxy) => proxy.delay(ms)),
    async close() {
      await Promise.all([nowhere, ...links.values(), ...routes.values()].map((one) => one.close()));
    },
  };
}
