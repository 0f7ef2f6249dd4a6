import { CuttableProxy, cuttableLinks, type Cut, type CuttableLinks } from '@meridian/testing';
import { controlUrls, regionNames, regionOf, type Topology } from '@meridian/topology';

/** Everything that leads from one region of a mesh to another, each through a proxy. */
export interface CuttableMesh extends CuttableLinks {
  /** The control servers as a region reaches them: its own first, the others through proxies. */
  controlUrls(region: string): string;
}

const oppositeOf = { forward: 'backward', backward: 'forward', both: 'both' } as const;

const reverse = ({ by, direction = 'both' }: Cut): Cut => ({
  by,
  ...(by === 'reset' ? {} : { direction: oppositeOf[direction] }),
});

/** The control servers of a mesh, that of a region first: nothing leaves it while that one lives. */
export function controlUrlsFrom(topology: Topology, region: string): string {
  const { host, ports } = regionOf(topology, region).control;
  const own = `${host}:${ports.client}`;
  return controlUrls(topology)
    .split(',')
    .toSorted((a, b) => Number(b.endsWith(`//${own}`)) - Number(a.endsWith(`//${own}`)))
    .join(',');
}

/**
 * Puts a proxy in front of each link, each control route, and each way from a region's recovery to
 * the control server of another: who is cut off cannot renew its lease through a side door.
 */
export async function cuttableMesh(plain: Topology): Promise<CuttableMesh> {
  const links = await cuttableLinks(plain);
  const names = regionNames(plain);
  const ways = new Map<string, CuttableProxy>();
  for (const from of names) {
    for (const to of names) {
      if (from === to) continue;
      const { ports } = regionOf(plain, to).control;
      ways.set(`${from}>${to}`, await CuttableProxy.start(ports.client));
    }
  }
  const between = (
    some: readonly string[],
    others: readonly string[],
    act: (proxy: CuttableProxy, isReverse: boolean) => void,
  ): void => {
    for (const one of some) {
      for (const other of others) {
        const [there, back] = [ways.get(`${one}>${other}`), ways.get(`${other}>${one}`)];
        if (there !== undefined) act(there, false);
        if (back !== undefined) act(back, true);
      }
    }
  };
  return {
    topology: links.topology,
    link: (from, to) => links.link(from, to),
    route: (from, to) => links.route(from, to),
    cut(some, others, cut) {
      links.cut(some, others, cut);
      between(some, others, (proxy, isReverse) => proxy.cut(isReverse ? reverse(cut) : cut));
    },
    heal(some, others) {
      links.heal(some, others);
      between(some ?? names, others ?? names, (proxy) => proxy.heal());
    },
    delay(some, others, ms) {
      links.delay(some, others, ms);
      between(some, others, (proxy) => proxy.delay(ms));
    },
    async close() {
      await links.close();
      await Promise.all([...ways.values()].map((one) => one.close()));
    },
    controlUrls(region) {
      const { host, ports } = regionOf(plain, region).control;
      const others = names
        .filter((name) => name !== region)
        .map((name) => `nats://127.0.0.1:${ways.get(`${region}>${name}`)?.port}`);
      return [`nats://${host}:${ports.client}`, ...others].join(',');
    },
  };
}
