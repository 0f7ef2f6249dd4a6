import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exitCodes, usageFault, type ExitCode } from '../fault.ts';
import type { Io } from '../io.ts';
import type { CommandSpec, Options } from './command.ts';

/** What `scripts/drill` takes, as it is passed on. */
const flags = [
  { flags: '--kill <region>', text: 'end all its processes at once, and start it again later' },
  { flags: '--planned', text: 'a planned failover and failback of the region instead of the kill' },
  {
    flags: '--cut <links...>',
    text: 'such as eu-us:blackhole, eu-us:reset, eu>us:blackhole (one way)',
  },
  { flags: '--rate <count>', text: 'requests to be acknowledged in a second, over all regions' },
  { flags: '--seconds <count>', text: 'how long the load lasts' },
  { flags: '--runs <count>', text: 'how often; the worst is printed' },
  { flags: '--seed <text>', text: 'of what is drawn' },
  { flags: '--out <folder>', text: 'where the receipts go' },
  { flags: '--all', text: 'the long series: every kill and cut there is' },
] as const;

/** The drill of the nearest checkout, from the folder upwards. */
function drillScript(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const script = join(folder, 'scripts', 'drill');
    if (existsSync(script)) return script;
    if (folder === dirname(folder)) return undefined;
  }
}

function argumentsOf(options: Options): string[] {
  return flags.flatMap(({ flags: text }) => {
    const [flag = ''] = text.split(' ');
    const value = options[flag.slice(2)];
    if (value === true) return [flag];
    const values = Array.isArray(value) ? (value as unknown[]) : value === undefined ? [] : [value];
    return values.flatMap((one) => [flag, String(one)]);
  });
}

async function run(script: string, args: readonly string[], io: Io): Promise<ExitCode> {
  const child = spawn(script, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: io.folder });
  child.stdout.setEncoding('utf8').on('data', io.out);
  child.stderr.setEncoding('utf8').on('data', io.err);
  const stop = (): void => {
    child.kill('SIGINT');
  };
  io.signal.addEventListener('abort', stop);
  const [code] = (await once(child, 'close')) as [number | null];
  io.signal.removeEventListener('abort', stop);
  if (code === exitCodes.ok) return exitCodes.ok;
  return code === exitCodes.usage ? exitCodes.usage : exitCodes.no;
}

export const drillCommand: CommandSpec = {
  usage: 'drill',
  summary: 'Start regions of its own, put load on them, kill or cut, and sign what it cost',
  options: flags,
  examples: [
    'meridian drill --kill eu --rate 2000 --seconds 60',
    'meridian drill --kill eu --planned --rate 600 --seconds 30',
    'meridian drill --cut eu-us:blackhole --seconds 60',
  ],
  run({ io }, _args, options) {
    const script = drillScript(io.folder) ?? drillScript(import.meta.dirname);
    if (script === undefined) {
      throw usageFault(
        'A drill starts regions of its own from a checkout of Meridian, and there is none here.\n' +
          'Run it where scripts/drill is.',
      );
    }
    return run(script, argumentsOf(options), io);
  },
};
