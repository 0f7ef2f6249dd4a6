import {
  checkMesh,
  IntakeIndex,
  OwnershipLedger,
  type Epoch,
  type Facts,
  type LogCheckResult,
  type RawEntry,
  type Source,
  type Takeover,
  type Violation,
} from '@meridian/cli';
import type { Log, LogMessage } from '@meridian/journal';
import { eventStream, intakeStream, parseSubject } from '@meridian/wire';

/** What a region's copies of the decisions say of a drill. Times are epoch ms. */
export interface Findings {
  readonly check: LogCheckResult;
  readonly ownership: Readonly<Record<string, readonly Epoch[]>>;
  readonly takeovers: readonly (Omit<Takeover, 'detectedAtMs' | 'completedAtMs'> & {
    readonly detectedAt: number | null;
    readonly completedAt: number;
  })[];
  /** When the first contact of each home was offered under each epoch, by `<home>/<epoch>`. */
  readonly firstOffers: ReadonlyMap<string, number>;
  /** When the first entry that does not count was stored; undefined when there is none. */
  readonly firstOrphanAt: number | undefined;
}

const entryOf = ({ stream, sequence, subject, storedAtMs, data }: LogMessage): RawEntry => ({
  stream,
  sequence,
  subject,
  storedAt: storedAtMs,
  data: new TextDecoder().decode(data),
});

/** An entry as `GET /v1/log` gives it. */
export const lineOf = (message: LogMessage): string => JSON.stringify(entryOf(message));

/** When an entry was stored, in epoch ms. */
export const storedMs = ({ storedAt }: RawEntry): number =>
  typeof storedAt === 'number' ? storedAt : Date.parse(storedAt);

/** All entries of a stream that there are now, from a sequence on. */
export async function* entriesIn(log: Log, stream: string, from = 1): AsyncIterable<RawEntry> {
  for await (const batch of log.replayBatches(stream, { from })) yield* batch.map(entryOf);
}

/** Runs the independent check over a region's copies, and reads off who owned what when. */
export async function findIn(log: Log, regions: readonly string[]): Promise<Findings> {
  const intake = new IntakeIndex();
  for (const region of regions) {
    for await (const batch of log.replayBatches(intakeStream(region))) {
      for (const { sequence, data } of batch) {
        intake.add({ sequence, data: new TextDecoder().decode(data) });
      }
    }
  }
  const check = await checkMesh(
    regions.map((region) => sourceOf(log, eventStream(region))),
    { intake, limit: 50 },
  );
  const ledger = new OwnershipLedger();
  const takeovers: Findings['takeovers'][number][] = [];
  const firstOffers = new Map<string, number>();
  for (const region of regions) {
    const filters = [
      `ev.${region}.*.*.ownership.*`,
      ...regions.map((home) => `ev.${region}.${home}.*.routing.${home}`),
    ];
    for await (const batch of log.replayBatches(eventStream(region), { filters })) {
      for (const message of batch) readOne(message, ledger, takeovers, firstOffers);
    }
  }
  takeovers.sort((a, b) => a.completedAt - b.completedAt);
  const ownership = Object.fromEntries(regions.map((home) => [home, epochsOf(ledger, home)]));
  const firstOrphanAt = await firstStoredAt(log, check.orphans);
  return { check, ownership, takeovers, firstOffers, firstOrphanAt };
}

/** Takes what an exercise foresaw out of what the check found; only what was kept whole can be. */
export function excuse(
  findings: Findings,
  isForeseen: (violation: Violation) => boolean,
): { readonly findings: Findings; readonly excused: readonly Violation[] } {
  const { check } = findings;
  const excused = check.violations.filter(isForeseen);
  const counts: Record<string, number> = { ...check.counts };
  for (const { rule } of excused) {
    counts[rule] = (counts[rule] ?? 0) - 1;
    if (counts[rule] === 0) delete counts[rule];
  }
  const violationCount = check.violationCount - excused.length;
  const violations = check.violations.filter((one) => !excused.includes(one));
  const ok = violationCount === 0;
  return {
    findings: { ...findings, check: { ...check, ok, counts, violationCount, violations } },
    excused,
  };
}

async function firstStoredAt(
  log: Log,
  orphans: LogCheckResult['orphans'],
): Promise<number | undefined> {
  const first = new Map<string, number>();
  for (const { stream, sequence } of orphans) {
    first.set(stream, Math.min(sequence, first.get(stream) ?? Infinity));
  }
  const stored = await Promise.all(
    [...first].map(([stream, sequence]) => log.get(stream, sequence)),
  );
  const times = stored.flatMap((message) => message?.storedAtMs ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

interface Stored {
  readonly type: string;
  readonly epoch: number;
  readonly data: Readonly<Record<string, unknown>>;
}

function readOne(
  message: LogMessage,
  ledger: OwnershipLedger,
  takeovers: Findings['takeovers'][number][],
  firstOffers: Map<string, number>,
): void {
  const text = message.text();
  const { entity, home = '' } = parseSubject(message.subject) ?? {};
  const isOffer = entity === 'routing' && text.includes('"meridian.reservation.created.v1"');
  if (entity !== 'ownership' && !isOffer) return;
  const events = JSON.parse(text) as readonly Stored[];
  if (isOffer) {
    const key = `${home}/${events[0]?.epoch}`;
    const before = firstOffers.get(key) ?? Infinity;
    firstOffers.set(key, Math.min(before, message.storedAtMs));
    return;
  }
  ledger.learn(entryOf(message));
  for (const { type, data } of events) {
    if (type !== 'meridian.failover.completed.v1') continue;
    const detected = data['detectedAt'];
    takeovers.push({
      home: data['home'] as string,
      epoch: data['epoch'] as number,
      from: data['previousOwner'] as string,
      to: data['owner'] as string,
      kind: data['kind'] as Takeover['kind'],
      detectedAt: typeof detected === 'string' ? Date.parse(detected) : null,
      completedAt: message.storedAtMs,
    });
  }
}

function epochsOf(ledger: OwnershipLedger, home: string): Epoch[] {
  const { seals, epoch, owner } = ledger.epochs(home);
  const ended = seals.map((seal) => ({ epoch: seal.epoch, owner: seal.owner, upTo: seal.upTo }));
  return [...ended, { epoch, owner, upTo: null }];
}

function sourceOf(log: Log, stream: string): Source {
  return {
    stream,
    grows: true,
    async *read({ after, to }) {
      const range = { from: after + 1, ...(to === undefined ? {} : { to }) };
      for await (const batch of log.replayBatches(stream, range)) yield batch.map(lineOf);
    },
  };
}

/** Rules whose breach means that somebody is booked twice. */
export const doubleRules = ['one-offer', 'capacity', 'partition'] as const;

export function orphanFigures({ orphans }: LogCheckResult): Facts['orphans'] {
  const count = (outcome: string): number =>
    orphans.filter((orphan) => orphan.outcome === outcome).length;
  return { found: orphans.length, adopted: count('adopted'), setAside: count('set_aside') };
}
