import { exitCodes } from '../fault.ts';
import { EdgeClient } from '../http/client.ts';
import { formatDuration } from '../render/duration.ts';
import type { Paint } from '../render/colour.ts';
import { table } from '../render/table.ts';
import { checkoutEdges } from '../settings.ts';
import {
  listOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';

/** `GET /v1/regions`: the mesh as one region sees it. Null: it has not heard of it lately. */
export interface MeshView {
  /** Who looks. */
  readonly region: string;
  readonly regions: readonly {
    readonly region: string;
    readonly owns: readonly string[];
    readonly lease: { readonly ageMs: number } | null;
    readonly isolated: boolean | null;
    readonly control: 'ok' | 'away' | null;
  }[];
  readonly homes: readonly {
    readonly home: string;
    readonly owner: string;
    readonly epoch: number;
    readonly state: string;
    readonly failover: {
      readonly to: string;
      readonly kind: string;
      readonly step: string;
    } | null;
    readonly seals: readonly {
      readonly epoch: number;
      readonly owner: string;
      readonly upTo: number;
    }[];
  }[];
  /** What `to` does not hold of `from` yet. */
  readonly links: readonly {
    readonly from: string;
    readonly to: string;
    readonly events: number;
    readonly ms: number;
  }[];
  readonly isolated: boolean | null;
  /** Of the region that looks: the age of what no other region holds, and how many messages. */
  readonly atRisk: {
    readonly ms: number | null;
    readonly messages: Readonly<Record<string, number>>;
  };
  readonly intakeOpen: boolean;
  readonly control: 'ok' | 'away' | null;
  readonly recovery: { readonly heardMsAgo: number } | null;
}

/** A lease older than this is about to lapse or has lapsed: it is renewed every second. */
const oldLeaseMs = 3_000;

/** An edge that is away is not waited for longer, in ms. */
const otherEdgeMs = 3_000;

const yesOrNo = (value: boolean | null, yes: string, no: string): string =>
  value === null ? '?' : value ? yes : no;

/** The regions, the homes and the links as tables. */
export function renderRegions(view: MeshView, paint: Paint): string {
  return [
    `As ${view.region} sees it:\n\n`,
    renderRegionRows(view, paint),
    '\n',
    renderHomes(view),
    '\n',
    renderLinks(view),
    '\n',
    renderSelf(view, paint),
  ].join('');
}

function renderRegionRows({ regions }: MeshView, paint: Paint): string {
  return table(
    [
      { heading: 'region' },
      { heading: 'decides for' },
      { heading: 'lease', isNumber: true },
      { heading: 'others' },
      { heading: 'control' },
    ],
    regions.map(({ region, owns, lease, isolated, control }) => {
      const age = lease === null ? 'never seen' : formatDuration(lease.ageMs);
      const isOld = lease === null || lease.ageMs > oldLeaseMs;
      return [
        region,
        owns.length === 0 ? '-' : owns.join(', '),
        isOld ? paint('red', age) : age,
        yesOrNo(isolated, paint('red', 'isolated'), 'seen'),
        control === 'away' ? paint('red', control) : (control ?? '?'),
      ];
    }),
  );
}

function renderHomes({ homes }: MeshView): string {
  return table(
    [
      { heading: 'home' },
      { heading: 'owner' },
      { heading: 'epoch', isNumber: true },
      { heading: 'state' },
      { heading: 'seals' },
    ],
    homes.map(({ home, owner, epoch, state, failover, seals }) => [
      home,
      owner,
      String(epoch),
      failover === null ? state : `${state}: to ${failover.to}, ${failover.step}`,
      seals.map((seal) => `${seal.epoch} EV_${seal.owner}:${seal.upTo}`).join(', '),
    ]),
  );
}

function renderLinks({ links }: MeshView): string {
  if (links.length === 0) return 'No region has said yet how far its copies are.\n';
  return table(
    [
      { heading: 'from' },
      { heading: 'to' },
      { heading: 'behind', isNumber: true },
      { heading: 'lag', isNumber: true },
    ],
    links.map(({ from, to, events, ms }) => [from, to, String(events), formatDuration(ms)]),
  );
}

function renderSelf(view: MeshView, paint: Paint): string {
  const { region, isolated, atRisk, intakeOpen, control, recovery } = view;
  if (recovery === null) {
    return `${paint('red', `The recovery of ${region} says nothing`)}: leases and links are not known.\n`;
  }
  const messages = Object.values(atRisk.messages).reduce((sum, count) => sum + count, 0);
  return [
    isolated === true ? `${paint('red', `${region} is isolated`)}: it sees no other region.\n` : '',
    control === 'away' ? `${paint('red', 'The control cluster does not answer.')}\n` : '',
    intakeOpen
      ? ''
      : `${paint('red', `The way into ${region} is shut`)}: its streams are compared.\n`,
    `At risk in ${region}: ${messages} messages that no other region holds` +
      `${atRisk.ms === null ? '' : `, the oldest for ${formatDuration(atRisk.ms)}`}.\n`,
  ].join('');
}

/**
 * What each region says of itself and of its links, put into the view of the one that was asked:
 * a region hears of another one's links only what that one tells it.
 */
export function mergeViews(view: MeshView, others: readonly MeshView[]): MeshView {
  const saying = new Map([view, ...others].map((one) => [one.region, one]));
  const known = new Set(view.links.map(({ from, to }) => `${from}-${to}`));
  const links = others.flatMap((one) =>
    one.links.filter(({ from, to }) => from === one.region && !known.has(`${from}-${to}`)),
  );
  return {
    ...view,
    regions: view.regions.map((one) => {
      const itself = saying.get(one.region);
      const isolated = one.isolated ?? itself?.isolated ?? null;
      return { ...one, isolated, control: one.control ?? itself?.control ?? null };
    }),
    links: [...view.links, ...links].toSorted((a, b) =>
      `${a.from}-${a.to}` < `${b.from}-${b.to}` ? -1 : 1,
    ),
  };
}

/** What the other edges of the checkout, or those named, answer; those that are away say nothing. */
async function otherViews({ io }: Context, options: Options, region: string): Promise<MeshView[]> {
  const key = textOption(options, 'key') ?? io.env['MERIDIAN_KEY'];
  const isOne = textOption(options, 'url') !== undefined || (io.env['MERIDIAN_URL'] ?? '') !== '';
  const edges =
    listOption(options, 'edges')?.map((url) => ({ url, key })) ?? (isOne ? [] : checkoutEdges(io));
  const answers = await Promise.all(
    edges.map(async (edge) => {
      const client = new EdgeClient({
        url: edge.url,
        timeoutMs: otherEdgeMs,
        ...(edge.key === undefined ? {} : { key: edge.key }),
      });
      try {
        return [await client.get<MeshView>('/v1/regions')];
      } catch {
        return [];
      } finally {
        client.close();
      }
    }),
  );
  return answers.flat().filter((view) => view.region !== region);
}

export const regionsCommand: CommandSpec = {
  usage: 'regions',
  summary:
    'Regions: who decides for what, epochs, leases, how far copies are behind, what is at risk',
  options: [
    {
      flags: '--edges <urls>',
      text: 'further edges to ask about their links; those of the checkout by default',
    },
  ],
  examples: ['meridian regions', 'meridian regions --region us', 'meridian regions --json'],
  async run(context, _args, options) {
    const own = await context.client.get<MeshView>('/v1/regions');
    const view = mergeViews(own, await otherViews(context, options, own.region));
    if (context.json) printJson(context, view);
    else context.io.out(renderRegions(view, context.paint));
    return exitCodes.ok;
  },
};
