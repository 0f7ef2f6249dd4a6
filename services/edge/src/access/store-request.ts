import { randomUUID } from 'node:crypto';
import type { Log } from '@meridian/journal';
import { privacyRequest, type PrivacyRequest } from '@meridian/privacy';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call } from '../http/route.ts';

/** Where requests about persons' data are stored. */
export interface Storing {
  readonly log: Log;
  readonly region: string;
  readonly regions: readonly string[];
  /** RFC 3339, by the clock of the log. */
  readonly now: () => string;
}

/** Where a request is, as the answers say it. */
export interface StoredAt {
  readonly id: string;
  readonly stream: string;
  readonly sequence: number;
}

/**
 * Stores a request of a key's tenant in the intake of this region.
 * @throws Refusal 400 when it does not keep its contract; 503 when the log does not answer
 */
export async function storePrivacyRequest(
  { log, region, regions, now }: Storing,
  { key }: Pick<Call, 'key'>,
  { type, subject = 'all', data }: Pick<PrivacyRequest, 'type' | 'data'> & { subject?: string },
): Promise<StoredAt> {
  const id = randomUUID();
  const made = privacyRequest({
    tenant: key.tenant,
    region,
    regions,
    service: 'edge',
    type,
    id,
    subject,
    data,
    actor: key.id,
    now: now(),
  });
  if (!made.ok) {
    const errors = made.problems.map((problem) => ({
      ...problem,
      // The body holds the data alone.
      pointer: problem.pointer.replace(/^\/data/, ''),
    }));
    throw new Refusal('bad-request', errors[0]?.detail ?? '', { errors });
  }
  const { stream, message } = made.store;
  const { sequence } = await orRefuse(log.append(stream, message));
  return { id, stream, sequence };
}
