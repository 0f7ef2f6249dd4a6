import {
  checkFigures,
  lostOf,
  type Facts,
  type Observation,
  type Parameters,
} from '../receipt/index.ts';
import { batchLimit } from './lockstep.ts';
import type { Disastrous, PlayReport } from './report.ts';

/**
 * What a day that lost a region says for its receipt. Whoever started the regions knows the rest:
 * which programs ran, how long a lease is, and the id.
 */
export type DayFacts = Omit<Facts, 'id' | 'versions' | 'parameters'> & {
  readonly parameters: Omit<Parameters, 'leaseMs'>;
};

/** The durability of a request that asks for none: the player's. */
const atRegion = (count: number) => ({ region: count, mirrored: 0, all: 0 });

/** Rules whose breach means that an agent or a contact was booked twice. */
const doubleRules = ['one-offer', 'capacity', 'partition'] as const;

const oneDecimal = (value: number): number => Math.round(value * 10) / 10;

/** Puts together what the receipt of a day is made of; undefined when no region was lost. */
export function dayFacts(report: PlayReport): DayFacts | undefined {
  const { disaster, startedAt, endedAt, seed } = report;
  if (disaster === null) return undefined;
  const { acknowledgements, lost } = disaster;
  const { places, requests, unanswered, retried, longestPauseMs } = acknowledgements;
  const lastAt = places.at(-1)?.atMs ?? startedAt;
  return {
    exercise: `kill ${disaster.region} at ${clockTime(disaster.at)} of the day ${report.date}`,
    seed,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    parameters: parametersOf(report, disaster),
    actions: actionsOf(report, disaster),
    publishing: {
      acknowledged: atRegion(requests),
      acknowledgedInTime: requests,
      tookMs: lastAt - startedAt,
      retried,
      uncured: unanswered,
      longestPauseMs,
    },
    missing: lostOf(disaster.missing.map((one) => ({ durability: 'region', ...one }))),
    rpoMs: rpoMs(report, disaster),
    lost: lostOf(lost),
    ...timesOf(report, disaster),
    ownership: disaster.ownership,
    orphans: orphansOf(report, disaster),
    doubleAssignments: doubleRules.reduce((sum, rule) => sum + (report.check.counts[rule] ?? 0), 0),
    observations: observationsOf(report),
    check: checkFigures(report.check, disaster.differing),
  };
}

const clockTime = (at: number): string => new Date(at).toISOString().slice(11, 19);

function parametersOf(
  { regions, wallSeconds, figures }: PlayReport,
  { region }: Disastrous,
): DayFacts['parameters'] {
  const all = regions ?? [region];
  const seconds = Math.max(0.1, oneDecimal(wallSeconds));
  return {
    regions: all,
    home: region,
    kind: 'UNPLANNED',
    ratePerSecond: null,
    seconds,
    batchSize: batchLimit,
    publishersPerRegion: 1,
    sharesPercent: atRegion(100),
    contactsPerSecond: oneDecimal(figures.contacts / seconds),
    agentsPerRegion: Math.ceil(figures.agents / all.length),
  };
}

/** Times: ms after the day began. */
function actionsOf({ startedAt }: PlayReport, disaster: Disastrous): Facts['actions'] {
  const { region, at, killedAt, recoveredMs, sentAgain, restartedAt, returnedMs } = disaster;
  const since = (epochMs: number): number => Math.max(0, Math.round(epochMs - startedAt));
  const noted = [
    { atMs: since(killedAt), what: `kill ${region}, at ${clockTime(at)} of the day` },
    {
      atMs: since(killedAt + recoveredMs),
      what: `the day goes on; ${sentAgain} requests to ${region} were sent again elsewhere`,
    },
  ];
  if (restartedAt === null) return noted;
  noted.push({ atMs: since(restartedAt), what: `the day is over: start ${region}` });
  if (returnedMs === null) return noted;
  return [...noted, { atMs: since(restartedAt + returnedMs), what: 'all regions rest' }];
}

/** From the first message that no survivor held, or the first orphan, to the kill. */
function rpoMs({ startedAt }: PlayReport, disaster: Disastrous): number {
  const { killedAt, missing, orphansAt } = disaster;
  const lostAt = [...missing.map(({ atMs }) => atMs), ...orphansAt.values()];
  return killedAt - Math.min(killedAt, ...lostAt.filter((atMs) => atMs >= startedAt));
}

/** The takeovers since the day began, and what the one of the lost region's home took. */
function timesOf(
  { startedAt }: PlayReport,
  { takeovers, region, killedAt, returnedMs }: Disastrous,
): Pick<Facts, 'times' | 'takeovers'> {
  const ofTheDay = takeovers.filter(({ completedAt }) => completedAt >= startedAt);
  const taken = ofTheDay.find(
    ({ home, completedAt }) => home === region && completedAt >= killedAt,
  );
  const since = (at: number | null | undefined, from: number): number | null =>
    at === null || at === undefined ? null : Math.max(0, Math.round(at - from));
  return {
    times: {
      detectionMs: since(taken?.detectedAt, killedAt),
      takeoverMs: since(taken?.completedAt, killedAt),
      firstOfferMs: since(taken?.firstOfferAt, killedAt),
      returnMs: returnedMs === null ? null : Math.round(returnedMs),
    },
    takeovers: ofTheDay.map(({ home, epoch, from, to, kind, detectedAt, completedAt }) => ({
      home,
      epoch,
      from,
      to,
      kind: kind === 'PLANNED' ? 'PLANNED' : 'UNPLANNED',
      detectedAtMs: since(detectedAt, startedAt),
      completedAtMs: completedAt - startedAt,
    })),
  };
}

/** Of this day: a log that is older may hold others. */
function orphansOf({ check, startedAt }: PlayReport, { orphansAt }: Disastrous): Facts['orphans'] {
  const found = check.orphans.filter(
    ({ stream, sequence }) => (orphansAt.get(`${stream}:${sequence}`) ?? startedAt) >= startedAt,
  );
  const ended = (outcome: string): number =>
    found.filter((orphan) => orphan.outcome === outcome).length;
  return { found: found.length, adopted: ended('adopted'), setAside: ended('set_aside') };
}

/** What a day promises beyond what every drill does. */
function observationsOf({ figures, disagreements }: PlayReport): Observation[] {
  const never = (code: string, promise: string, measured: number, unit: string): Observation => ({
    code,
    promise,
    measured,
    bound: 'at most',
    limit: 0,
    unit,
  });
  const ended = 'Every contact of the day came to its end';
  const same = 'The log says of the day what those outside saw';
  return [
    never('PLAYED_OUT', ended, figures.unfinished, 'contacts open'),
    never('AS_SEEN', same, disagreements.length, 'totals that differ'),
  ];
}
