import { headers as natsHeaders, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { identifierPattern } from '@meridian/wire';
import { readTraceparent } from '../domain/media.ts';
import { readDurability } from '../durability/ask.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { problemOf, problemType } from '../http/answer.ts';
import { bodyLimitBytes, keyFor, type Authenticate } from '../http/serve.ts';
import type { Intake } from './intake.ts';

export interface NatsIntakeOptions {
  readonly nats: NatsConnection;
  readonly region: string;
  readonly regions: readonly string[];
  readonly intake: Intake;
  readonly authenticate: Authenticate;
  /** The region's clock, as an RFC 3339 timestamp. */
  readonly now: () => string;
  readonly onFault: (error: unknown) => void;
}

const place = { name: 'Meridian-Durability', pointer: '/headers/meridian-durability' } as const;

/** How many requests may be under way; more are refused until some are stored. */
const pendingLimit = 4_096;

/**
 * The same way in over NATS: requests on `publish.<region>.<tenant>` with the API key in the header
 * `Meridian-Key`, and the durability in `Meridian-Durability`. The reply is what HTTP would answer,
 * with `Status` and `Content-Type` headers.
 * Several edges share the requests between them.
 * @returns ends it
 */
export function serveNats(options: NatsIntakeOptions): () => Promise<void> {
  let pending = 0;
  const take = async (message: Msg): Promise<void> => {
    pending += 1;
    await answer(options, message, pending);
    pending -= 1;
  };
  const subscription = options.nats.subscribe(`publish.${options.region}.*`, {
    queue: 'edge',
    callback: (error, message) => {
      if (error !== null) return;
      void take(message);
    },
  });
  return () => subscription.drain();
}

async function answer(options: NatsIntakeOptions, message: Msg, pending: number): Promise<void> {
  try {
    if (pending > pendingLimit) {
      throw new Refusal(
        'log-unavailable',
        `${pendingLimit} requests wait to be stored; try again.`,
        {},
        { 'retry-after': '1' },
      );
    }
    const text = await publish(options, message);
    respond(message, 202, 'application/json; charset=utf-8', text);
  } catch (error) {
    const { problem, headers } = problemOf(error);
    if (problem.status === 500) options.onFault(error);
    respond(message, problem.status, problemType, JSON.stringify(problem), headers);
  }
}

function publish(
  { intake, authenticate, now, regions }: NatsIntakeOptions,
  message: Msg,
): Promise<string> {
  const headers = new Map<string, string>();
  const pairs: (readonly [string, string])[] = [];
  for (const [name, values] of message.headers ?? []) {
    const lower = name.toLowerCase();
    for (const value of values) pairs.push([lower, value]);
    headers.set(lower, values[0] ?? '');
  }
  const key = keyFor(
    headers.get('meridian-key'),
    'publish',
    authenticate,
    'Show an API key in the header Meridian-Key.',
  );
  const tenant = message.subject.split('.')[2] ?? '';
  if (tenant !== key.tenant) {
    const shownTenant = identifierPattern.test(tenant) ? tenant : shown(tenant);
    throw new Refusal(
      'forbidden',
      `The key ${key.id} belongs to the tenant ${key.tenant}; it cannot publish for ${shownTenant}.`,
    );
  }
  if (message.data.length > bodyLimitBytes) {
    throw new Refusal('body-too-large', 'The message is larger than 1 MiB.');
  }
  const durability = readDurability(place, headers.get('meridian-durability'), regions.length < 2);
  const traceparent = readTraceparent(headers.get('traceparent'));
  return intake.publish(
    {
      contentType: headers.get('content-type'),
      contentEncoding: headers.get('content-encoding'),
      headers: pairs,
      body: Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length),
    },
    { key, now: now(), regions, ...(traceparent === undefined ? {} : { traceparent }) },
    durability,
  );
}

function respond(
  message: Msg,
  status: number,
  contentType: string,
  text: string,
  more: Readonly<Record<string, string>> = {},
): void {
  const headers = natsHeaders();
  headers.set('Status', String(status));
  headers.set('Content-Type', contentType);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  message.respond(text, { headers });
}
