import { jetstreamManager, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

/** Short-lived messages of a region, over `BEAT_<region>`: sent without an acknowledgement. */
export interface Beat {
  /** Sends; what is sent while the connection is away may be lost. */
  publish(subject: string, text: string): void;
  /** Calls back with every message on a subject (wildcards allowed) from now on. */
  subscribe(subject: string, onMessage: (text: string, subject: string) => void): () => void;
  /** The last message kept on a subject without wildcards; undefined when there is none. */
  last(subject: string): Promise<string | undefined>;
  /** Calls back each time the connection has come back. */
  onReconnect(callback: () => void): () => void;
}

const noMessageFound = 10_037;

/** The beat of a region over a NATS connection, which stays the caller's. */
export function natsBeat(connection: NatsConnection, region: string): Beat {
  const reconnected = new Set<() => void>();
  void watchStatus(connection, reconnected);
  let manager: Promise<JetStreamManager> | undefined;
  return {
    publish(subject, text) {
      if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, text);
    },
    subscribe(subject, onMessage) {
      const subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) onMessage(message.string(), message.subject);
        },
      });
      return () => subscription.unsubscribe();
    },
    async last(subject) {
      manager ??= jetstreamManager(connection, { checkAPI: false });
      try {
        const message = await (
          await manager
        ).streams.getMessage(`BEAT_${region}`, { last_by_subj: subject });
        return message?.string();
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === noMessageFound) return undefined;
        throw error;
      }
    },
    onReconnect(callback) {
      reconnected.add(callback);
      return () => reconnected.delete(callback);
    },
  };
}

async function watchStatus(
  connection: NatsConnection,
  reconnected: ReadonlySet<() => void>,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') for (const callback of reconnected) callback();
  }
}

/** A beat within one process, for specifications: messages arrive within the call of `publish`. */
export function memoryBeat(): Beat {
  const kept = new Map<string, string>();
  const subscribers = new Set<{
    readonly subject: string;
    readonly onMessage: (text: string, subject: string) => void;
  }>();
  const matches = (filter: string, subject: string): boolean => {
    const tokens = filter.split('.');
    const parts = subject.split('.');
    return (
      tokens.length === parts.length &&
      tokens.every((token, index) => token === '*' || token === parts[index])
    );
  };
  return {
    publish(subject, text) {
      kept.set(subject, text);
      for (const one of subscribers) {
        if (matches(one.subject, subject)) one.onMessage(text, subject);
      }
    },
    subscribe(subject, onMessage) {
      const one = { subject, onMessage };
      subscribers.add(one);
      return () => subscribers.delete(one);
    },
    last: (subject) => Promise.resolve(kept.get(subject)),
    onReconnect: () => () => {},
  };
}
