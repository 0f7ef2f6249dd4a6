import { readFile } from 'node:fs/promises';
import { exitCodes, usageFault } from '../fault.ts';
import {
  changeDay,
  checkoutSimulator,
  compare,
  DayTally,
  Habits,
  joined,
  lastSettings,
  limitsOf,
  parseChanges,
  readDay,
  render,
  type Answer,
  type Changes,
  type RecordedDay,
  type Run,
  type Simulator,
} from '../what-if/index.ts';
import { parseMoment } from './clock.ts';
import {
  countOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { Progress } from './log-lines.ts';
import { logSources } from './mesh-sources.ts';

const defaultRuns = 10;
const runsLimit = 1_000;

async function changesOf(options: Options, day: RecordedDay): Promise<Changes | undefined> {
  const file = textOption(options, 'config');
  if (file === undefined) return undefined;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw usageFault(`--config ${file} cannot be read (${error.message}).`);
  });
  return parseChanges(text, file, day);
}

/** The seconds of each queue: the changed ones where they are changed, for every column alike. */
function serviceLevels(day: RecordedDay): Record<string, number> {
  return Object.fromEntries(
    [...lastSettings(day)].map(([id, { serviceLevelMs }]) => [id, serviceLevelMs]),
  );
}

function choiceOf(options: Options): Parameters<typeof readDay>[1] {
  const moment = (name: 'from' | 'to'): number | undefined => {
    const text = textOption(options, name);
    return text === undefined ? undefined : parseMoment(name, text);
  };
  const [fromMs, toMs, tenant] = [moment('from'), moment('to'), textOption(options, 'tenant')];
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
    throw usageFault('--to is not after --from.');
  }
  return {
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

/** Asks what would have been. @param simulatorFor by default that of the checkout */
export async function whatIf(
  context: Context,
  options: Options,
  simulatorFor: (context: Context) => Simulator = ({ io }) => checkoutSimulator(io),
): Promise<Answer> {
  const count = countOption(options, 'runs') ?? defaultRuns;
  if (count > runsLimit) throw usageFault(`--runs is ${count}; it must be at most ${runsLimit}.`);
  const choice = choiceOf(options);
  const seed = textOption(options, 'seed') ?? 'what-if';
  const tally = new DayTally();
  const day = await readDay(await logSources(context, options), choice, (event, home) =>
    tally.see(event, home),
  );
  const changes = await changesOf(options, day);
  const changed = changes === undefined ? undefined : changeDay(day, changes);
  const serviceLevelMs = serviceLevels(changed ?? day);
  const runs: Run[] = [];
  const progress = new Progress(context, 'runs done');
  const job = {
    days: changed === undefined ? [day] : [day, changed],
    seeds: Array.from({ length: count }, (_, index) => `${seed}/${index + 1}`),
    serviceLevelMs,
  };
  await simulatorFor(context)(job, (run) => {
    runs.push(run);
    progress.show(runs.length);
  });
  progress.clear();
  const levels = new Map(Object.entries(serviceLevelMs));
  return {
    day,
    comparison: compare(tally.figures({ ...day, serviceLevelMs: levels }), runs),
    runs,
    seed,
    serviceLevelMs,
    limits: limitsOf({ day, changes, changed, habits: new Habits(day), runs }),
    isChanged: changed !== undefined,
  };
}

function print(context: Context, answer: Answer): void {
  const { day, comparison, runs, seed, serviceLevelMs, limits } = answer;
  if (!context.json) {
    context.io.out(render(answer, context.paint));
    return;
  }
  printJson(context, {
    tenant: day.tenant,
    from: new Date(day.fromMs).toISOString(),
    to: new Date(day.toMs).toISOString(),
    contacts: joined(day),
    agents: day.agents.length,
    seed,
    serviceLevelMs,
    ...comparison,
    runs,
    limits,
  });
}

export const whatIfCommand: CommandSpec = {
  usage: 'what-if',
  summary:
    'A recorded day again under another configuration: what would have changed, and what that does not know',
  options: [
    {
      flags: '--config <file>',
      text: 'what is to be otherwise, JSON; without it only how far the simulator is off the record',
    },
    { flags: '--from <time>', text: 'count contacts that joined a queue from then on' },
    { flags: '--to <time>', text: 'and before this' },
    { flags: '--runs <count>', text: `runs of each configuration (${defaultRuns})` },
    { flags: '--seed <text>', text: 'of what is drawn: the same seed, the same answer' },
    { flags: '--tenant <name>', text: 'where the log is of several' },
    { flags: '--stream <name>', text: 'one stream alone, such as EV_eu' },
    {
      flags: '--file <files>',
      text: 'exports instead of the edge, several with commas; - for the standard input',
    },
  ],
  examples: [
    'meridian what-if --config more-agents.json',
    'meridian what-if --file eu.ndjson --config most-skilled.json --runs 20',
    'meridian what-if --from 2026-03-02T08:00:00Z --to 2026-03-02T12:00:00Z --config c.json --json',
    `echo '{ "queues": { "*": { "strategy": "MOST_SKILLED" } } }' > most-skilled.json`,
    `echo '{ "agents": { "add": [{ "like": "agent-01", "count": 2 }] } }' > more-agents.json`,
  ],
  async run(context, _args, options) {
    print(context, await whatIf(context, options));
    return exitCodes.ok;
  },
};
