import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@meridian/readmodel';
import type { Child } from './child.ts';
import { plainEventStore } from './event-store.ts';
import { natsConfig, type NatsUser } from './nats-config.ts';
import { freePort, until } from './ports.ts';
import { natsChild, serviceChild, serviceNames } from './services.ts';

export interface DevelopmentRegionOptions {
  /** Where everything the region keeps is: the log, the read models, credentials, output. */
  readonly dataDir: string;
  readonly region?: string;
  /** The nats-server program. */
  readonly natsServer: string;
  /** One process for all services, or one each. */
  readonly processes?: 'together' | 'each';
  /** The port of the HTTP interface, taken if it is free; any other otherwise. */
  readonly httpPort?: number;
  /** `driven`: time is set through the log, for days played faster than life. */
  readonly clock?: 'system' | 'driven';
  /** Further variables for the services. */
  readonly environment?: Readonly<Record<string, string>>;
  /** One line for each step, with how long it took. */
  readonly say?: (line: string) => void;
}

/** A region that runs. */
export interface DevelopmentRegion {
  readonly region: string;
  readonly url: string;
  /** An API key of the tenant `demo` with the scope admin. */
  readonly key: string;
  readonly natsUrl: string;
  readonly publisher: NatsUser;
  /** How a client of the event-store protocol connects. */
  readonly eventStore: string;
  readonly children: ReadonlyMap<string, Child>;
  stop(): Promise<void>;
}

interface Secrets {
  readonly service: string;
  readonly publisher: string;
}

/** The passwords of the region's NATS users, made once and kept beside the data. */
function secretsIn(dataDir: string): Secrets {
  const file = join(dataDir, 'nats-secrets.json');
  if (!existsSync(file)) {
    const make = (): string => randomBytes(24).toString('base64url');
    writeFileSync(file, JSON.stringify({ service: make(), publisher: make() }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
}

/**
 * Starts one region for development: nats-server, Postgres, the services; all on loopback.
 * @throws Error naming the part that did not start, with the end of its output
 */
export async function startDevelopmentRegion(
  options: DevelopmentRegionOptions,
): Promise<DevelopmentRegion> {
  const { dataDir, region = 'eu', processes = 'together', say = () => {} } = options;
  mkdirSync(dataDir, { recursive: true });
  const children = new Map<string, Child>();
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  const step = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    say(`${what} (${((performance.now() - start) / 1_000).toFixed(1)} s)`);
    return result;
  };
  const run = async (child: Child): Promise<void> => {
    children.set(child.name, child);
    stops.push(() => child.stop());
    await child.start();
  };
  const killAll = (): void => {
    for (const child of children.values()) child.kill('SIGKILL');
  };
  process.once('exit', killAll);
  stops.push(async () => {
    process.off('exit', killAll);
  });
  try {
    const secrets = secretsIn(dataDir);
    const nats = await step('nats-server runs', () => startNats(options, region, secrets, run));
    const postgres = await step('Postgres runs', () =>
      startPostgres({ dataDir: join(dataDir, 'postgres') }),
    );
    stops.push(() => postgres.stop());
    const keyFile = join(dataDir, 'key');
    const eventStore = await plainEventStore(keyFile);
    const environment = {
      MERIDIAN_REGION: region,
      MERIDIAN_NATS_URL: nats,
      MERIDIAN_NATS_USER: 'meridian',
      MERIDIAN_NATS_PASSWORD: secrets.service,
      MERIDIAN_CLOCK: options.clock ?? 'system',
      MERIDIAN_DEV: '1',
      MERIDIAN_KEY_FILE: keyFile,
      DATABASE_URL: postgres.url,
      ...eventStore.environment,
      ...options.environment,
    };
    const port = await freePort(options.httpPort);
    const url = `http://127.0.0.1:${port}`;
    const names = processes === 'each' ? serviceNames : ['region' as const];
    await step(
      processes === 'each'
        ? `${names.join(', ')} run, a process each`
        : 'edge, sessions and routing run in one process',
      async () => {
        for (const name of names) {
          const own = name === 'edge' || name === 'region' ? port : await freePort();
          await run(serviceChild(name, own, environment, options));
        }
      },
    );
    await until('the API key', async () => existsSync(keyFile));
    const key = readFileSync(keyFile, 'utf8').trim();
    return {
      region,
      url,
      eventStore: eventStore.address(key),
      natsUrl: nats,
      children,
      stop,
      key,
      publisher: { user: 'publisher-demo', password: secrets.publisher },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startNats(
  options: DevelopmentRegionOptions,
  region: string,
  secrets: Secrets,
  run: (child: Child) => Promise<void>,
): Promise<string> {
  const { dataDir, natsServer } = options;
  const [port, monitorPort] = [await freePort(), await freePort()];
  const configFile = join(dataDir, 'nats.conf');
  writeFileSync(
    configFile,
    natsConfig({ region, port, monitorPort, storeDir: join(dataDir, 'nats'), secrets }),
    { mode: 0o600 },
  );
  await run(natsChild('nats-server', natsServer, configFile, monitorPort, options));
  return `nats://127.0.0.1:${port}`;
}
