import type { RawEntry } from '@meridian/cli';
import { eventually } from '@meridian/testing';
import type { DevelopmentRegion } from '../src/index.ts';

export interface Request {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

let published = 0;

/** A CloudEvent as an outside system sends it. */
export function cloudEvent(request: Request): string {
  published += 1;
  return JSON.stringify({ specversion: '1.0', id: `request-${published}`, source: '/test', ...request });
}

/** Publishes one request over HTTP. @throws Error unless it was stored */
export async function publish(
  { url, key }: DevelopmentRegion, request: Request, headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const answer = await fetch(`${url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json', ...headers },
    body: cloudEvent(request),
  });
  const text = await answer.text();
  if (answer.status !== 202) throw new Error(`${request.type}: ${answer.status} ${text}`);
}

export const configureQueue = (queueId: string, skill: string): Request => ({
  type: 'meridian.queue.configure.v1',
  subject: queueId,
  data: {
    settings: {
      requirements: [{ skill, minimumLevel: 1 }], strategy: 'LONGEST_IDLE',
      offerTtlMs: 60_000, ageingMsPerLevel: 60_000, serviceLevelMs: 20_000,
    },
  },
});

export const signIn = (agentId: string, skill: string): Request => ({
  type: 'meridian.agent.sign_in.v1',
  subject: agentId,
  data: {
    sessionId: `session-${agentId}`, skills: [{ skill, level: 5 }],
    capacities: [{ channel: 'VOICE', limit: 1 }], presence: 'AVAILABLE',
  },
});

export const initiate = (contactId: string): Request => ({
  type: 'meridian.contact.initiate.v1', subject: contactId, data: { method: 'INBOUND', channel: 'VOICE', flow: 'menu' },
});

export const enterQueue = (contactId: string, queueId: string): Request => ({
  type: 'meridian.contact.enter_queue.v1', subject: contactId, data: { queueId, priority: 0 },
});

/** An event as it is stored, as far as these tests look at it. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly causationid: string;
  readonly traceparent?: string;
}

/** The entries of a stream, whole. */
export async function readLog({ url, key }: DevelopmentRegion, stream: string): Promise<RawEntry[]> {
  const answer = await fetch(`${url}/v1/log/${stream}`, { headers: { authorization: `Bearer ${key}` } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The log ${stream}: ${answer.status} ${text}`);
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as RawEntry);
}

/** Every decision stored so far, once one of this type about this subject is among them. */
export function decisionsUntil(region: DevelopmentRegion, type: string, subject: string): Promise<RawEntry[]> {
  return eventually(`${type} of ${subject} is stored`, async () => {
    const entries = await readLog(region, `EV_${region.region}`);
    const found = storedEvents(entries).some((event) => event.type === type && event.subject === subject);
    return found ? entries : undefined;
  }, { pauseMs: 50 });
}

export function storedEvents(entries: readonly RawEntry[]): StoredEvent[] {
  return entries.flatMap(({ data }) => JSON.parse(data) as StoredEvent[]);
}
