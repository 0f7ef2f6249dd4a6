import { exitCodes } from '../fault.ts';
import { formatDuration } from '../render/duration.ts';
import type { Paint } from '../render/colour.ts';
import { table } from '../render/table.ts';
import { printJson, type CommandSpec } from './command.ts';

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

export const regionsCommand: CommandSpec = {
  usage: 'regions',
  summary:
    'Regions: who decides for what, epochs, leases, how far copies are behind, what is at risk',
  examples: ['meridian regions', 'meridian regions --region us', 'meridian regions --json'],
  async run(context) {
    const view = await context.client.get<MeshView>('/v1/regions');
    if (context.json) printJson(context, view);
    else context.io.out(renderRegions(view, context.paint));
    return exitCodes.ok;
  },
};
