import type { Observation, RawEntry } from '@meridian/cli';
import { eventStream, intakeStream } from '@meridian/wire';
import type { Acknowledged } from './acknowledgements.ts';
import { promised, type Evidence } from './exercises/exercise.ts';
import { takeoverAfter } from './facts.ts';
import { storedMs } from './findings.ts';

/** From one moment to another, epoch ms. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const isWithin = ({ fromMs, toMs }: Span, atMs: number): boolean => atMs >= fromMs && atMs < toMs;

/** What a region decided while it had no lease, by when its own server stored it. */
export async function decidedAlone(
  entries: AsyncIterable<RawEntry>,
  alone: Span,
): Promise<RawEntry[]> {
  const found: RawEntry[] = [];
  for await (const entry of entries) {
    if (isWithin(alone, storedMs(entry))) found.push(entry);
  }
  return found;
}

/** What publishers were told that a region holds, while it was alone. */
export const takenAlone = (
  acknowledged: readonly Acknowledged[],
  region: string,
  alone: Span,
): Acknowledged[] =>
  acknowledged.filter(
    ({ stream, durability, atMs }) =>
      stream === intakeStream(region) && durability === 'region' && isWithin(alone, atMs),
  );

/** As after a kill, in ms. */
const takeoverLimitMs = 15_000;

/**
 * A region that is cut off decides nothing once its lease has ended, and keeps its intake. The last
 * renewal that succeeded was sent before the cut, so the lease ends `leaseMs` after it at the latest.
 */
export async function judgeIsolation(region: string, evidence: Evidence): Promise<Observation[]> {
  const { stage, blowAt, mendedAt, leaseMs, settled } = evidence;
  const alone = { fromMs: blowAt + leaseMs, toMs: mendedAt };
  const stream = eventStream(region);
  const decided = await decidedAlone(evidence.entries(region, stream), alone);
  for (const { sequence, subject } of decided.slice(0, 5)) {
    stage.say(`decided without a lease: ${stream}:${sequence} ${subject}`);
  }
  const taken = takenAlone(stage.acknowledgements.all, region, alone);
  const takeover = takeoverAfter(settled.findings, region, blowAt);
  return [
    promised(
      'NO_LEASE_NO_DECISION',
      `${region} decides nothing after its lease has ended`,
      alone.toMs > alone.fromMs ? decided.length : null,
      'at most',
      0,
      'entries',
    ),
    promised(
      'INTAKE_KEPT',
      `${region} alone still takes requests in`,
      taken.length,
      'at least',
      1,
      'requests',
    ),
    promised(
      'TAKEN_OVER',
      `Another region decides for ${region} within 15 s`,
      takeover === undefined ? null : Math.round(takeover.completedAt - blowAt),
      'at most',
      takeoverLimitMs,
      'ms',
    ),
  ];
}
