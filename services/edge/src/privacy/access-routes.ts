import { epochOf, readEntry, StreamMissing, type Ledger, type Log } from '@meridian/journal';
import { privacyHome, type Accessed } from '@meridian/privacy';
import { eventStream, type EventEnvelope } from '@meridian/wire';
import { wholeNumber } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Route } from '../http/route.ts';
import { accessesContent } from './documented.ts';

const limits = { least: 1, most: 10_000, default: 100 } as const;

interface AccessParts {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly regions: readonly string[];
}

/** `GET /v1/privacy/accesses`: who looked at what. */
export function accessRoutes(parts: AccessParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/privacy/accesses',
      scope: 'admin',
      operationId: 'listAccesses',
      tag: 'privacy',
      summary: 'Who looked into the audit, and why, the latest first',
      description:
        'As-of reads, logs, openings and searches for persons, each once a minute for a key, kind and ' +
        'reason: what was asked for first. Found by subject on the log; nothing is kept of it here.',
      query: {
        limit: {
          description: 'How many at most',
          schema: { type: 'integer', minimum: 1, maximum: limits.most, default: limits.default },
        },
      },
      replies: {
        200: { description: 'Accesses', content: { 'application/json': accessesContent } },
      },
      refusals: [503],
      async handle({ key, query }: Call) {
        const limit = wholeNumber('limit', query.one('limit'), limits) ?? limits.default;
        const accesses = await orRefuse(readAccesses(parts, key.tenant));
        return { accesses: accesses.toReversed().slice(0, limit) };
      },
    },
  ];
}

/** All accesses of a tenant that count, the earliest first. @throws LogFault */
async function readAccesses(
  { log, ledger, regions }: AccessParts,
  tenant: string,
): Promise<object[]> {
  const home = privacyHome(regions);
  const found: { at: string }[] = [];
  for (const region of regions) {
    const stream = eventStream(region);
    const filters = [`ev.${region}.${home}.${tenant}.privacy.*`];
    try {
      for await (const batch of log.replayBatches(stream, { filters })) {
        for (const message of batch) {
          const verdict = ledger.verdict(home, epochOf(message), region, message.sequence);
          if (verdict === 'orphan') continue;
          for (const event of readEntry(message).events) {
            const one = event as EventEnvelope & Accessed;
            if (one.type === 'meridian.privacy.accessed.v1') found.push(viewOf(one));
          }
        }
      }
    } catch (error) {
      // Another region's copy that was not made yet holds nothing.
      if (!(error instanceof StreamMissing)) throw error;
    }
  }
  return found.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

const viewOf = ({ time, actor, data }: EventEnvelope & Accessed) => ({
  at: time,
  by: actor,
  kind: data.kind,
  what: data.what,
  reason: data.reason ?? null,
  region: data.region,
});
