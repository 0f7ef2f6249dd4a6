import { setTimeout as wait } from 'node:timers/promises';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import type { PlacedEvent } from './place.ts';
import type { Sink } from './sink.ts';

/** The header that marks a message as a replay of the past, and the CloudEvents extension that does. */
export const replayHeader = 'Meridian-Replay';
export const replayExtension = 'replay';

/** Meridian's own subjects: a replay is never published where something listens that acts. */
const own = ['in', 'ev', 'aside', 'beat', 'publish', 'copies', '_INBOX', '$JS', '$SYS', '$KV'];

export interface NatsSinkOptions {
  /** `nats://[user:password@]host:port`. */
  readonly url: string;
  readonly subject: string;
  /** Names the replay in every message. */
  readonly replayId: string;
  /** How many events are published a second, at most. */
  readonly ratePerSecond: number;
  readonly signal: AbortSignal;
}

/** @throws CommandFault (usage) where a replay may not go */
export function checkSubject(subject: string): void {
  if (!/^[A-Za-z0-9_$-]+(\.[A-Za-z0-9_$-]+)*$/.test(subject)) {
    throw usageFault(
      `--subject-out is ${JSON.stringify(subject)}; it must be a subject without wildcards.`,
    );
  }
  const [first = ''] = subject.split('.');
  if (own.includes(first) || first.startsWith('$')) {
    throw usageFault(
      `--subject-out is ${subject}; subjects under ${first} are Meridian's or the server's own.\n` +
        'Choose one of your own, such as replay.monday.',
    );
  }
}

/** An event as it is published: the one that was decided, marked. */
export function marked({ event }: PlacedEvent, replayId: string): string {
  return JSON.stringify({ ...event.attributes, [replayExtension]: replayId });
}

/**
 * Publishes events to a NATS subject, each marked as a replay in a header and in its envelope: an
 * edge refuses it and services set it aside, so nothing happens a second time.
 * @throws CommandFault when NATS cannot be reached
 */
export async function natsSink(options: NatsSinkOptions): Promise<Sink> {
  const { url, subject, replayId, ratePerSecond, signal } = options;
  checkSubject(subject);
  const connection = await open(url);
  const beganMs = performance.now();
  let published = 0;
  return {
    async write(placed) {
      const dueMs = beganMs + (published * 1_000) / ratePerSecond;
      const aheadMs = dueMs - performance.now();
      // Timers are coarse: it waits only once it is some milliseconds ahead.
      if (aheadMs > 5) await wait(aheadMs, undefined, { signal });
      const marks = headers();
      marks.set(replayHeader, replayId);
      marks.set('Content-Type', 'application/cloudevents+json; charset=utf-8');
      marks.set('Meridian-Place', `${placed.stream}:${placed.sequence}.${placed.index}`);
      connection.publish(subject, marked(placed, replayId), { headers: marks });
      published += 1;
      if (published % 256 === 0) await connection.flush();
    },
    async close(events) {
      await connection.drain();
      return `${events.toLocaleString('en')} events were published to ${subject}, marked as replay ${replayId}.`;
    },
  };
}

async function open(url: string): Promise<NatsConnection> {
  if (!URL.canParse(url)) throw usageFault(`--nats is ${JSON.stringify(url)}; it must be a URL.`);
  const { host, username, password } = new URL(url);
  try {
    return await connect({
      servers: host,
      name: 'meridian replay',
      maxReconnectAttempts: 10,
      ...(username === ''
        ? {}
        : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
    });
  } catch (error) {
    throw new CommandFault(
      exitCodes.unavailable,
      `NATS at ${host} cannot be reached (${(error as Error).message}).`,
    );
  }
}
