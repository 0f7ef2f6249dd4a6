import {
  followHome,
  homeSource,
  matchesFilter,
  PatientFollower,
  type Follower,
  type FollowOptions,
  type Ledger,
  type Log,
  type LogMessage,
  type Positions,
} from '@meridian/journal';
import { eventStream } from '@meridian/wire';
import type { Read } from './progress-report.ts';

/** What a handler reads: one stream, or the history of one home over all its epochs. */
export interface FollowSource {
  /** The stream's kind, and its name or that of the home, for messages. */
  readonly kind: 'IN' | 'EV' | 'ASIDE';
  readonly label: string;
  /** The name of its checkpoint beside the handler's; undefined when the log keeps its place. */
  readonly checkpoint: string | undefined;
  /** The source that a message's place belongs to. */
  placeOf(message: LogMessage): string;
  follows(message: LogMessage): boolean;
  /** Where reading begins at the earliest, as the history says. */
  readonly startAfter: number;
  /** Whether a start beyond the end is a fault: the stream is this region's own. */
  readonly isOwn: boolean;
  /** The last sequence there is to be read now. */
  end(): Promise<number>;
  follow(
    options: FollowOptions,
    onMessage: (message: LogMessage) => void | Promise<void>,
  ): SourceFollower;
}

/** The reading of a source. */
export interface SourceFollower extends Pick<Follower, 'position' | 'close'> {
  /** How far each filter is read, for progress. */
  reads(): readonly Read[];
  /** What is settled, by source. */
  settled(): Positions;
  /** Whether it is on the way from one epoch of a home to the next. */
  readonly isMoving?: boolean;
}

export interface StreamSourceOptions {
  readonly log: Log;
  readonly kind: 'IN' | 'EV' | 'ASIDE';
  /** The region whose stream it is. */
  readonly region: string;
  readonly filters: readonly string[];
  readonly isOwn: boolean;
  readonly checkpoint?: string;
  readonly startAfter?: number;
  /** It wants most of the stream, which is then read once for all such followers. */
  readonly shared?: boolean;
}

/** One stream, by filters. */
export function streamSource(options: StreamSourceOptions): FollowSource {
  const { log, kind, region, filters, isOwn, checkpoint = '', startAfter = 0, shared } = options;
  const stream = `${kind}_${region}`;
  return {
    kind,
    label: stream,
    checkpoint,
    startAfter,
    isOwn,
    placeOf: () => stream,
    follows: (message) =>
      message.stream === stream && filters.some((filter) => matchesFilter(filter, message.subject)),
    async end() {
      const lasts = await Promise.all(filters.map((filter) => log.lastSequence(stream, filter)));
      return Math.max(0, ...lasts);
    },
    follow(followOptions, onMessage) {
      const wanted = { ...followOptions, filters, shared: shared === true };
      // The copy of another region's stream is there once that region could be reached.
      const follower = isOwn
        ? log.follow(stream, wanted, onMessage)
        : new PatientFollower(log, stream, wanted, onMessage);
      return {
        get position() {
          return follower.position;
        },
        close: () => follower.close(),
        reads: () => filters.map((filter) => ({ stream, filter, position: follower.position })),
        settled: () => ({ [stream]: follower.position }),
      };
    },
  };
}

export interface HomeSourceOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  /** Whose history is read. */
  readonly home: string;
  /** Subjects after `ev.<region>.<home>.`. */
  readonly filters: readonly string[];
  /** Up to where everything is settled already, by source. */
  readonly starts: Positions;
}

/** The history of a home, whoever wrote it. */
export function historySource(options: HomeSourceOptions): FollowSource {
  const { log, ledger, home, filters, starts } = options;
  const subjectsIn = (region: string): string[] =>
    filters.map((filter) => `ev.${region}.${home}.${filter}`);
  const ownerNow = (): string => ledger.current(home).owner;
  return {
    kind: 'EV',
    label: `EV.${home}`,
    checkpoint: undefined,
    startAfter: 0,
    isOwn: false,
    placeOf: (message) => `${message.stream}.${home}`,
    follows: ({ stream, subject }) => {
      const region = stream.slice('EV_'.length);
      return (
        stream === eventStream(region) &&
        subjectsIn(region).some((filter) => matchesFilter(filter, subject))
      );
    },
    async end() {
      const owner = ownerNow();
      const lasts = await Promise.all(
        subjectsIn(owner).map((filter) => log.lastSequence(eventStream(owner), filter)),
      );
      return Math.max(0, ...lasts);
    },
    follow({ maxPending, onFailure }, onMessage) {
      const follower = followHome(
        log,
        ledger,
        {
          home,
          filters,
          after: (region) => starts[homeSource(region, home)] ?? 0,
          ...(maxPending === undefined ? {} : { maxPending }),
          ...(onFailure === undefined ? {} : { onFailure }),
        },
        onMessage,
      );
      return {
        get position() {
          return follower.position;
        },
        close: () => follower.close(),
        reads: () => {
          const { stream, position } = follower;
          return subjectsIn(stream.slice('EV_'.length)).map((filter) => ({
            stream,
            filter,
            position,
          }));
        },
        get isMoving() {
          return follower.isMoving;
        },
        settled: () => follower.positions,
      };
    },
  };
}
