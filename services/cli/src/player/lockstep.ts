import type { Action } from './action.ts';
import type { Cast } from './cast.ts';
import type { Disaster } from './disaster.ts';
import type { ClockAnswer, Places } from './edge.ts';
import { eventPlaces, type Feed } from './feed.ts';
import { PlayFault, type PatientEdge } from './patience.ts';
import type { Requests } from './requests.ts';

/** Those who play, and what they play through. */
export interface Stage {
  readonly edge: PatientEdge;
  readonly cast: Cast;
  readonly requests: Requests;
  readonly feed: Feed;
  /** What breaks on the way. */
  readonly disaster?: Disaster | undefined;
  /** Told after each step where the log's time is, and how far behind the player is. */
  readonly onStep: (step: { readonly logAt: number; readonly lagMs: number | null }) => void;
}

export interface Steps {
  /** Requests that were published. */
  readonly requests: number;
  /** Times at which the clock was set, or that everything settled again at the same time. */
  readonly settlings: number;
}

/** How many requests are published together when they cannot touch each other. */
export const batchLimit = 100;

/** How far the streams of events have come, by a clock's answer. */
export function lastEvents(answer: ClockAnswer): Places {
  const places = eventPlaces(answer.lastSequence);
  if (Object.keys(places).length > 0) return places;
  throw new PlayFault(
    'The answer of POST /v1/clock names no event stream.\nCheck that the edge and the player ' +
      'are of one version.',
  );
}

/**
 * Plays as fast as the region decides, in lockstep with the log's time, which stands still except
 * when the player moves it: from one action or due timer to the next, never past one. Each action
 * is published when everything before it has been decided, so that what is decided, and in which
 * order, depends on the plan alone.
 * @param start the clock's answer at the beginning of the day, settled
 * @throws PlayFault when the region stays away, or contacts can never end
 */
export async function playLockstep(stage: Stage, start: ClockAnswer): Promise<Steps> {
  const { edge, cast, feed, disaster, onStep } = stage;
  let clock = start;
  let requests = 0;
  let settlings = 0;
  const settle = async (at: number): Promise<void> => {
    clock = await edge.advance({ at, rate: 0 });
    await feed.until(lastEvents(clock));
    settlings += 1;
  };
  for (;;) {
    const at = nextStop(cast, clock);
    if (at === undefined) return { requests, settlings };
    const latestMs = disaster?.latestMs ?? Infinity;
    if (at > latestMs) {
      await settle(Math.max(latestMs, clock.at));
      await disaster?.strike(clock.at);
      await settle(clock.at);
    } else if (at > clock.at) {
      await settle(at);
    } else {
      const next = cast.peek();
      const strikes = next !== undefined && disaster?.isDue(clock.at, next) === true;
      // The request is on its way while the region is killed: it may or may not be stored.
      const [published] = await Promise.all([
        publishNext(stage, clock.at),
        strikes ? disaster.strike(clock.at) : undefined,
      ]);
      requests += published;
      await settle(clock.at);
    }
    onStep({ logAt: clock.at, lagMs: null });
  }
}

/** When something happens next: an action, or before it a timer. Undefined when the day is over. */
function nextStop(cast: Cast, { at, nextDueMs }: ClockAnswer): number | undefined {
  const next = cast.peek();
  const due = nextDueMs !== null && nextDueMs > at ? nextDueMs : undefined;
  if (next !== undefined) return Math.max(at, Math.min(next.at, due ?? Infinity));
  if (cast.living === 0) return undefined;
  // Only the region's own timers can bring the rest to an end.
  if (due !== undefined) return due;
  throw stuck(cast);
}

/** Says who never came to an end. */
export function stuck(cast: Cast): PlayFault {
  return new PlayFault(
    `${cast.living} contacts never end, among them ${cast.unfinished(5).join(', ')}.\n` +
      'See what the region set aside: GET /v1/set-aside.',
  );
}

async function publishNext({ edge, cast, requests }: Stage, at: number): Promise<number> {
  const batch = takeTogether(cast, at)
    .map((action) => requests.of(action, cast, at))
    .filter((request) => request !== undefined);
  if (batch.length > 0) await edge.publish(batch);
  return batch.length;
}

/**
 * The next action, and with it those that cannot touch it: while nobody waits, setting up a queue
 * and signing in change nothing but the one queue or agent.
 */
function takeTogether(cast: Cast, at: number): Action[] {
  const first = cast.take();
  if (first === undefined) return [];
  const taken = [first];
  const { kind } = first;
  const { QUEUED, OFFERED } = cast.contacts;
  if ((kind !== 'CONFIGURE_QUEUE' && kind !== 'SIGN_IN') || QUEUED + OFFERED > 0) return taken;
  while (taken.length < batchLimit) {
    const next = cast.peek();
    if (next === undefined || next.kind !== kind || next.at > at) break;
    taken.push(next);
    cast.take();
  }
  return taken;
}
