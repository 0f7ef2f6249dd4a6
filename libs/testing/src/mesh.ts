import { connectNats, type ConnectOptions } from '@meridian/journal';
import {
  controlUrls,
  developmentTopology,
  locationsIn,
  regionFiles,
  regionNames,
  regionOf,
  writeMesh,
  type Topology,
} from '@meridian/topology';
import type { NatsConnection } from '@nats-io/nats-core';
import { eventually } from './eventually.ts';
import { cuttableLinks, type CuttableLinks } from './mesh-links.ts';
import { freeLoopbackPort } from './mesh-ports.ts';
import { startNatsServer, type NatsServer } from './nats-server.ts';
import { temporaryFolder } from './temporary.ts';

export interface MeshOptions {
  /** Default eu, us and ap. */
  readonly regions?: readonly string[];
  /** Which of them are started; the others by `start`. Default all. */
  readonly started?: readonly string[];
  /** Whether there is a control cluster. Default false. */
  readonly control?: boolean;
  /** Whether links and control routes are encrypted. Default false, which starts faster. */
  readonly tls?: boolean;
  /** Changes the servers' configurations before they are written. */
  readonly adapt?: (topology: Topology) => Topology;
}

/** A nats-server of a mesh, started or not. */
export class MeshServer {
  readonly name: string;
  readonly url: string;
  readonly monitorUrl: string;
  readonly storeDir: string;
  readonly #configFile: string;
  readonly #port: number;
  #server: NatsServer | undefined;

  constructor(options: {
    readonly name: string;
    readonly port: number;
    readonly monitorPort: number;
    readonly configFile: string;
    readonly storeDir: string;
  }) {
    this.name = options.name;
    this.url = `nats://127.0.0.1:${options.port}`;
    this.monitorUrl = `http://127.0.0.1:${options.monitorPort}`;
    this.storeDir = options.storeDir;
    this.#configFile = options.configFile;
    this.#port = options.port;
  }

  /** The process's id; 0 while there is none. */
  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** What the server logged last. */
  get log(): readonly string[] {
    return this.#server?.log ?? [];
  }

  /** Starts it, again too, on its port and store. */
  async start(): Promise<void> {
    if (this.#server === undefined) {
      this.#server = await startNatsServer({
        configFile: this.#configFile,
        storeDir: this.storeDir,
        port: this.#port,
      });
    } else if (this.#server.pid === 0) await this.#server.restart();
  }

  /** Ends the process (SIGKILL by default) and resolves once it is gone. The store stays. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#server?.kill(signal);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Stops the process in its tracks (SIGSTOP): connections stay, nothing is answered. */
  pause(): void {
    if (this.pid !== 0) process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.pid !== 0) process.kill(this.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }
}

/** A region of a mesh: its server, and its control server if the mesh has a control cluster. */
export interface MeshRegion {
  readonly name: string;
  readonly server: MeshServer;
  readonly control: MeshServer | undefined;
  /** The seed files of its users. */
  readonly seeds: {
    readonly services: string;
    readonly publisher: string;
    readonly control: string;
    readonly system: string;
  };
  /** Starts what of it does not run. */
  start(): Promise<void>;
  /** Ends everything of it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Connects as the region's services do. */
  connect(options?: ConnectOptions): Promise<NatsConnection>;
  /** Connects to the control cluster as the region's recovery does: to all its servers. */
  connectControl(options?: ConnectOptions): Promise<NatsConnection>;
}

/** Regions of real nats-servers on loopback, linked through proxies that can be cut. */
export interface Mesh {
  readonly topology: Topology;
  /** Configurations, keys and stores: temporary. */
  readonly folder: string;
  readonly links: CuttableLinks;
  readonly regions: ReadonlyMap<string, MeshRegion>;
  /** @throws RangeError when there is no such region */
  region(name: string): MeshRegion;
  /** Waits until every link between regions that run is up. */
  linked(): Promise<void>;
  /** Ends all processes, closes proxies, removes files. */
  stop(): Promise<void>;
}

/** Starts a mesh and resolves once its servers take connections and the links are up. */
export async function startMesh(options: MeshOptions = {}): Promise<Mesh> {
  const { regions = ['eu', 'us', 'ap'], control = false, tls = false, adapt } = options;
  const folder = temporaryFolder('meridian-mesh-');
  const plain = await developmentTopology(regions, { freePort: freeLoopbackPort, tls });
  const links = await cuttableLinks(adapt?.(plain) ?? plain);
  const { topology } = links;
  await writeMesh(topology, folder.path);
  const byName = new Map(
    regionNames(topology).map((name) => [name, meshRegion(topology, folder.path, name, control)]),
  );
  const region = (name: string): MeshRegion => {
    const found = byName.get(name);
    if (found === undefined) throw new RangeError(`There is no region ${name} in the mesh.`);
    return found;
  };
  const linked = async (): Promise<void> => {
    const running = [...byName.values()].filter(({ server }) => server.pid !== 0);
    const names = new Set(running.map(({ name }) => name));
    for (const one of running) {
      const wanted = topology.links.filter(
        ({ from, to }) =>
          (from === one.name || to === one.name) && names.has(from) && names.has(to),
      ).length;
      await eventually(`${wanted} links of ${one.name}`, async () => {
        const answer = await fetch(`${one.server.monitorUrl}/leafz`);
        return ((await answer.json()) as { leafnodes: number }).leafnodes >= wanted;
      });
    }
  };
  const stop = async (): Promise<void> => {
    const servers = [...byName.values()].flatMap((one) => [one.server, one.control ?? []].flat());
    await Promise.all(servers.map((server) => server.stop()));
    await links.close();
    folder.remove();
  };
  try {
    await Promise.all((options.started ?? regions).map((name) => region(name).start()));
    await linked();
  } catch (error) {
    await stop();
    throw error;
  }
  return { topology, folder: folder.path, links, regions: byName, region, linked, stop };
}

function meshRegion(
  topology: Topology,
  folder: string,
  name: string,
  withControl: boolean,
): MeshRegion {
  const region = regionOf(topology, name);
  const files = regionFiles(topology, folder, name);
  const meshServer = (
    one: { readonly name: string; readonly ports: { client: number; monitor: number } },
    configFile: string,
  ): MeshServer =>
    new MeshServer({
      name: one.name,
      port: one.ports.client,
      monitorPort: one.ports.monitor,
      configFile,
      storeDir: locationsIn(folder).store(name, one.name),
    });
  const server = meshServer(
    region.servers[0] as (typeof region.servers)[0],
    files.servers[0] as string,
  );
  const control = withControl ? meshServer(region.control, files.control) : undefined;
  const both = control === undefined ? [server] : [server, control];
  return {
    name,
    server,
    control,
    seeds: {
      services: files.servicesSeed,
      publisher: files.publisherSeed,
      control: files.controlSeed,
      system: files.systemSeed,
    },
    async start() {
      await Promise.all(both.map((one) => one.start()));
    },
    async kill() {
      await Promise.all(both.map((one) => one.kill()));
    },
    connect: (given) =>
      connectNats({
        servers: server.url,
        name: `meridian-${name}`,
        seedFile: files.servicesSeed,
        ...given,
      }),
    connectControl: (given) =>
      connectNats({
        servers: controlUrls(topology).split(','),
        name: `meridian-control-${name}`,
        seedFile: files.controlSeed,
        ...given,
      }),
  };
}
