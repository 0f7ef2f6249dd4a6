import { fullMesh, type Region, type Topology } from './topology.ts';

export interface DevelopmentOptions {
  /** Gives a free port on loopback at each call. */
  readonly freePort: () => Promise<number>;
  /** Default true. */
  readonly tls?: boolean;
}

const loopback = '127.0.0.1';

/**
 * The same regions on one machine: one server each, loopback, ports that are free now, no sync of
 * each write. Links of the description keep their ends; `via` is left out.
 */
export async function developmentTopology(
  names: readonly string[],
  { freePort, tls = true }: DevelopmentOptions,
): Promise<Topology> {
  const regions: Region[] = [];
  for (const name of names) {
    const [client, monitor, leaf, cluster] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const control = {
      client: await freePort(),
      monitor: await freePort(),
      cluster: await freePort(),
    };
    regions.push({
      name,
      servers: [{ name: `${name}-1`, host: loopback, ports: { client, monitor, leaf, cluster } }],
      control: { name: `control-${name}`, host: loopback, ports: control },
    });
  }
  return {
    profile: 'development',
    tls,
    regions,
    links: fullMesh(names),
    controlRoutes: fullMesh(names).map(({ from, to }) => ({ from, to })),
    store: { memory: '128MB', file: '64GB' },
    controlStore: { memory: '32MB', file: '1GB' },
  };
}
