import { relative, resolve } from 'node:path';
import {
  DayFault,
  generatePlan,
  planFromLog,
  readCallLog,
  realFigures,
  type DayFigures,
  type DayPlan,
} from '../day/index.ts';
import { exitCodes, usageFault } from '../fault.ts';
import { EdgeClient } from '../http/client.ts';
import {
  clientEdge,
  dayFacts,
  isGood,
  MeshEdge,
  playDay,
  reportLines,
  summaryLine,
  View,
  type Blow,
  type KeptReceipt,
  type PlayerEdge,
  type PlayReport,
  type Speed,
} from '../player/index.ts';
import { renderReceipt, verifyReceipt } from '../receipt/index.ts';
import { checkoutRegions, type Settings } from '../settings.ts';
import { starterOf, type Starter } from './starter.ts';
import {
  countOption,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';

interface Piece {
  readonly plan: DayPlan;
  readonly real: DayFigures | null;
}

/** The plan that the options ask for, and what the real centre did on that day. */
async function chooseDay({ io }: Context, options: Options): Promise<Piece> {
  const seed = textOption(options, 'seed') ?? '1';
  const calls = textOption(options, 'calls');
  const day = textOption(options, 'day');
  const contacts = countOption(options, 'contacts');
  const agents = countOption(options, 'agents');
  if (calls === undefined) {
    const sizes = {
      ...(contacts === undefined ? {} : { contacts }),
      ...(agents === undefined ? {} : { agents }),
    };
    return {
      plan: generatePlan(seed, day === undefined ? sizes : { ...sizes, date: day }),
      real: null,
    };
  }
  if (contacts !== undefined || agents !== undefined) {
    throw usageFault(
      '--contacts and --agents are for a made day; with --calls the log says how many there are.',
    );
  }
  if (day === undefined) {
    throw usageFault('--calls needs --day: which day of the log to play, such as 1999-08-02.');
  }
  const log = await readCallLog(resolve(io.folder, calls), day);
  return { plan: planFromLog(log, seed), real: realFigures(log.calls) };
}

async function chooseDayOrSay(context: Context, options: Options): Promise<Piece> {
  try {
    return await chooseDay(context, options);
  } catch (error) {
    if (error instanceof DayFault) throw usageFault(error.message);
    throw error;
  }
}

function speedOf(options: Options): Speed {
  const text = textOption(options, 'speed') ?? 'max';
  if (text === 'max') return 'max';
  const speed = text.trim() === '' ? Number.NaN : Number(text);
  if (speed > 0 && speed < Infinity) return speed;
  throw usageFault(`--speed is ${JSON.stringify(text)}; it must be max or a number above 0.`);
}

interface Played {
  readonly edge: PlayerEdge;
  readonly loss: Loss | undefined;
  close(): void;
}

/**
 * The regions to play across: those that MERIDIAN_EDGES names, as scripts/up does; else those that
 * run in the checkout, unless one edge is named; none for that one.
 */
export function regionsWanted(
  { env, folder }: Pick<Context['io'], 'env' | 'folder'>,
  options: Options,
): ReadonlyMap<string, Settings> {
  const text = env['MERIDIAN_EDGES'] ?? '';
  if (text !== '') return new Map(Object.entries(JSON.parse(text) as Record<string, Settings>));
  const isOneNamed =
    (env['MERIDIAN_URL'] ?? '') !== '' ||
    ['url', 'region'].some((name) => textOption(options, name) !== undefined);
  const regions = isOneNamed ? new Map<string, Settings>() : checkoutRegions({ folder });
  return regions.size > 1 ? regions : new Map();
}

function regionsOf(context: Context, options: Options): Played {
  const loss = lossOf(options);
  const wanted = regionsWanted(context.io, options);
  if (wanted.size === 0) return { edge: clientEdge(context.client), loss, close() {} };
  const clients = [...wanted].map(
    ([region, { url, key }]) =>
      [region, new EdgeClient({ url, ...(key === undefined ? {} : { key }) })] as const,
  );
  const doors = new Map(clients.map(([region, one]) => [region, clientEdge(one)]));
  return {
    edge: new MeshEdge(doors, loss?.blow.region),
    loss,
    close() {
      for (const [, one] of clients) one.close();
    },
  };
}

const killPattern = /^([a-z][a-z0-9]{0,15})@([01]\d|2[0-3]):([0-5]\d)$/;

/** The loss of a region on the way, and by whom. */
interface Loss {
  readonly blow: Blow;
  readonly starter: Starter;
}

/** The region to be killed on the way, by whoever started this process. */
function lossOf(options: Options): Loss | undefined {
  const text = textOption(options, 'kill');
  if (text === undefined) return undefined;
  const [, region = '', hour, minute] = killPattern.exec(text) ?? [];
  if (region === '') {
    throw usageFault(
      `--kill is ${JSON.stringify(text)}; it must be a region and a time, such as eu@12:00.`,
    );
  }
  const starter = starterOf(process);
  if (starter === undefined) {
    throw usageFault('--kill needs somebody who can kill a region.\nPlay through scripts/up.');
  }
  const blow = {
    region,
    timeOfDayMs: (Number(hour) * 60 + Number(minute)) * 60_000,
    kill: () => starter.kill(region),
    restart: () => starter.restart(region),
  };
  return { blow, starter };
}

/** The receipt of a day that lost a region, signed; printed for people. */
async function keepReceipt(
  { io, json, paint }: Context,
  report: PlayReport,
  { starter }: Loss,
): Promise<KeptReceipt | undefined> {
  const facts = dayFacts(report);
  if (facts === undefined) {
    io.err('The day was over before the region was to be killed.\n');
    return undefined;
  }
  const { text, file: path } = await starter.sign(facts);
  const { receipt } = verifyReceipt(text);
  const fromHere = relative(io.folder, path);
  const file = fromHere.startsWith('..') ? path : fromHere;
  if (!json) {
    io.out(`${renderReceipt(receipt, paint)}\nThe signed receipt: ${file}\n`);
    io.out(`To verify it: scripts/meridian receipt verify ${file}\n\n`);
  }
  return { receipt, file };
}

/** A run's name that no other has, unless both began in the same second. */
const newRun = (nowMs: number): string => Math.floor(nowMs / 1000).toString(36);

export const playCommand: CommandSpec = {
  usage: 'play',
  summary: 'Play a day of contacts against the region, as customers and agents outside would',
  options: [
    {
      flags: '--calls <file>',
      text: 'a real call log (CSV, plain or gzip); without it a day is made from the seed',
    },
    {
      flags: '--day <date>',
      text: 'the day of the log, or the date of a made day, such as 1999-08-02',
    },
    { flags: '--seed <text>', text: 'the seed of everything that is drawn; 1 by default' },
    { flags: '--contacts <count>', text: 'contacts of a made day' },
    { flags: '--agents <count>', text: 'agents of a made day' },
    {
      flags: '--speed <speed>',
      text: 'log time per real time; max (default) plays in lockstep with the log',
    },
    {
      flags: '--kill <region@time>',
      text: 'lose a region on the way, such as eu@12:00; for scripts/up, which does it',
    },
    { flags: '--run <name>', text: 'part of every id of this play; new by default' },
    {
      flags: '--exit',
      text: 'end after the day; it always does, the option is taken for scripts/up',
    },
  ],
  examples: [
    'meridian play --contacts 150 --agents 6',
    'meridian play --calls calls.csv.gz --day 1999-08-02 --seed 7',
    'meridian play --speed 60 --json',
  ],
  async run(context, _args, options) {
    const { io, json } = context;
    const speed = speedOf(options);
    const { plan, real } = await chooseDayOrSay(context, options);
    const run = textOption(options, 'run') ?? newRun(io.now());
    const view = new View({ isTTY: io.isTty, write: io.err });
    if (speed !== 'max') {
      io.err(
        `Playing by the clock at speed ${speed}: totals vary with the latency of the machine.\n`,
      );
    }
    const played = regionsOf(context, options);
    const { edge, loss } = played;
    try {
      const report = await playDay({
        edge,
        plan,
        real,
        speed,
        run,
        view,
        signal: io.signal,
        ...(loss && { blow: loss.blow }),
      });
      if (!json) io.out(`${reportLines(report).join('\n')}\n`);
      const kept = loss && (await keepReceipt(context, report, loss));
      io.out(`${summaryLine(report, kept)}\n`);
      return isGood(report) && kept?.receipt.passed !== false ? exitCodes.ok : exitCodes.no;
    } catch (error) {
      // The name of the run is of the plan, too.
      if (error instanceof DayFault) throw usageFault(error.message);
      throw error;
    } finally {
      played.close();
    }
  },
};
