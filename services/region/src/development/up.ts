import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDevelopmentRegion, type DevelopmentRegion } from './region.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const home = join(root, '.meridian');
/** How many earlier runs are kept to look at. */
const keptRuns = 3;

const help = `Usage: scripts/up [options]

Starts one region (nats-server, Postgres, edge, sessions, routing) on this machine and plays a day
of contacts through it, as customers and agents outside would: over HTTP.

  --calls FILE        play a real call log (CSV, plain or gzip); without it a day made from a seed
  --day YYYY-MM-DD    the day of the log
  --seed TEXT         the seed of what is drawn (default 1)
  --contacts N        contacts of a made day (default 2000)
  --agents N          agents of a made day (default 20)
  --speed 1|60|max    how fast log time goes; max steps from event to event (default max)
  --exit              end after the day; the last line is one JSON object
  --each              one process a service instead of one for all
  --port N            port of the HTTP interface (default 8080, another if taken)
  --data DIR          keep the region's data here and go on with what is there
  --no-play           start the region only, on the system's clock
  --help              this text
`;

function options() {
  return parseArgs({
    allowNegative: true,
    options: {
      calls: { type: 'string' },
      day: { type: 'string' },
      seed: { type: 'string' },
      contacts: { type: 'string' },
      agents: { type: 'string' },
      speed: { type: 'string' },
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

/** Runs the player as the outside client that it is. @returns its exit code */
async function play(region: DevelopmentRegion, given: Options): Promise<number> {
  const args = ['play', '--speed', given.speed ?? 'max'];
  for (const name of ['calls', 'day', 'seed', 'contacts', 'agents'] as const) {
    const value = given[name];
    if (value !== undefined) args.push(`--${name}`, name === 'calls' ? resolve(value) : value);
  }
  const player = spawn(process.execPath, [join(root, 'services/cli/dist/main.js'), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, MERIDIAN_URL: region.url, MERIDIAN_KEY: region.key },
  });
  stopping.addEventListener('abort', () => player.kill('SIGTERM'));
  const [code, signal] = (await once(player, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal === null ? (code ?? 1) : 130;
}

/** The driven clock goes on as the system's from here. */
async function returnToPresent(region: DevelopmentRegion): Promise<void> {
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

function invitation({ url, key, publisher, natsUrl }: DevelopmentRegion): string {
  return `
The region is up at ${url}
API key (tenant demo, all scopes): ${key}
NATS: ${natsUrl}, user ${publisher.user}, password in the run's nats-secrets.json

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
  const region = await startDevelopmentRegion({
    dataDir,
    natsServer,
    processes: given.each ? 'each' : 'together',
    httpPort: Number(given.port),
    clock: given.play ? 'driven' : 'system',
    say: (line) => process.stderr.write(`${line}\n`),
  });
  mkdirSync(home, { recursive: true });
  writeFileSync(
    join(home, 'current.json'),
    `${JSON.stringify({ url: region.url, key: region.key })}\n`,
    { mode: 0o600 },
  );
  try {
    const code = given.play ? await play(region, given) : 0;
    if (given.exit || stopping.aborted) return code;
    if (given.play) await returnToPresent(region);
    process.stdout.write(invitation(region));
    await new Promise((resolveStop) => {
      stopping.addEventListener('abort', resolveStop);
    });
    return code;
  } finally {
    await region.stop();
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
