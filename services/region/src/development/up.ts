import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DeedMessage, MeshView } from '@meridian/cli';
import { obey } from './deeds.ts';
import { startDevelopmentMesh, type DevelopmentMesh } from './mesh.ts';
import { startDevelopmentRegion } from './region.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const home = join(root, '.meridian');
/** How many earlier runs are kept to look at. */
const keptRuns = 3;

const help = `Usage: scripts/up [options]

Starts three regions (each with nats-server, a control server, Postgres, and the services edge,
sessions, routing and recovery) on this machine, linked to each other, and plays a day of contacts
through them, as customers and agents outside would: over HTTP.

  --regions N|A,B     so many regions, or those of these names (default 3: eu,us,ap)
  --calls FILE        play a real call log (CSV, plain or gzip); without it a day made from a seed
  --day YYYY-MM-DD    the day of the log
  --seed TEXT         the seed of what is drawn (default 1)
  --contacts N        contacts of a made day (default 2000)
  --agents N          agents of a made day (default 20)
  --speed 1|60|max    how fast log time goes; max steps from event to event (default max)
  --kill REGION@HH:MM kill every process of a region at this time of the day, such as eu@12:00
                      (more than one region); it is started again after the day, and the summary
                      ends with a signed receipt of what that cost, kept in .meridian/drills
  --exit              end after the day; the last line is one JSON object
  --each              one process a service instead of one for all
  --port N            port of the HTTP interface (default 8080, another if taken); further regions
                      take the ports after it
  --data DIR          keep the regions' data here and go on with what is there
  --no-play           start the regions only, on the system's clock
  --help              this text
`;

function options() {
  return parseArgs({
    allowNegative: true,
    options: {
      regions: { type: 'string', default: '3' },
      calls: { type: 'string' },
      day: { type: 'string' },
      seed: { type: 'string' },
      contacts: { type: 'string' },
      agents: { type: 'string' },
      speed: { type: 'string' },
      kill: { type: 'string' },
      exit: { type: 'boolean', default: false },
      each: { type: 'boolean', default: false },
      port: { type: 'string', default: '8080' },
      data: { type: 'string' },
      play: { type: 'boolean', default: true },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

type Options = ReturnType<typeof options>;

/** A new folder for this run; the oldest runs beyond the few that are kept are removed. */
function runFolder(): string {
  mkdirSync(home, { recursive: true });
  const earlier = readdirSync(home)
    .filter((name) => name.startsWith('run-'))
    .toSorted();
  for (const name of earlier.slice(0, Math.max(0, earlier.length - keptRuns + 1))) {
    rmSync(join(home, name), { recursive: true, force: true });
  }
  return join(home, `run-${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}`);
}

/** What of a region those outside need. */
interface UpRegion {
  readonly name: string;
  readonly url: string;
  readonly key: string;
  readonly natsUrl: string;
  /** How a client of the event-store protocol connects. */
  readonly eventStore: string | undefined;
  /** How a publisher connects to NATS. */
  readonly publisher: string;
}

interface Up {
  readonly regions: readonly UpRegion[];
  /** Absent in a region alone. */
  readonly mesh?: DevelopmentMesh;
  stop(): Promise<void>;
}

const defaultNames = ['eu', 'us', 'ap'] as const;

/** @throws Error when it is neither a number of regions nor names */
function regionsWanted(text: string): string[] {
  const names = /^[1-3]$/.test(text) ? defaultNames.slice(0, Number(text)) : text.split(',');
  const isGood = names.every((name) => /^[a-z][a-z0-9]{0,15}$/.test(name));
  if (isGood && new Set(names).size === names.length) return [...names];
  throw new Error(
    `--regions is ${JSON.stringify(text)}; it must be a number from 1 to 3, or different names ` +
      'with commas between them, each a lower-case letter and up to 15 more or digits.',
  );
}

async function startRegions(dataDir: string, natsServer: string, given: Options): Promise<Up> {
  const names = regionsWanted(given.regions);
  const options = {
    dataDir,
    natsServer,
    processes: given.each ? 'each' : 'together',
    httpPort: Number(given.port),
    clock: given.play ? 'driven' : 'system',
    say: (line: string) => process.stderr.write(`${line}\n`),
  } as const;
  const [only] = names;
  if (names.length > 1) {
    const mesh = await startDevelopmentMesh({ ...options, regions: names });
    const regions = [...mesh.regions.values()].map((member) => {
      const { name, url, key, natsUrl, eventStore, seeds } = member;
      const publisher = `NKey seed in ${seeds.publisher}`;
      return { name, url, key, natsUrl, eventStore, publisher };
    });
    return { regions, mesh, stop: () => mesh.stop() };
  }
  const region = await startDevelopmentRegion({ ...options, ...(only ? { region: only } : {}) });
  const { url, key, natsUrl, eventStore, publisher } = region;
  return {
    regions: [
      {
        name: region.region,
        url,
        key,
        natsUrl,
        eventStore,
        publisher: `user ${publisher.user}, password in the run's nats-secrets.json`,
      },
    ],
    stop: () => region.stop(),
  };
}

/** Tells the `meridian` command where everything is. */
function writeCurrent(regions: readonly UpRegion[]): void {
  const [first] = regions;
  const current = {
    url: first?.url,
    key: first?.key,
    regions: Object.fromEntries(
      regions.map(({ name, url, key, natsUrl }) => [name, { url, key, natsUrl }]),
    ),
  };
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'current.json'), `${JSON.stringify(current)}\n`, { mode: 0o600 });
}

/**
 * Runs the player as the outside client that it is; what it cannot do, killing a region, is done
 * here when it says so.
 * @returns its exit code
 */
async function play({ regions, mesh }: Up, given: Options): Promise<number> {
  const args = ['play', '--speed', given.speed ?? 'max'];
  for (const name of ['calls', 'day', 'seed', 'contacts', 'agents', 'kill'] as const) {
    const value = given[name];
    if (value !== undefined) args.push(`--${name}`, name === 'calls' ? resolve(value) : value);
  }
  const player = spawn(process.execPath, [join(root, 'services/cli/dist/main.js'), ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...edgesFor(regions) },
  });
  player.on('message', (message) => {
    void obey(mesh, message as DeedMessage, home).then((answer) => player.send(answer));
  });
  stopping.addEventListener('abort', () => player.kill('SIGTERM'));
  const [code, signal] = (await once(player, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === null ? (code ?? 1) : 130;
}

/** How the player finds the regions. */
function edgesFor(regions: readonly UpRegion[]): NodeJS.ProcessEnv {
  const [first] = regions as readonly [UpRegion];
  const edges = regions.map(({ name, url, key }) => [name, { url, key }] as const);
  return {
    MERIDIAN_URL: first.url,
    MERIDIAN_KEY: first.key,
    MERIDIAN_EDGES: regions.length > 1 ? JSON.stringify(Object.fromEntries(edges)) : '',
  };
}

/** The driven clock goes on as the system's from here. */
async function returnToPresent(region: UpRegion): Promise<void> {
  const answer = await fetch(`${region.url}/v1/clock`, {
    method: 'POST',
    headers: { authorization: `Bearer ${region.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ at: Date.now(), rate: 1 }),
  });
  if (!answer.ok) {
    throw new Error(
      `The clock cannot be set to the present: ${answer.status} ${await answer.text()}`,
    );
  }
}

/** Says which homes another region decides for, and how each is brought back. */
async function movedHomes([{ url, key }]: readonly [UpRegion, ...UpRegion[]]): Promise<string> {
  const answer = await fetch(`${url}/v1/regions`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) return '';
  const { homes } = (await answer.json()) as MeshView;
  return homes
    .filter(({ home, owner }) => owner !== home)
    .map(
      ({ home, owner }) =>
        `\n${owner} decides for the home ${home}. ` +
        `To bring it back: scripts/meridian failback ${home}\n`,
    )
    .join('');
}

function invitation(regions: readonly UpRegion[]): string {
  const [{ url, key }] = regions as readonly [UpRegion];
  const places = regions.map(
    (region) => `The region ${region.name} is up at ${region.url}
API key (tenant demo, admin): ${region.key}
NATS: ${region.natsUrl}, ${region.publisher}
Event store, for KurrentDB's clients: ${region.eventStore}
`,
  );
  return `
${places.join('\n')}
Publish an event and watch what follows:

  scripts/meridian tail --limit 3 &
  curl -sS ${url}/v1/events \\
    -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/cloudevents+json' \\
    -d '{"specversion":"1.0","id":"hello-1","source":"/me","type":"meridian.contact.initiate.v1",
         "subject":"hello","data":{"method":"INBOUND","channel":"VOICE"}}'

Ctrl-C ends it.
`;
}

const abort = new AbortController();
const stopping = abort.signal;

async function main(): Promise<number> {
  const given = options();
  if (given.help) {
    process.stdout.write(help);
    return 0;
  }
  const natsServer = process.env['NATS_SERVER'];
  if (natsServer === undefined) {
    throw new Error('NATS_SERVER is not set.\nStart through scripts/up, which sets everything up.');
  }
  const dataDir = given.data === undefined ? runFolder() : resolve(given.data);
  process.stdout.write(`Data and output of this run: ${dataDir}\n`);
  const up = await startRegions(dataDir, natsServer, given);
  const { regions } = up;
  const tookSeconds = (performance.now() / 1_000).toFixed(1);
  process.stderr.write(`${regions.map(({ name }) => name).join(', ')} up after ${tookSeconds} s\n`);
  writeCurrent(regions);
  try {
    const code = given.play ? await play(up, given) : 0;
    if (given.exit || stopping.aborted) return code;
    if (given.play) await Promise.all(regions.map(returnToPresent));
    const [first, ...others] = regions;
    if (first !== undefined && others.length > 0) {
      process.stdout.write(await movedHomes([first, ...others]));
    }
    process.stdout.write(invitation(regions));
    await new Promise((resolveStop) => {
      stopping.addEventListener('abort', resolveStop);
    });
    return code;
  } finally {
    await up.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => abort.abort());
}
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
