import {
  checkMesh,
  IntakeIndex,
  LogCheck,
  OwnershipLedger,
  storedAtMs,
  type LogCheckResult,
  type RawEntry,
  type Source,
} from '../check/index.ts';
import { summarise, type DayFigures, type DayPlan } from '../day/index.ts';
import type { Epoch } from '../receipt/index.ts';
import { byStorage, Canon } from './canon.ts';
import type { ContactCounts } from './counts.ts';
import type { Places, PlayerEdge } from './edge.ts';
import type { RunNames } from './names.ts';
import { OfferLatencies, type OfferLatency } from './offerLatency.ts';
import { readPatiently, type Patience } from './patience.ts';
import { Takeovers, type Takeover } from './takeovers.ts';
import { DayFromLog } from './totals.ts';

/** What the player saw, to be compared with the log. */
export interface Belief {
  readonly contacts: ContactCounts;
  readonly events: number;
  /** Of each event stream: the first sequence of which something was heard, and the last. */
  readonly first: Places;
  readonly last: Places;
  readonly tenant: string;
  readonly requests: number;
  readonly offersToStrangers: number;
}

export interface Audit {
  readonly figures: DayFigures;
  readonly eventsStored: number;
  readonly requestsStored: number;
  readonly offerLatency: OfferLatency;
  readonly check: LogCheckResult;
  /** The homes that moved to another region meanwhile. */
  readonly takeovers: readonly Takeover[];
  /** Who decided for each home up to where; nothing in a region alone. */
  readonly ownership: Readonly<Record<string, readonly Epoch[]>>;
  /** When the entries that do not count were stored, epoch ms, by `<stream>:<sequence>`. */
  readonly orphansAt: ReadonlyMap<string, number>;
  readonly disagreements: readonly string[];
}

type Log = Pick<PlayerEdge, 'log'>;

/**
 * Reads the logs of all regions back, tells from them alone what became of the day, checks the
 * invariants on all of it, and compares it with what the player saw.
 * @param regions whose streams hold it
 */
export async function audit(
  edge: Log,
  regions: readonly string[],
  play: { readonly plan: DayPlan; readonly names: RunNames; readonly belief: Belief },
  patience: Patience,
): Promise<Audit> {
  const { plan, names, belief } = play;
  const read = (kind: 'IN' | 'EV'): AsyncIterable<RawEntry> =>
    byStorage(regions.map((region) => readPatiently(edge, `${kind}_${region}`, patience)));
  const index = new IntakeIndex();
  const latencies = new OfferLatencies((contactId) => names.planned(contactId) !== undefined);
  // A request that was sent again to another region is stored there, too.
  const requests = new Set<string>();
  for await (const entry of read('IN')) {
    index.add(entry);
    latencies.readRequest(entry);
    const { source, id } = JSON.parse(entry.data) as { source?: unknown; id?: unknown };
    if (source === names.source) requests.add(String(id));
  }
  const options = { intake: index, gapless: false };
  const check = new LogCheck(options);
  const ledger = regions.length > 1 ? new OwnershipLedger() : undefined;
  const checked = ledger && (await checkMesh(sourcesOf(edge, regions, patience, ledger), options));
  const takeovers = new Takeovers();
  const day = new DayFromLog(
    names,
    plan.agents.map(({ id }) => id),
    belief,
  );
  const canon = new Canon(ledger, (entry) => day.read(entry));
  const orphansAt = new Map<string, number>();
  for await (const entry of read('EV')) {
    if (!canon.read(entry)) {
      orphansAt.set(`${entry.stream}:${entry.sequence}`, storedAtMs(entry));
      continue;
    }
    if (ledger === undefined) check.read(entry);
    else takeovers.read(entry);
    latencies.readDecision(entry);
  }
  canon.finish();
  const logged = day.finish();
  const figures = summarise(logged.samples);
  const totals = { requestsStored: requests.size, eventsStored: logged.events };
  return {
    figures,
    ...totals,
    offerLatency: latencies.finish(),
    check: checked ?? check.finish(),
    takeovers: takeovers.list(),
    ownership: ledger === undefined ? {} : ownershipOf(ledger, regions),
    orphansAt,
    disagreements: disagreements(figures, totals, plan.contacts.length, belief),
  };
}

function ownershipOf(
  ledger: OwnershipLedger,
  homes: readonly string[],
): Record<string, readonly Epoch[]> {
  return Object.fromEntries(
    homes.map((home) => {
      const { seals, epoch, owner } = ledger.epochs(home);
      const ended = seals.map((seal) => ({ ...seal }));
      return [home, [...ended, { epoch, owner, upTo: null }]];
    }),
  );
}

/**
 * The event streams as the check of a mesh reads them: at its first reading the ledger learns who
 * decided for which home, and up to where.
 */
function sourcesOf(
  edge: Log,
  regions: readonly string[],
  patience: Patience,
  ledger: OwnershipLedger,
): Source[] {
  return regions.map((region) => ({
    stream: `EV_${region}`,
    grows: true,
    async *read({ after, to }) {
      if (to !== undefined && to <= after) return;
      const range = { from: after + 1, ...(to === undefined ? {} : { to }) };
      const isFirst = after === 0 && to === undefined;
      for await (const entry of readPatiently(edge, `EV_${region}`, patience, range)) {
        if (isFirst) ledger.learn(entry);
        yield [JSON.stringify(entry)];
      }
    },
  }));
}

/** Where the log and the player disagree, one sentence each. */
export function disagreements(
  figures: DayFigures,
  stored: { readonly requestsStored: number; readonly eventsStored: number },
  planned: number,
  belief: Belief,
): string[] {
  const { contacts, events, requests, offersToStrangers } = belief;
  const pairs: readonly (readonly [what: string, log: number, player: number])[] = [
    ['contacts', figures.contacts, planned],
    ['served contacts', figures.served, contacts.SERVED],
    ['abandoned contacts', figures.abandoned, contacts.ABANDONED],
    ['contacts that left in the IVR', figures.leftInIvr, contacts.LEFT_IN_IVR],
    ['requests', stored.requestsStored, requests],
    ['events', stored.eventsStored, events],
  ];
  const sentences = pairs
    .filter(([, log, player]) => log !== player)
    .map(([what, log, player]) => `The log holds ${log} ${what}, the player counted ${player}.`);
  if (offersToStrangers > 0) {
    sentences.push(
      `${offersToStrangers} offers went to agents who are not of this day: others are signed in.`,
    );
  }
  return sentences;
}
