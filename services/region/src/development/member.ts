import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type Postgres } from '@meridian/readmodel';
import { clientUrls, regionFiles, regionNames, regionOf, type Topology } from '@meridian/topology';
import type { Child } from './child.ts';
import type { EventStore } from './event-store.ts';
import { freePort, until } from './ports.ts';
import { isBuilt, natsChild, serviceChild, serviceNames, type ServiceName } from './services.ts';

export interface MemberOptions {
  /** Where the whole mesh keeps its things; a region's are in a folder of its name. */
  readonly dataDir: string;
  readonly natsServer: string;
  readonly processes: 'together' | 'each';
  readonly httpPort?: number;
  readonly clock: 'system' | 'driven';
  readonly environment: Readonly<Record<string, string>>;
  readonly eventStore?: EventStore | undefined;
  /** The control servers as this region reaches them, with commas between them. */
  readonly controlUrl: string;
  /** `control`: recovery grants what a region decides for. `static`: each decides for its own home. */
  readonly ownership: 'control' | 'static';
  readonly say: (line: string) => void;
}

/** One region of a mesh in development: its processes, which can all be killed and started again. */
export class MeshMember {
  readonly name: string;
  readonly natsUrl: string;
  readonly monitorUrl: string;
  /** All control servers; undefined where ownership is static. */
  readonly controlUrl: string | undefined;
  /** NKey seed files of who may connect. */
  readonly seeds: {
    readonly services: string;
    readonly publisher: string;
    readonly control: string;
  };
  /** nats-server, the control server, and the services, by name; made by the first start. */
  readonly children = new Map<string, Child>();
  readonly #topology: Topology;
  readonly #options: MemberOptions;
  readonly #folder: string;
  #httpPort = 0;
  #postgres: Postgres | undefined;
  #isRunning = false;

  constructor(topology: Topology, name: string, options: MemberOptions) {
    const { dataDir, ownership, controlUrl } = options;
    const [server] = regionOf(topology, name).servers;
    const files = regionFiles(topology, dataDir, name);
    this.name = name;
    this.natsUrl = clientUrls(topology, name);
    this.monitorUrl = `http://127.0.0.1:${server?.ports.monitor}`;
    this.controlUrl = ownership === 'control' ? controlUrl : undefined;
    this.seeds = {
      services: files.servicesSeed,
      publisher: files.publisherSeed,
      control: files.controlSeed,
    };
    this.#topology = topology;
    this.#options = options;
    this.#folder = join(dataDir, name);
  }

  /** The HTTP interface; the same over restarts. */
  get url(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  /** An API key of the tenant `demo` with the scope admin, of this region. @throws before the first start */
  get key(): string {
    return readFileSync(join(this.#folder, 'key'), 'utf8').trim();
  }

  /** How a client of the event-store protocol connects; undefined where none is served. */
  get eventStore(): string | undefined {
    return this.#options.eventStore?.address(this.key);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Process ids of everything that runs, Postgres's first process among them, by name. */
  get pids(): ReadonlyMap<string, number> {
    const pids = new Map<string, number>();
    for (const [name, { pid }] of this.children) if (pid !== undefined) pids.set(name, pid);
    if (this.#postgres !== undefined && this.#postgres.pid !== 0) {
      pids.set('postgres', this.#postgres.pid);
    }
    return pids;
  }

  /**
   * Starts what does not run: the servers and Postgres side by side, then the services.
   * @throws Error naming the part that did not start, with the end of its output
   */
  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#isRunning = true;
    await Promise.all([...this.#servers().map((child) => this.#run(child)), this.#startPostgres()]);
    await this.startServices();
  }

  /**
   * Waits until the region takes requests in: once recovery has compared its streams with the
   * peers' copies and holds a lease. Without a quorum of control servers that does not come.
   * @throws Error when it takes more than a minute
   */
  async whenOpen(): Promise<void> {
    await until(`${this.name} taking requests in`, async () => {
      const answer = await fetch(`${this.url}/v1/regions`, {
        headers: { authorization: `Bearer ${this.key}` },
      });
      return answer.ok && ((await answer.json()) as { intakeOpen: boolean }).intakeOpen;
    });
  }

  /** Ends every process of the region at once (SIGKILL). Nothing is started again before `start`. */
  async kill(): Promise<void> {
    this.#isRunning = false;
    const postgres = this.#postgres;
    this.#postgres = undefined;
    if (postgres !== undefined && postgres.pid !== 0) process.kill(postgres.pid, 'SIGKILL');
    await Promise.all([
      ...[...this.children.values()].map((child) => child.stop('SIGKILL')),
      postgres?.stop() ?? Promise.resolve(),
    ]);
  }

  /** Ends everything in order. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    const servers = new Set(this.#servers().map(({ name }) => name));
    const services = [...this.children.values()].filter(({ name }) => !servers.has(name));
    await Promise.all(services.map((child) => child.stop()));
    await this.#postgres?.stop();
    this.#postgres = undefined;
    await Promise.all([...this.children.values()].map((child) => child.stop()));
  }

  /** The servers alone, for the first start of a mesh: links come up while Postgres is made. */
  async startServers(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    this.#isRunning = true;
    await Promise.all(this.#servers().map((child) => this.#run(child)));
  }

  async startServices(): Promise<void> {
    if (this.#postgres === undefined) await this.#startPostgres();
    if (this.#httpPort === 0) this.#httpPort = await freePort(this.#options.httpPort);
    const environment = this.#environment();
    for (const name of this.#serviceNames()) {
      let child = this.children.get(name);
      if (child === undefined) {
        const isFront = name === 'edge' || name === 'region';
        const port = isFront ? this.#httpPort : await freePort();
        child = serviceChild(name, port, environment, this.#processOptions());
      }
      await this.#run(child);
    }
    await until('the API key', async () => existsSync(join(this.#folder, 'key')));
  }

  #serviceNames(): ServiceName[] {
    if (this.#options.processes === 'together') return ['region'];
    return [...serviceNames, ...(isBuilt('recovery') ? (['recovery'] as const) : [])];
  }

  #processOptions() {
    const { clock, say } = this.#options;
    return { dataDir: this.#folder, clock, say: (line: string) => say(`${this.name}: ${line}`) };
  }

  #servers(): Child[] {
    const { dataDir, natsServer, ownership } = this.#options;
    const { servers, control } = regionOf(this.#topology, this.name);
    const files = regionFiles(this.#topology, dataDir, this.name);
    const wanted = [
      { name: 'nats-server', file: files.servers[0], ports: servers[0]?.ports },
      ...(ownership === 'control'
        ? [{ name: 'control', file: files.control, ports: control.ports }]
        : []),
    ];
    return wanted.map(
      ({ name, file = '', ports }) =>
        this.children.get(name) ??
        natsChild(name, natsServer, file, ports?.monitor ?? 0, this.#processOptions()),
    );
  }

  async #run(child: Child): Promise<void> {
    this.children.set(child.name, child);
    if (child.pid === undefined) await child.start();
  }

  async #startPostgres(): Promise<void> {
    if (this.#postgres !== undefined) return;
    const dataDir = join(this.#folder, 'postgres');
    this.#postgres = await startPostgres({ dataDir });
    for (const [name, child] of this.children) {
      // Postgres has another port after each start.
      if (child.pid === undefined && isService(name)) this.children.delete(name);
    }
  }

  #environment(): NodeJS.ProcessEnv {
    const { clock, environment, eventStore } = this.#options;
    return {
      MERIDIAN_REGION: this.name,
      MERIDIAN_REGIONS: regionNames(this.#topology).join(','),
      MERIDIAN_NATS_URL: this.natsUrl,
      MERIDIAN_NATS_SEED_FILE: this.seeds.services,
      ...(this.controlUrl === undefined
        ? {}
        : {
            MERIDIAN_CONTROL_URL: this.controlUrl,
            MERIDIAN_CONTROL_SEED_FILE: this.seeds.control,
          }),
      MERIDIAN_CLOCK: clock,
      MERIDIAN_DEV: '1',
      MERIDIAN_KEY_FILE: join(this.#folder, 'key'),
      DATABASE_URL: this.#postgres?.url ?? '',
      ...eventStore?.environment,
      ...environment,
    };
  }
}

const isService = (name: string): boolean => name !== 'nats-server' && name !== 'control';
