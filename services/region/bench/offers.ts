import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** Offers of one trigger: how many, and how long after their cause, in ms. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

interface Entry {
  readonly storedAt: string;
  readonly data: string;
}

interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly causationid: string;
  readonly data: { readonly contactId?: string; readonly trigger?: string };
}

/** The nearest-rank quantile: the smallest value that at least the share `q` is not above; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Reads offers from the log of decisions: from the storing of the contact's event that called for
 * the offer (`queued`; `completed` of the contact before, when an agent was freed) to the storing of
 * `reservation.created`, as the server's clock stamped both, to the millisecond.
 * @param isMeasured whether the offers of this contact count
 * @returns latencies by the trigger of the decision, such as CONTACT_QUEUED
 */
export async function readOffers(
  { url, key, region }: { readonly url: string; readonly key: string; readonly region: string },
  isMeasured: (contactId: string) => boolean,
): Promise<ReadonlyMap<string, Latencies>> {
  const answer = await fetch(`${url}/v1/log/EV_${region}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  if (!answer.ok || answer.body === null) {
    throw new Error(`The log cannot be read: ${answer.status} ${await answer.text()}`);
  }
  const storedAt = new Map<string, number>();
  const latencies = new Map<string, number[]>();
  for await (const line of createInterface(Readable.fromWeb(answer.body as ReadableStream))) {
    const entry = JSON.parse(line) as Entry;
    const at = Date.parse(entry.storedAt);
    const triggers = new Map<string, string>();
    for (const { id, type, subject, causationid, data } of JSON.parse(
      entry.data,
    ) as StoredEvent[]) {
      if (type.startsWith('meridian.contact.')) storedAt.set(id, at);
      if (type === 'meridian.routing.decided.v1') triggers.set(subject, data.trigger ?? '');
      if (type !== 'meridian.reservation.created.v1' || !isMeasured(data.contactId ?? '')) continue;
      const causedAt = storedAt.get(causationid);
      const trigger = triggers.get(data.contactId ?? '');
      if (causedAt === undefined || trigger === undefined) continue;
      const known = latencies.get(trigger) ?? [];
      known.push(at - causedAt);
      latencies.set(trigger, known);
    }
  }
  return new Map(
    [...latencies].map(([trigger, values]) => [
      trigger,
      {
        count: values.length,
        p50: quantile(values, 0.5),
        p99: quantile(values, 0.99),
        longest: Math.max(...values),
      },
    ]),
  );
}
