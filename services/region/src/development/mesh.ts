import { mkdirSync } from 'node:fs';
import { freeLoopbackPort, type CuttableLinks } from '@meridian/testing';
import { developmentTopology, writeMesh, type Topology } from '@meridian/topology';
import { controlUrlsFrom, cuttableMesh } from './cuttable.ts';
import { meshEventStores } from './event-store.ts';
import { MeshMember } from './member.ts';
import { until } from './ports.ts';
import { hasRecovery } from './services.ts';

export interface DevelopmentMeshOptions {
  /** Where everything is kept: configurations, keys, logs, read models, output; a folder a region. */
  readonly dataDir: string;
  /** The nats-server program. */
  readonly natsServer: string;
  /** Default eu, us and ap. */
  readonly regions?: readonly string[];
  /** One process for all services of a region, or one each. Default one. */
  readonly processes?: 'together' | 'each';
  /** The port of the first region's HTTP interface; the others take the next ones. */
  readonly httpPort?: number;
  /** `driven`: time is set through the log, for days played faster than life. */
  readonly clock?: 'system' | 'driven';
  /** Further variables for the services of all regions. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further variables for the services of one region, by its name. */
  readonly environmentOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** How much each region's server may store, in nats-server's own notation. Default 64GB. */
  readonly storeLimit?: string;
  /** `control` needs the service `recovery`, and is the default where it is built. */
  readonly ownership?: 'control' | 'static';
  /**
   * Whether links, control routes and the ways to the control servers of other regions go through
   * proxies that can be cut. Default false.
   */
  readonly cuttable?: boolean;
  /** One line for each step, with how long it took. */
  readonly say?: (line: string) => void;
}

/** Regions that run on this machine, linked to each other. */
export interface DevelopmentMesh {
  readonly topology: Topology;
  readonly regions: ReadonlyMap<string, MeshMember>;
  /** Present with `cuttable`. */
  readonly links: CuttableLinks | undefined;
  /** @throws RangeError when there is no such region */
  region(name: string): MeshMember;
  stop(): Promise<void>;
}

/**
 * Starts several regions for development, all on loopback: for each a nats-server, a control server,
 * Postgres and the services. Servers of all regions start side by side, so do Postgres and services.
 * @throws Error naming the part that did not start, with the end of its output
 */
export async function startDevelopmentMesh(
  options: DevelopmentMeshOptions,
): Promise<DevelopmentMesh> {
  const { dataDir, regions = ['eu', 'us', 'ap'], say = () => {}, httpPort } = options;
  mkdirSync(dataDir, { recursive: true });
  const made = await developmentTopology(regions, { freePort: freeLoopbackPort });
  const file = options.storeLimit ?? made.store.file;
  const plain: Topology = { ...made, store: { ...made.store, file } };
  const links = options.cuttable === true ? await cuttableMesh(plain) : undefined;
  const topology = links?.topology ?? plain;
  await writeMesh(topology, dataDir);
  const eventStores = await meshEventStores(dataDir, regions);
  const ownership = options.ownership ?? (hasRecovery() ? 'control' : 'static');
  const members = new Map(
    regions.map((name, index) => [
      name,
      new MeshMember(topology, name, {
        dataDir,
        natsServer: options.natsServer,
        processes: options.processes ?? 'together',
        clock: options.clock ?? 'system',
        environment: { ...options.environment, ...options.environmentOf?.[name] },
        eventStore: eventStores.get(name),
        controlUrl: links?.controlUrls(name) ?? controlUrlsFrom(topology, name),
        ownership,
        say,
        ...(httpPort === undefined || httpPort === 0 ? {} : { httpPort: httpPort + index }),
      }),
    ]),
  );
  const all = [...members.values()];
  const killAll = (): void => {
    for (const member of all) for (const child of member.children.values()) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((member) => member.stop()));
    await links?.close();
    process.off('exit', killAll);
  };
  const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await work();
    say(`${what} (${((performance.now() - start) / 1_000).toFixed(1)} s)`);
  };
  try {
    await step(
      ownership === 'control' ? 'nats-servers and the control cluster run' : 'nats-servers run',
      () => Promise.all(all.map((member) => member.startServers())),
    );
    await step('links are up', () => linked(topology, all));
    await step(`Postgres and services of ${regions.join(', ')} run`, () =>
      Promise.all(all.map((member) => member.startServices())),
    );
    // A driven clock is set first.
    if (ownership === 'control' && options.clock !== 'driven') {
      await step('all take requests in', () => Promise.all(all.map((member) => member.whenOpen())));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const region = (name: string): MeshMember => {
    const found = members.get(name);
    if (found === undefined) throw new RangeError(`There is no region ${name} in the mesh.`);
    return found;
  };
  return { topology, regions: members, links, region, stop };
}

async function linked(topology: Topology, members: readonly MeshMember[]): Promise<void> {
  for (const { name, monitorUrl } of members) {
    const wanted = topology.links.filter(({ from, to }) => from === name || to === name).length;
    await until(`${wanted} links of ${name}`, async () => {
      const answer = await fetch(`${monitorUrl}/leafz`);
      return ((await answer.json()) as { leafnodes: number }).leafnodes >= wanted;
    });
  }
}
