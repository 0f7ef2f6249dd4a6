import { setTimeout as wait } from 'node:timers/promises';
import { EdgeRefusal, EdgeUnreachable } from '../fault.ts';
import type { EdgeClient } from '../http/client.ts';
import { formatDuration, timeOfDay } from '../render/duration.ts';
import type { Context } from './command.ts';

/** `GET /v1/failovers`: one move of a home as the log tells it. Times are RFC 3339. */
export interface Failover {
  readonly home: string;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly state: 'REQUESTED' | 'STARTED' | 'SEALED' | 'COMPLETED' | 'FAILED';
  /** The epoch that ended, or was to end. */
  readonly epoch: number;
  readonly requestedAt: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly upTo: number | null;
  readonly rpoMs: number | null;
  readonly takeoverMs: number | null;
  readonly failure: { readonly code: string; readonly reason: string } | null;
  /** Where its last event is. */
  readonly at: string;
}

const pollMs = 200;

/** The failovers of a home, the latest first. */
export async function listFailovers(
  client: EdgeClient,
  home: string,
): Promise<readonly Failover[]> {
  const path = `/v1/failovers?home=${encodeURIComponent(home)}`;
  return (await client.get<{ failovers: readonly Failover[] }>(path)).failovers;
}

/**
 * Follows a failover on the log, saying each step, until it has completed or failed, or `waitMs`
 * have gone by. An edge that does not answer meanwhile is asked again.
 * @param earlier what there was before it was asked for
 */
export async function followFailover(
  context: Context,
  asked: { home: string; to: string; waitMs: number; earlier: readonly Failover[] },
): Promise<Failover | undefined> {
  const { client, io, json } = context;
  const known = new Set(asked.earlier.map(({ at }) => at));
  const end = io.now() + asked.waitMs;
  const steps = new Steps(json ? () => {} : io.out);
  let seen: Failover | undefined;
  while (io.now() < end && !io.signal.aborted) {
    try {
      const all = await listFailovers(client, asked.home);
      seen = all.find(({ at, to }) => to === asked.to && !known.has(at));
      if (seen !== undefined) steps.tell(seen);
      if (seen?.state === 'COMPLETED' || seen?.state === 'FAILED') return seen;
    } catch (error) {
      const mayPass =
        error instanceof EdgeUnreachable || (error instanceof EdgeRefusal && error.status >= 500);
      if (!mayPass) throw error;
    }
    await wait(pollMs, undefined, { signal: io.signal }).catch(() => {});
  }
  return seen;
}

/** Says each step once, with its time. */
class Steps {
  readonly #out: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(out: (text: string) => void) {
    this.#out = out;
  }

  tell(failover: Failover): void {
    const { requestedAt, startedAt, endedAt, state, from, to, kind, upTo } = failover;
    if (requestedAt !== null) this.#once(requestedAt, 'requested');
    const how = kind === 'PLANNED' ? 'takes back what it granted' : 'is taken for lost';
    if (startedAt !== null) this.#once(startedAt, `started: ${from} ${how}`);
    if (state === 'SEALED' && upTo !== null) {
      this.#once('', `sealed: EV_${from} counts up to ${upTo}`);
    }
    if (endedAt === null) return;
    if (state === 'FAILED') {
      const { code = '', reason = '' } = failover.failure ?? {};
      this.#once(endedAt, `failed: ${code}, ${reason}; ${from} goes on deciding`);
    } else this.#once(endedAt, completed(failover, to));
  }

  #once(time: string, what: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#out(`  ${(time === '' ? '' : timeOfDay(time)).padEnd(12)}  ${what}\n`);
  }
}

function completed(failover: Failover, to: string): string {
  const { epoch, upTo, from, rpoMs, takeoverMs, requestedAt, startedAt, endedAt } = failover;
  const begun = requestedAt ?? startedAt;
  const tookMs = begun === null ? null : Date.parse(endedAt ?? '') - Date.parse(begun);
  return (
    `completed: ${to} decides under epoch ${epoch + 1}; EV_${from} counts up to ${upTo}; ` +
    `took ${formatDuration(tookMs ?? takeoverMs)}, RPO ${formatDuration(rpoMs)}`
  );
}
