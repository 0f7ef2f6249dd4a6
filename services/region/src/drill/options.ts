import { parseArgs } from 'node:util';

export const help = `Usage: scripts/drill [options]

Starts three regions of its own on this machine, puts load on all of them, kills or cuts, and ends
with a signed receipt of what it cost. Nothing of what runs elsewhere is touched.

  --kill REGION       end all processes of the region at once (SIGKILL) after a third of the load;
                      it is started again after the load
  --planned           with --kill: a planned failover of the region and its failback instead
  --cut LINK:HOW      such as eu-us:blackhole, eu-us:reset, eu>us:blackhole (one way); several times
  --all               the long series: every kill, stop, cut, jump of a clock and full disk there is
  --only NAMES        of the series: only these, with commas between them (--list names them)
  --list              name the exercises of the series
  --rate N            requests to be acknowledged in a second, over all regions (default 600)
  --seconds N         how long the load lasts (default 30, at most 600)
  --contacts N        customers who come in a second, over all regions (default 6)
  --runs N            how often; the worst figures are printed (default 1)
  --seed TEXT         of what is drawn (default 1)
  --out DIR           where receipts go (default .meridian/drills)
  --each              one process a service instead of one for all of a region
  --verbose           every step
  --help              this text
`;

/** One cut: what between whom, and how. `forward` loses what the first sends to the second. */
export interface CutOrder {
  readonly from: string;
  readonly to: string;
  readonly by: 'reset' | 'black hole';
  readonly direction: 'both' | 'forward';
}

export interface DrillOptions {
  readonly kill: string | undefined;
  readonly planned: boolean;
  readonly cuts: readonly CutOrder[];
  readonly all: boolean;
  readonly only: readonly string[];
  readonly list: boolean;
  readonly rate: number;
  readonly seconds: number;
  readonly contacts: number;
  readonly runs: number;
  readonly seed: string;
  readonly out: string | undefined;
  readonly each: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

export const drillRegions = ['eu', 'us', 'ap'] as const;

/** What was asked for makes no sense; the message says why. */
export class WrongOption extends Error {
  override readonly name = 'WrongOption';
}

/** Reads the command line. @throws WrongOption */
export function readOptions(args: readonly string[]): DrillOptions {
  const values = parse(args);
  const { kill, planned, all } = values;
  const cuts = (values.cut ?? []).map(readCut);
  if (kill !== undefined) known('--kill', kill);
  if (planned && kill === undefined) {
    throw new WrongOption('--planned needs --kill: the region whose ownership moves.');
  }
  if (!all && !values.help && !values.list && kill === undefined && cuts.length === 0) {
    throw new WrongOption('Nothing to do: give --kill, --cut or --all. --help says more.');
  }
  return {
    kill,
    planned,
    cuts,
    all,
    only: (values.only ?? '').split(',').filter((name) => name !== ''),
    list: values.list,
    rate: whole('--rate', values.rate, 20_000),
    seconds: whole('--seconds', values.seconds, 600),
    contacts: whole('--contacts', values.contacts, 200),
    runs: whole('--runs', values.runs, 100),
    seed: values.seed,
    out: values.out,
    each: values.each,
    verbose: values.verbose,
    help: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kill: { type: 'string' },
        planned: { type: 'boolean', default: false },
        cut: { type: 'string', multiple: true },
        all: { type: 'boolean', default: false },
        only: { type: 'string' },
        list: { type: 'boolean', default: false },
        rate: { type: 'string', default: '600' },
        seconds: { type: 'string', default: '30' },
        contacts: { type: 'string', default: '6' },
        runs: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        out: { type: 'string' },
        each: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongOption((error as Error).message);
  }
}

function known(option: string, region: string): void {
  if ((drillRegions as readonly string[]).includes(region)) return;
  throw new WrongOption(
    `${option} is ${JSON.stringify(region)}; the regions of a drill are ${drillRegions.join(', ')}.`,
  );
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new WrongOption(
    `${option} is ${JSON.stringify(text)}; it must be a whole number from 1 to ${most}.`,
  );
}

/** Reads `eu-us:blackhole`, `eu-us:reset` or `eu>us:blackhole`. @throws WrongOption */
export function readCut(text: string): CutOrder {
  const [, from = '', sign, to = '', how] = /^(\w+)([->])(\w+):(reset|blackhole)$/.exec(text) ?? [];
  if (how === undefined || from === to) {
    throw new WrongOption(
      `--cut is ${JSON.stringify(text)}; it must be such as eu-us:blackhole, eu-us:reset or eu>us:blackhole.`,
    );
  }
  known('--cut', from);
  known('--cut', to);
  if (sign === '>' && how === 'reset') {
    throw new WrongOption('A connection is reset both ways: write eu-us:reset.');
  }
  return {
    from,
    to,
    by: how === 'reset' ? 'reset' : 'black hole',
    direction: sign === '>' ? 'forward' : 'both',
  };
}
