import type { DayFigures, DayPlan } from '../day/index.ts';
import { audit } from './audit.ts';
import { Cast } from './cast.ts';
import { Disaster, type Blow } from './disaster.ts';
import type { ClockReading, PlayerEdge, SeenEvent, StoredRequest } from './edge.ts';
import { Feed } from './feed.ts';
import { lastEvents, playLockstep, type Stage, type Steps } from './lockstep.ts';
import { MeshEdge } from './mesh-edge.ts';
import { movePlan, startOf } from './move.ts';
import { RunNames } from './names.ts';
import { patiently, Patience, PlayFault, type PatienceOptions } from './patience.ts';
import { Placement } from './placement.ts';
import { Pulse } from './pulse.ts';
import type { PlayReport } from './report.ts';
import { Requests } from './requests.ts';
import { playerAssumptions } from './rules.ts';
import { playScaled, runningFrom } from './scaled.ts';
import type { View } from './view.ts';

/** `max`: in lockstep, as fast as the region decides; a number: log time per real time. */
export type Speed = 'max' | number;

export interface PlayOptions {
  readonly edge: PlayerEdge;
  readonly plan: DayPlan;
  /** What the real centre did, when the plan is of a real day. */
  readonly real: DayFigures | null;
  readonly speed: Speed;
  /** Of the ids; new for each play in a region. */
  readonly run: string;
  readonly view?: View;
  readonly patience?: PatienceOptions;
  /** A region that is lost on the way; the edge is a `MeshEdge` then. */
  readonly blow?: Blow;
  /** Ends the play at the next step. */
  readonly signal?: AbortSignal;
}

const dayMs = 86_400_000;
/** The first action of a day on the system's clock comes this much later. */
const headStartMs = 1_000;

/** By how much the plan must be moved so that its day lies ahead of the region's clock, in ms. */
export function moveFor(startAt: number, { driven, now }: ClockReading): number {
  if (!driven) return (now ?? Date.now()) + headStartMs - startAt;
  return now === null || now <= startAt ? 0 : Math.ceil((now - startAt) / dayMs) * dayMs;
}

function checkSpeed(speed: Speed, { driven }: ClockReading): void {
  if (driven || speed === 1) return;
  throw new PlayFault(
    `The speed is ${speed}, but the region runs on the system's clock.\n` +
      'Start the region with MERIDIAN_CLOCK=driven, or play with --speed 1.',
  );
}

/**
 * Plays a day against a running region, then reads the log back and says what became of it.
 * @throws PlayFault when the region stays away, cannot be played at this speed, or a contact can
 * never end; EdgeRefusal when the region refuses what is asked
 */
export async function playDay(options: PlayOptions): Promise<PlayReport> {
  const { edge, speed, run, real } = options;
  const patience = new Patience(options.patience);
  const patient = patiently(edge, patience);
  const reading = await patient.clock();
  checkSpeed(speed, reading);
  const movedByMs = moveFor(startOf(options.plan), reading);
  const plan = movePlan(options.plan, movedByMs);
  const names = new RunNames(run, plan);
  const cast = new Cast(plan, names);
  const placement = new Placement(plan, names, edge.regions ?? []);
  const disaster = disasterOf(options, placement, plan, movedByMs);
  const intake = new IntakeWitness(run, () => patience.failures);
  const startedAt = Date.now();
  const startedAtMs = performance.now();
  const { feed, steps } = await perform(options, plan, reading.driven, {
    cast,
    placement,
    disaster,
    requests: new Requests(plan, names, placement),
    edge: { ...patient, publish: async (requests) => intake.note(await patient.publish(requests)) },
    failures: () => patience.failures,
  });
  const wallSeconds = (performance.now() - startedAtMs) / 1000;
  await feed.close();
  const { now } = await patient.clock();
  await disaster?.mend(now ?? Date.now());
  const belief = {
    contacts: cast.contacts,
    events: feed.events,
    first: feed.first,
    last: feed.last,
    tenant: feed.tenant ?? '',
    requests: steps.requests,
    ...cast.strays,
  };
  const regions = edge.regions ?? [intake.region];
  const { takeovers, ownership, orphansAt, ...found } = await audit(
    edge,
    regions,
    { plan, names, belief },
    patience,
  );
  const seen = await disaster?.look();
  return {
    run,
    date: plan.date,
    seed: plan.seed,
    speed,
    movedByMs,
    assumptions: [...plan.assumptions, ...playerAssumptions],
    real,
    steps,
    wallSeconds,
    lateEvents: feed.late,
    failures: patience.failures,
    regions: edge.regions ?? null,
    disaster: seen === undefined ? null : { ...seen, takeovers, ownership, orphansAt },
    ...found,
    startedAt,
    endedAt: Date.now(),
  };
}

function disasterOf(
  { edge, blow, view }: PlayOptions,
  placement: Placement,
  { date }: DayPlan,
  movedByMs: number,
): Disaster | undefined {
  if (blow === undefined) return undefined;
  if (edge instanceof MeshEdge) {
    const midnight = Date.parse(`${date}T00:00:00Z`) + movedByMs;
    return new Disaster(blow, edge, placement, midnight, (line) => view?.say(line));
  }
  throw new PlayFault(
    `The region ${blow.region} cannot be killed: it is the only one.\nPlay with several regions.`,
  );
}

type Troupe = Pick<Stage, 'cast' | 'requests' | 'edge' | 'disaster'> & {
  readonly placement: Placement;
  readonly failures: () => number;
};

async function perform(
  { edge, speed, view, patience, signal }: PlayOptions,
  plan: DayPlan,
  driven: boolean,
  { failures, placement, ...troupe }: Troupe,
): Promise<{ feed: Feed; steps: Steps }> {
  const startAt = startOf(plan);
  const rest = driven ? await troupe.edge.advance({ at: startAt, rate: 0 }) : undefined;
  const after = rest === undefined ? 'now' : lastEvents(rest);
  const see = (event: SeenEvent): void => {
    placement.see(event);
    troupe.cast.see(event);
  };
  const feed = new Feed(edge, after, see, patience);
  const pulse = new Pulse(troupe.cast, feed, failures, plan.contacts.length);
  const onStep: Stage['onStep'] = (step) => {
    if (signal?.aborted === true) throw interrupted();
    pulse.step();
    if (view?.isDue(step.logAt) === true) view.show(pulse.progress(step));
  };
  const stage = { ...troupe, feed, onStep };
  try {
    await feed.open();
    if (rest !== undefined && speed === 'max') {
      return { feed, steps: await playLockstep(stage, rest) };
    }
    const rate = Number(speed);
    if (driven) await troupe.edge.advance({ at: startAt, rate });
    const { now } = await troupe.edge.clock();
    const steps = await playScaled(stage, runningFrom(now ?? startAt, rate));
    if (driven) await troupe.edge.advance({ rate: 0 });
    return { feed, steps };
  } catch (error) {
    await feed.close();
    throw error;
  }
}

function interrupted(): PlayFault {
  return new PlayFault(
    'The play was interrupted; contacts of the day are still open.\n' +
      'Play it again from its beginning, under another --run.',
  );
}

/** Learns from the answers where requests are stored, and that they are new. */
class IntakeWitness {
  readonly #run: string;
  readonly #failures: () => number;
  #region: string | undefined;

  constructor(run: string, failures: () => number) {
    this.#run = run;
    this.#failures = failures;
  }

  /** The region that stored the first request. */
  get region(): string {
    if (this.#region !== undefined) return this.#region;
    throw new PlayFault('Nothing was published: the plan is empty.\nPlan at least one contact.');
  }

  /** @throws PlayFault when a request was stored before although none failed */
  note(stored: readonly StoredRequest[]): readonly StoredRequest[] {
    for (const { stream, duplicate, id } of stored) {
      this.#region ??= stream.slice(stream.indexOf('_') + 1);
      if (!duplicate || this.#failures() > 0) continue;
      throw new PlayFault(
        `The request ${id} of run ${this.#run} had been stored before.\n` +
          'Choose another --run: each play in a region needs its own.',
      );
    }
    return stored;
  }
}
