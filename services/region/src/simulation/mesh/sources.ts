import {
  followHome,
  homeSource,
  LogFault,
  NotOwner,
  type DeskSources,
  type Follower,
  type Ledger,
  type Log,
  type LogMessage,
  type Positions,
} from '@meridian/journal';
import type { Instance } from '@meridian/testing';
import { intakeStream } from '@meridian/wire';

/** The place of a message among what a desk reads. */
export interface Place {
  readonly source: string;
  readonly sequence: number;
}

type Handle = (message: LogMessage, from: Place) => Promise<unknown>;

/** What an open desk reads, as its shell does. */
export interface Reading {
  /** Subjects of requests after `in.<region>.<tenant>.`. */
  readonly requests: readonly string[];
  readonly onRequest: Handle;
  /** Of which homes' histories it reads which subjects, after `ev.<region>.<home>.`. */
  readonly decisions: ReadonlyMap<string, readonly string[]>;
  readonly onDecision: Handle;
}

export interface OpenSourcesOptions {
  readonly instance: Instance;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly regions: readonly string[];
  readonly reading: Reading;
  readonly starts: Positions;
  /** Told after each message that was handled to its end. */
  readonly onMoved: (message: LogMessage) => void;
  /** Up to where all is settled; another choice than `position` is a fault. */
  readonly positionOf?: (follower: Follower) => number;
}

/** The wait before a message is handled again for which the log gave no answer, in ms. */
const retryDelayMs = 250;

/** The desk closes: this message will be handled by whoever decides next. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Begins to read all that a desk decides upon. */
export function openSources(options: OpenSourcesOptions): DeskSources {
  const { instance, log, ledger, regions, reading, starts } = options;
  const { positionOf = ({ position }) => position } = options;
  const onFailure = (error: unknown): void => {
    if (!(error instanceof Interrupted)) instance.fail(error);
  };
  const intakes = regions.map((region) => {
    const stream = intakeStream(region);
    const filters = reading.requests.map((filter) => `in.${region}.*.${filter}`);
    const follower = log.follow(
      stream,
      { after: starts[stream] ?? 0, filters, onFailure },
      (message) => settle(options, reading.onRequest, message, stream),
    );
    return { settled: () => ({ [stream]: positionOf(follower) }), close: () => follower.close() };
  });
  const histories = [...reading.decisions].map(([home, filters]) => {
    const follower = followHome(
      log,
      ledger,
      {
        home,
        filters,
        after: (region) => starts[homeSource(region, home)] ?? 0,
        onFailure,
        wait: instance.wait,
      },
      (message) => settle(options, reading.onDecision, message, `${message.stream}.${home}`),
    );
    return { settled: () => follower.positions, close: () => follower.close() };
  });
  const all = [...intakes, ...histories];
  return {
    settled: () => Object.assign({}, ...all.map((one) => one.settled())) as Positions,
    close: async () => {
      await Promise.all(all.map((one) => one.close()));
    },
  };
}

async function settle(
  { instance, onMoved }: OpenSourcesOptions,
  handle: Handle,
  message: LogMessage,
  source: string,
): Promise<void> {
  for (;;) {
    try {
      await handle(message, { source, sequence: message.sequence });
      onMoved(message);
      return;
    } catch (error) {
      if (error instanceof NotOwner) throw new Interrupted('The desk closes.');
      if (!(error instanceof LogFault) || !error.retryable) throw error;
      await instance.wait(retryDelayMs);
    }
  }
}
