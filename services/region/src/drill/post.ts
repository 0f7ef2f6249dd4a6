import type { Durability } from '@meridian/cli';
import type { Edge } from './doors.ts';

/** A request as somebody outside publishes it. */
export interface OutsideRequest {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** The home of what it is about. */
  readonly region: string;
  readonly data: unknown;
}

/** What came of posting a batch. `again`: it may or may not be stored; repeating it is safe. */
export type Posted =
  | { readonly kind: 'stored'; readonly places: readonly StoredAt[] }
  | { readonly kind: 'again'; readonly isAway: boolean; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

export interface StoredAt {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
}

export const source = '/drill';
/** Longer than an edge waits for other regions. */
const timeoutMs = 12_000;

/** Posts requests as one batch over HTTP. Never throws. */
export async function post(
  { url, key }: Edge,
  requests: readonly OutsideRequest[],
  durability: Durability,
): Promise<Posted> {
  const events = requests.map((request) => ({ specversion: '1.0', source, ...request }));
  let status: number;
  let text: string;
  try {
    const answer = await fetch(`${url}/v1/events?durability=${durability}`, {
      method: 'POST',
      body: JSON.stringify(events),
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    ({ status } = answer);
    text = await answer.text();
  } catch (error) {
    const { cause, message } = error as Error;
    return { kind: 'again', isAway: true, why: cause instanceof Error ? cause.message : message };
  }
  if (status === 202) {
    const { accepted } = JSON.parse(text) as { accepted: readonly StoredAt[] };
    return { kind: 'stored', places: accepted };
  }
  const why = `${status} ${text.slice(0, 300)}`;
  if (status < 500 && status !== 429) return { kind: 'refused', why };
  // What the edge stores waits for other regions: that does not get better elsewhere.
  return { kind: 'again', isAway: !text.includes('not-mirrored'), why };
}
