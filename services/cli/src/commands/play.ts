import { resolve } from 'node:path';
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
import {
  clientEdge,
  isGood,
  playDay,
  reportLines,
  summaryLine,
  View,
  type Speed,
} from '../player/index.ts';
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
    const { io, client, json } = context;
    const speed = speedOf(options);
    const { plan, real } = await chooseDayOrSay(context, options);
    const run = textOption(options, 'run') ?? newRun(io.now());
    const view = new View({ isTTY: io.isTty, write: io.err });
    if (speed !== 'max') {
      io.err(
        `Playing by the clock at speed ${speed}: totals vary with the latency of the machine.\n`,
      );
    }
    try {
      const edge = clientEdge(client);
      const report = await playDay({ edge, plan, real, speed, run, view, signal: io.signal });
      if (!json) io.out(`${reportLines(report).join('\n')}\n`);
      io.out(`${summaryLine(report)}\n`);
      return isGood(report) ? exitCodes.ok : exitCodes.no;
    } catch (error) {
      // The name of the run is of the plan, too.
      if (error instanceof DayFault) throw usageFault(error.message);
      throw error;
    }
  },
};
