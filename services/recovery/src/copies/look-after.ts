import type { NatsConnection } from '@nats-io/nats-core';
import { ensureMirrors } from '@meridian/journal';
import type { CopyNote } from './notes.ts';
import type { CopiesReport } from './report.ts';
import { chunkOf } from './rolling-hashes.ts';
import type { CopiesSettings } from './settings.ts';
import type { StreamWatch } from './stream-watch.ts';

export interface MirrorCare {
  readonly connection: NatsConnection;
  readonly region: string;
  readonly regions: readonly string[];
  readonly development?: boolean;
  readonly settings: CopiesSettings;
  readonly onNote: (note: CopyNote) => void;
}

/**
 * Gets a mirror going that gets nothing though its origin goes on: has its consumer looked after, and
 * at last says that it must be made anew. The server's own figures are no help: its `lag` stays 0.
 * @throws LogUnavailable
 */
export async function lookAfter(
  watch: StreamWatch,
  fresh: readonly CopiesReport[],
  { connection, region, regions, development = false, settings, onNote }: MirrorCare,
): Promise<void> {
  const { stream, origin, last } = watch.copy;
  const theirs = fresh.find((report) => report.region === origin)?.streams[stream];
  if (origin === region) return;
  const nowMs = performance.now();
  const isMending = fresh.some(({ streams }) => streams[stream]?.mending === 'begun');
  if (theirs === undefined || theirs.last < 0 || isMending) {
    // Nothing could come: the time counts from when something can.
    watch.movedMs = nowMs;
    return;
  }
  const isAnother = watch.originBorn !== undefined && watch.originBorn !== theirs.born;
  if (isAnother) watch.movedMs = nowMs;
  watch.originBorn = theirs.born;
  const stalledMs = watch.stalledMs(theirs.last, nowMs);
  if (stalledMs >= settings.remadeMs && watch.own === undefined && watch.suspicion === undefined) {
    onNote({ what: 'wrong', stream, region, fault: 'STALLED' });
    watch.isTold = true;
    watch.own = {
      fault: 'STALLED',
      sinceMs: nowMs - stalledMs,
      sources: [origin],
      chunk: chunkOf(Math.max(1, last)),
    };
    return;
  }
  const isDue =
    stalledMs >= settings.stalledMs && nowMs - watch.lookedAfterMs >= settings.stalledMs;
  if (!isAnother && !isDue) return;
  watch.lookedAfterMs = nowMs;
  const ensured = await ensureMirrors(connection, region, regions, { development });
  const isMade = ensured.some((one) => one.stream === stream && one.consumer === 'made');
  if (isMade) onNote({ what: 'looked_after', stream });
}
