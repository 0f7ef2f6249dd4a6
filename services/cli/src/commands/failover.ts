import { exitCodes, usageFault, type ExitCode } from '../fault.ts';
import { followFailover, listFailovers, type Failover } from './failover-follow.ts';
import { renderPlan, type FailoverPlan } from './failover-plan.ts';
import {
  numberOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';

/** How long a failover is followed before it is given up on, in seconds. */
const defaultWaitSeconds = 60;

interface Order {
  readonly home: string;
  readonly to: string;
}

function kindOf(options: Options, plan: FailoverPlan): 'PLANNED' | 'UNPLANNED' {
  const { planned, unplanned, breakGlass } = options;
  if (planned === true && (unplanned === true || breakGlass === true)) {
    throw usageFault('--planned does not go with --unplanned or --break-glass: choose one.');
  }
  if (planned === true) return 'PLANNED';
  return unplanned === true || breakGlass === true ? 'UNPLANNED' : plan.kind;
}

/**
 * Shows the plan; unless it is a dry run or something is in its way, asks for the failover and
 * follows it on the log to its end.
 */
async function move(context: Context, { home, to }: Order, options: Options): Promise<ExitCode> {
  const { client, io, paint } = context;
  const path = `/v1/regions/${encodeURIComponent(home)}/plan?to=${encodeURIComponent(to)}`;
  const plan = await client.get<FailoverPlan>(path);
  const kind = kindOf(options, plan);
  const waitMs = (numberOption(options, 'wait', 1) ?? defaultWaitSeconds) * 1_000;
  const isAnyway = options['anyway'] === true || options['breakGlass'] === true;
  const isBlocked = plan.blockers.length > 0 && !isAnyway;
  if (!context.json) io.out(renderPlan(plan, kind, paint));
  if (options['dryRun'] === true || isBlocked) {
    if (context.json) printJson(context, { plan, kind, asked: false, failover: null });
    else if (isBlocked) {
      const advice = 'Nothing was asked for. With --anyway it is asked for all the same.';
      io.out(`\n${paint('red', 'Blocked')}: ${advice}\n`);
    }
    return plan.blockers.length > 0 ? exitCodes.no : exitCodes.ok;
  }
  const earlier = await listFailovers(client, home);
  const reason = textOption(options, 'reason');
  await client.post('/v1/failovers', {
    home,
    to,
    kind,
    ...(reason === undefined ? {} : { reason }),
    ...(options['breakGlass'] === true ? { breakGlass: true } : {}),
  });
  if (plan.from === to) {
    if (context.json) printJson(context, { plan, kind, asked: true, failover: null });
    else io.out(`\nAsked for: ${to} goes on deciding for ${home} without a lease.\n`);
    return exitCodes.ok;
  }
  const failover = await followFailover(context, { home, to, waitMs, earlier });
  if (context.json) printJson(context, { plan, kind, asked: true, failover });
  return judge(context, failover, waitMs);
}

function judge(
  { io, json, paint }: Context,
  failover: Failover | undefined,
  waitMs: number,
): ExitCode {
  if (failover?.state === 'COMPLETED') return exitCodes.ok;
  if (failover?.state === 'FAILED' || json) return exitCodes.no;
  const state = failover === undefined ? 'nothing of it is on the log' : `it is ${failover.state}`;
  io.out(
    `${paint('red', 'Not completed')} within ${waitMs / 1_000} s: ${state}.\n` +
      'It may still complete: see meridian regions.\n',
  );
  return exitCodes.no;
}

const moveOptions = [
  { flags: '--planned', text: 'the owner seals first: nothing is lost' },
  { flags: '--unplanned', text: 'the owner is gone: go on from what the others hold' },
  { flags: '--dry-run', text: 'show the plan, and do nothing' },
  { flags: '--reason <text>', text: 'why; it is kept on the log' },
  { flags: '--anyway', text: 'ask for it although something is in its way' },
  {
    flags: '--break-glass',
    text: 'decide without the control cluster: only when the other regions are lost for good',
  },
  { flags: '--wait <seconds>', text: `how long to follow it; ${defaultWaitSeconds} by default` },
] as const;

export const failoverCommand: CommandSpec = {
  usage: 'failover <home>',
  summary: 'Let another region decide for a home: the plan, whom it touches, then what happened',
  options: [{ flags: '--to <region>', text: 'who is to decide' }, ...moveOptions],
  examples: [
    'meridian failover eu --to us --dry-run',
    'meridian failover eu --to us --planned --reason "maintenance of eu"',
    'meridian failover eu --to us --unplanned --region us',
  ],
  run(context, [home = ''], options) {
    const to = textOption(options, 'to');
    if (to === undefined) {
      throw usageFault('--to is missing: the region that is to decide.\nSee meridian regions.');
    }
    return move(context, { home, to }, options);
  },
};

export const failbackCommand: CommandSpec = {
  usage: 'failback <home>',
  summary: 'Let the own region of a home decide for it again',
  options: moveOptions,
  examples: ['meridian failback eu', 'meridian failback eu --dry-run'],
  run(context, [home = ''], options) {
    return move(context, { home, to: home }, options);
  },
};
