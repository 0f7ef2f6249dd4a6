import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { toTimestamp } from '@meridian/core';
import type { AsideRecord } from '@meridian/nest';
import type { CopiedMessage } from './copied-message.ts';
import type { Fault } from './judge.ts';

/** Where messages were taken from, and why. */
export interface TakenFrom {
  readonly region: string;
  readonly stream: string;
  readonly fault: Fault;
  /** The region whose copy took the place of the one that had them. */
  readonly source: string;
}

const service = 'recovery';
/** A record must fit into a message together with its headers. */
const bytesMost = 900_000;

/**
 * Keeps messages that only a damaged copy had in `ASIDE_<region>`, as records of what could not be
 * processed; each once, however often it is tried.
 * @param status `resolved` once they are stored again where they were
 * @throws JetStreamError when one cannot be stored
 */
export async function setAside(
  connection: NatsConnection,
  messages: readonly CopiedMessage[],
  taken: TakenFrom,
  now: () => number,
  status: 'failed' | 'resolved' = 'failed',
): Promise<void> {
  const client = jetstream(connection);
  const { region, stream } = taken;
  for (const message of messages) {
    const text = JSON.stringify({ ...recordOf(message, taken, now()), status });
    await client.publish(`aside.${region}.${service}.${stream}.${message.sequence}`, text, {
      msgID: `${stream}.${message.sequence}.${message.storedAt}.${status}`,
    });
  }
}

function recordOf(message: CopiedMessage, taken: TakenFrom, now: number): AsideRecord {
  const { sequence, subject, storedAt, headers, data } = message;
  const { stream, fault, source } = taken;
  const content = contentOf(data);
  return {
    status: 'failed',
    service,
    stream,
    sequence,
    subject,
    reason: {
      code: 'NOT_IN_OTHER_COPIES',
      detail: `The copy that held it was replaced by that of ${source}, which has it not.`,
      facts: {
        fault,
        source,
        storedAt,
        headers: Object.fromEntries(headers),
        ...('base64' in content ? content : {}),
      },
    },
    attempts: 0,
    handler: 'copies',
    ...('event' in content ? content : {}),
    at: toTimestamp(now),
  };
}

function contentOf(data: Uint8Array): { readonly event: unknown } | { readonly base64: string } {
  if (data.length <= bytesMost) {
    try {
      return { event: JSON.parse(Buffer.from(data).toString('utf8')) as unknown };
    } catch {
      // No document: kept as bytes.
    }
  }
  const most = Math.floor((bytesMost * 3) / 4);
  return { base64: Buffer.from(data.subarray(0, most)).toString('base64') };
}
