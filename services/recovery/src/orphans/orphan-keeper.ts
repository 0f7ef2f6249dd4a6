import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '@meridian/core';
import {
  Aggregates,
  Fenced,
  journalOf,
  LogFault,
  meshTenant,
  NotOwner,
  type Journal,
  type Ledger,
  type Log,
} from '@meridian/journal';
import type { Leases, ProgressWatch } from '@meridian/nest';
import type { OrphanEvent } from '@meridian/wire';
import { findOrphans, Histories, type Orphan } from './find-orphans.ts';
import { orphanDecider, type OrphanBook, type Settle } from './orphan.ts';

export interface OrphanKeeperOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly leases: Pick<Leases, 'grantOf' | 'holds'>;
  readonly region: string;
  /** The homes of the mesh. */
  readonly homes: readonly string[];
  /** How far the services of the region have read. */
  readonly progress: Pick<ProgressWatch, 'reports' | 'count' | 'moreThan'>;
  /** The services that decide again; their reading is waited for. */
  readonly deciders: readonly string[];
  /** The log's clock, in epoch ms. */
  readonly now: () => number;
  /** Told of each orphan that was accounted for. */
  readonly onSettled?: (home: string, event: OrphanEvent) => void;
  readonly onFault: (error: unknown) => void;
}

const lookEveryMs = 1_000;
const waitLimitMs = 5_000;

/**
 * Accounts for the orphans of every home that this region decides for: found beyond the seals in
 * the copies held here, judged once the deciders have read everything that was there by then.
 */
export class OrphanKeeper {
  readonly #options: OrphanKeeperOptions;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: OrphanKeeperOptions) {
    this.#options = options;
  }

  /** Begins to look, every second. */
  open(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      for (const home of this.#options.homes) {
        try {
          await this.sweep(home);
        } catch (error) {
          const passes =
            error instanceof NotOwner || (error instanceof LogFault && error.retryable);
          if (!passes && !signal.aborted) this.#options.onFault(error);
        }
      }
      await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    }
  }

  /**
   * Looks once for orphans of a home and settles them.
   * @returns how many it settled; 0 also when another region decides for the home
   */
  async sweep(home: string): Promise<number> {
    const { log, ledger, leases, onSettled } = this.#options;
    const epoch = leases.grantOf(home)?.epoch;
    const isSealed = ledger.epochs(home).length > 1;
    if (epoch === undefined || !isSealed || ledger.current(home).epoch !== epoch) return 0;
    const journal = this.#journal(home, epoch);
    const books = this.#books(journal);
    const aggregate = { tenant: meshTenant, entity: 'orphan', id: home };
    const { state: book } = await books.read(aggregate);
    const orphans = await findOrphans(log, ledger, home, (stream) => book.get(stream) ?? 0);
    if (orphans.length === 0 || !(await this.#decidersHaveRead(home))) return 0;
    const histories = new Histories(journal);
    for (const orphan of orphans) {
      const { entry } = orphan;
      const findings = await histories.findings(orphan);
      const outcome = await books.execute({
        aggregate,
        command: { type: 'settle', subject: home, entry, findings },
        cause: { causationId: nameOf(orphan) },
      });
      if (outcome.kind !== 'decided') continue;
      for (const event of outcome.events) onSettled?.(home, event);
    }
    return orphans.length;
  }

  #journal(home: string, epoch: number): Journal {
    const { log, ledger, leases, region } = this.#options;
    return journalOf(
      log,
      { region, home, service: 'recovery', epoch },
      {
        ledger,
        fence: () => {
          if (ledger.current(home).epoch !== epoch || leases.grantOf(home)?.epoch !== epoch) {
            return new NotOwner(home, epoch);
          }
          return leases.holds(home) ? undefined : new Fenced(home);
        },
      },
    );
  }

  #books(journal: Journal): Aggregates<OrphanBook, OrphanEvent, Settle> {
    const { now, region } = this.#options;
    return new Aggregates<OrphanBook, OrphanEvent, Settle>({
      journal,
      decider: orphanDecider,
      context: () => ({ now: now(), random: seeded(`${region}/orphans`) }),
    });
  }

  /**
   * Waits until the deciders have read everything for the home that is held here at this moment.
   * @returns false when they have not within 5 s, or do not report
   */
  async #decidersHaveRead(home: string): Promise<boolean> {
    const { log, progress, deciders } = this.#options;
    const endMs = performance.now() + waitLimitMs;
    const ends = new Map<string, number>();
    while (performance.now() < endMs && !this.#closing.signal.aborted) {
      const { count } = progress;
      const reports = progress.reports();
      let isBehind = false;
      for (const service of deciders) {
        const reads = reports.get(service)?.reads.filter(({ filter }) => isFor(filter, home));
        if (reads === undefined || reads.length === 0) isBehind = true;
        for (const { stream, filter, position } of reads ?? []) {
          const key = `${stream} ${filter}`;
          const end = ends.get(key) ?? (await log.lastSequence(stream, filter));
          ends.set(key, end);
          if (position < end) isBehind = true;
        }
      }
      if (!isBehind) return true;
      await progress.moreThan(count, endMs - performance.now());
    }
    return false;
  }
}

/** The name by which an orphan is settled once. */
const nameOf = ({ entry }: Orphan): string => `orphan.${entry.stream}.${entry.sequence}`;

/** Whether a filter wants requests for a home: `in.<region>.<tenant>.<home>.…`. */
const isFor = (filter: string, home: string): boolean => {
  const [kind, , , of] = filter.split('.');
  return kind === 'in' && of === home;
};
