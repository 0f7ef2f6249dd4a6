import type { Log, LogMessage } from '@meridian/journal';
import type { Plant } from './hosts.ts';

/** Everything of a log, with some of it done otherwise. */
export function changed(log: Log, changes: Partial<Log>): Log {
  const same: Log = {
    append: (stream, message) => log.append(stream, message),
    load: (stream, subject, fromSequence) => log.load(stream, subject, fromSequence),
    get: (stream, sequence) => log.get(stream, sequence),
    lastSequence: (stream, filter) => log.lastSequence(stream, filter),
    replay: (stream, options) => log.replay(stream, options),
    replayBatches: (stream, options) => log.replayBatches(stream, options),
    follow: (stream, options, onMessage) => log.follow(stream, options, onMessage),
    close: () => log.close(),
  };
  return { ...same, ...changes };
}

/**
 * The message without the causes of its events, to whom reads these. The hash of its last event is
 * taken of the text as it is: that is the second reading.
 */
function withoutCauses(message: LogMessage): LogMessage {
  let readings = 0;
  return {
    stream: message.stream,
    sequence: message.sequence,
    subject: message.subject,
    storedAtMs: message.storedAtMs,
    data: message.data,
    header: (name) => message.header(name),
    text() {
      readings += 1;
      return readings > 1
        ? message.text()
        : message.text().replaceAll(/"causationid":"[^"]*"/g, '"causationid":""');
    },
  };
}

/** Bugs on purpose. The simulation is worth something only as long as it finds each of them. */
export const plants = {
  /** Whoever appends overwrites what another writer decided meanwhile. */
  noExpectedSequence: {
    log: (log) =>
      changed(log, {
        append(stream, { expectedLastSequence: _, ...message }) {
          return log.append(stream, message);
        },
      }),
  },
  /** After a restart nobody knows how far the routing had read. */
  noConsumedPositions: {
    log: (log) =>
      changed(log, {
        append(stream, { headers: _, ...message }) {
          return log.append(stream, message);
        },
      }),
  },
  /** After a restart nobody knows what a contact's events were caused by. */
  noCauses: {
    log: (log) =>
      changed(log, {
        load: async (...place) => (await log.load(...place)).map(withoutCauses),
        async *replayBatches(...place) {
          for await (const batch of log.replayBatches(...place)) yield batch.map(withoutCauses);
        },
      }),
  },
  /** Timers belong to the process that armed them. */
  timersLostAtCrash: { firesTimers: (instance) => instance.number === 0 },
  /** What is under way counts as done. */
  checkpointPassesGap: { checkpointOf: (follower) => follower.delivered },
} as const satisfies Record<string, Plant>;
