import type { Desk } from '@meridian/journal';
import type { Desks, DesksSpec } from './desks.ts';

/** One service within the process: `@Inject(SERVICE) service: Service`. */
export interface Service {
  readonly name: string;
  /** Work to be done before anything is followed (load the log); run in order, one by one. */
  onOpen(work: () => Promise<void> | void): void;
  /** Work to be done after delivery has ended and handlers have settled; run in reverse order. */
  onClose(work: () => Promise<void> | void): void;
  /**
   * Fires what is due under the clock, from opening to closing. `next` is asked again after every
   * message and every firing; call `touch` only when something else changed it.
   */
  timer(timer: Timer): { touch(): void };
  /**
   * Keeps a desk for every home: warm while another region decides, open while this one does.
   * Handlers with `per: 'home'` are followed for each open desk.
   */
  desks<D extends Desk>(spec: DesksSpec<D>): Desks<D>;
  /** Overrides where a follower starts, by its name: the last sequence already handled. */
  startAfter(name: string, position: (checkpoint: number) => number | Promise<number>): void;
  /** Takes part in progress with a reader of its own (a projection). */
  reads(read: () => readonly { stream: string; filter: string; position: number }[]): {
    changed(): void;
  };
}

export interface Timer {
  /** For messages and metrics. */
  readonly name: string;
  /** The earliest due time, in epoch ms; undefined when there is none. */
  next(): number | undefined;
  /**
   * Decides and stores what is due at or before `now`; called one at a time. What is stored is no
   * longer due; what throws is tried again after a while.
   */
  fire(now: number): Promise<void> | void;
}
