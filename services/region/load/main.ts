import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentRegion } from '../src/development/region.ts';

const help = `Usage: scripts/load [publish] [fan-out] [burst] [options]

Puts load on a region over HTTP and checks how it answers; all three without a name.

  publish        batches of 100 and single events at a steady rate (k6)
  fan-out        many readers of the event stream: each sees everything once, in order (Node)
  burst          ten times the normal load for 30 s, then back: refusals, recovery (k6)

  --url, --key   a region that runs, on this machine; without them one is started and ended
  --rate N       publish: batches/s (10); fan-out: contacts/s (50); burst: normal contacts/s (40)
  --seconds N    publish: 20; fan-out: 10; burst: 30; at most 600
  --readers N    fan-out: 200, at most 2000
  --help         this text
`;

const all = ['publish', 'fan-out', 'burst'] as const;
type Name = (typeof all)[number];

interface Target {
  readonly url: string;
  readonly key: string;
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const stopping = new AbortController();

function read() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      key: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      readers: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.filter((name) => !all.includes(name as Name));
  if (unknown.length > 0) {
    throw new Error(
      `There is no load called ${unknown.join(', ')}.\nThere are: ${all.join(', ')}.`,
    );
  }
  return { ...values, names: positionals.length === 0 ? all : (positionals as Name[]) };
}

type Options = ReturnType<typeof read>;

/** @throws Error when it is no whole number within the bounds */
function bounded(option: string, value: string | undefined, most: number): Record<string, string> {
  if (value === undefined) return {};
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < 1 || number > most) {
    throw new Error(
      `--${option} is ${JSON.stringify(value)}; it must be a whole number from 1 to ${most}.`,
    );
  }
  return { [`LOAD_${option.toUpperCase()}`]: value };
}

/** The region that was named. @throws Error when it is not on this machine */
function given({ url, key }: Options): Target | undefined {
  if (url === undefined && key === undefined) return undefined;
  if (url === undefined || key === undefined) {
    throw new Error('--url and --key belong together.\nGive both, or neither.');
  }
  const { hostname, origin } = new URL(url);
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    throw new Error(
      `--url names ${hostname}; load is put on this machine only.\nRun scripts/load where the region runs.`,
    );
  }
  return { url: origin, key };
}

/** Runs one load as a process of its own. @returns whether all went as it should */
async function run(
  name: Name,
  { url, key }: Target,
  environment: Readonly<Record<string, string>>,
): Promise<boolean> {
  process.stdout.write(`\n${name}\n`);
  const [command, args] =
    name === 'fan-out'
      ? [process.execPath, [file('./fan-out.ts')]]
      : ['k6', ['run', '--quiet', '--no-usage-report', '--address', '', file(`./${name}.js`)]];
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      ...environment,
      MERIDIAN_URL: url,
      MERIDIAN_KEY: key,
      MERIDIAN_RUN: `${name}-${Date.now().toString(36)}`,
    },
  });
  const stop = (): void => {
    child.kill('SIGINT');
  };
  stopping.signal.addEventListener('abort', stop);
  const [code] = (await once(child, 'exit')) as [number | null];
  stopping.signal.removeEventListener('abort', stop);
  process.stdout.write(
    `${name}: ${code === 0 ? 'as it should be' : `NOT as it should be (exit code ${code})`}\n`,
  );
  return code === 0;
}

/** Starts a region, unless one was named, and ends it again. */
async function withRegion<T>(
  named: Target | undefined,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  if (named !== undefined) return work(named);
  const folder = temporaryFolder();
  try {
    const region = await startDevelopmentRegion({
      dataDir: folder.path,
      natsServer: natsServerBinary(),
      say: (line) => process.stderr.write(`${line}\n`),
    });
    try {
      return await work(region);
    } finally {
      await region.stop();
    }
  } finally {
    folder.remove();
  }
}

async function main(): Promise<number> {
  const options = read();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const environment = {
    ...bounded('rate', options.rate, 10_000),
    ...bounded('seconds', options.seconds, 600),
    ...bounded('readers', options.readers, 2_000),
  };
  return withRegion(given(options), async (target) => {
    let isGood = true;
    for (const name of options.names) {
      if (!stopping.signal.aborted) isGood = (await run(name, target, environment)) && isGood;
    }
    return isGood && !stopping.signal.aborted ? 0 : 1;
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopping.abort());
}
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
