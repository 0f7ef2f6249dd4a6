import { eventStream } from '@meridian/wire';
import { IntakeIndex, LogCheck, type LogCheckResult } from '../check/index.ts';
import { summarise, type DayFigures, type DayPlan } from '../day/index.ts';
import type { ContactCounts } from './counts.ts';
import type { PlayerEdge } from './edge.ts';
import type { RunNames } from './names.ts';
import { OfferLatencies, type OfferLatency } from './offerLatency.ts';
import { readPatiently, type Patience } from './patience.ts';
import { DayFromLog } from './totals.ts';

/** What the player saw, to be compared with the log. */
export interface Belief {
  readonly contacts: ContactCounts;
  readonly events: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
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
  readonly disagreements: readonly string[];
}

/**
 * Reads both logs back, tells from them alone what became of the day, checks the invariants on
 * all of it, and compares it with what the player saw.
 * @param intake the name of the intake stream, such as IN_eu
 */
export async function audit(
  edge: Pick<PlayerEdge, 'log'>,
  intake: string,
  play: { readonly plan: DayPlan; readonly names: RunNames; readonly belief: Belief },
  patience: Patience,
): Promise<Audit> {
  const { plan, names, belief } = play;
  const index = new IntakeIndex();
  const latencies = new OfferLatencies((contactId) => names.planned(contactId) !== undefined);
  let requestsStored = 0;
  for await (const entry of readPatiently(edge, intake, patience)) {
    index.add(entry);
    latencies.readRequest(entry);
    const { source } = JSON.parse(entry.data) as { source?: unknown };
    if (source === names.source) requestsStored += 1;
  }
  const check = new LogCheck({ intake: index, gapless: false });
  const day = new DayFromLog(
    names,
    plan.agents.map(({ id }) => id),
    belief,
  );
  const events = eventStream(intake.slice(intake.indexOf('_') + 1));
  for await (const entry of readPatiently(edge, events, patience)) {
    check.read(entry);
    latencies.readDecision(entry);
    day.read(entry);
  }
  const logged = day.finish();
  const figures = summarise(logged.samples);
  const totals = { requestsStored, eventsStored: logged.events };
  return {
    figures,
    ...totals,
    offerLatency: latencies.finish(),
    check: check.finish(),
    disagreements: disagreements(figures, totals, plan.contacts.length, belief),
  };
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
