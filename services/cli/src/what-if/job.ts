import type { RecordedDay } from './day.ts';
import type { DayFigures } from './tally.ts';

/** What the simulator is asked to do: each of the days with each of the seeds. */
export interface Job {
  readonly days: readonly RecordedDay[];
  readonly seeds: readonly string[];
  /** By queue: the wait within which an answer is in time, ms; the same for all days. */
  readonly serviceLevelMs: Readonly<Record<string, number>>;
}

/** One day with one seed. */
export interface Run {
  /** Which of the days, from 0. */
  readonly day: number;
  readonly seed: string;
  readonly figures: DayFigures;
  /** Of the contacts that were answered: how many as recorded. */
  readonly likeRecord: {
    readonly answered: number;
    /** By the same agent. */
    readonly sameAgent: number;
    /** After the same wait, to the second. */
    readonly sameWait: number;
  };
  /** How many of those who were served draw their patience, and how many of them gave up now. */
  readonly drawn: { readonly patience: number; readonly gaveUp: number };
  /** Contacts whose work was drawn, because they were not served in the record, and were now. */
  readonly handlingsDrawn: number;
  /** Offers whose reaction was drawn, of all. */
  readonly reactionsDrawn: number;
  readonly offers: number;
  /** Requests that the deciders refused. */
  readonly refused: number;
  readonly events: number;
}

/** Runs a job, and tells each run as it is done. */
export type Simulator = (job: Job, onRun: (run: Run) => void) => Promise<void>;
