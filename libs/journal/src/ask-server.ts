import { JetStreamApiError, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

/** What JetStream's errors say is not there. */
const notFound = { stream: 10_059, consumer: 10_014 } as const;
/** How long a peer may take to answer before it counts as away. */
const peerTimeoutMs = 2_000;

/**
 * The JetStream of another region. Nothing is asked in advance: what a link lets through does not
 * include the account's limits.
 */
export function peerManager(connection: NatsConnection, region: string): Promise<JetStreamManager> {
  return jetstreamManager(connection, { domain: region, checkAPI: false, timeout: peerTimeoutMs });
}

/** What the server answers; undefined when it says that there is no such thing. */
export async function unlessMissing<T>(
  what: keyof typeof notFound,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === notFound[what]) return undefined;
    throw error;
  }
}
