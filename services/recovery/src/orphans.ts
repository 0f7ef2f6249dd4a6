import {
  epochOf,
  LogFault,
  meshTenant,
  PatientFollower,
  readEntry,
  type Follower,
  type Ledger,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import {
  causeOf,
  eventStream,
  eventSubject,
  intakeStream,
  parseSubject,
  type IntakeEnvelope,
} from '@meridian/wire';
import {
  accountFor,
  orphanAggregate,
  orphanName,
  type CauseFate,
  type Orphan,
} from './domain/orphan.ts';
import type { Records } from './records.ts';

export interface OrphansOptions {
  readonly log: Log;
  readonly regions: readonly string[];
  readonly ledger: Ledger;
  readonly records: Records;
  readonly epochOf: (home: string) => number | undefined;
  readonly onAccounted: (home: string, fate: 'adopted' | 'set_aside') => void;
  readonly onFailure: (error: unknown) => void;
  /** Epoch ms; the system's clock when absent. */
  readonly wallMs?: () => number;
}

/**
 * Finds the entries of sealed epochs beyond their seals, which arrive when a lost region returns, and
 * accounts for each of a home decided here: exactly once, on the log, never in silence.
 */
export class Orphans {
  readonly #options: OrphansOptions;
  /** Found and not accounted for, by name. */
  readonly #found = new Map<string, Orphan>();
  readonly #accounted = new Set<string>();
  #accounts: Follower[] = [];
  #readers: Follower[] = [];
  readonly #read = new Set<string>();
  #unlisten: () => void = () => {};

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  open(): void {
    const { log, regions, ledger, onFailure } = this.#options;
    this.#accounts = regions.map(
      (region) =>
        new PatientFollower(
          log,
          eventStream(region),
          { after: 0, filters: [`ev.${region}.*.${meshTenant}.orphan.*`], onFailure },
          (message) => this.#onAccount(message),
        ),
    );
    this.#unlisten = ledger.onChange((home) => this.#readBeyond(home));
    for (const home of regions) this.#readBeyond(home);
  }

  async close(): Promise<void> {
    this.#unlisten();
    await Promise.all([...this.#accounts, ...this.#readers].map((follower) => follower.close()));
  }

  /** How many of a home are not accounted for yet. */
  countOpen(home: string): number {
    return [...this.#found.values()].filter((orphan) => orphan.home === home).length;
  }

  /** Accounts for what was found of the homes that are decided here. */
  async work(): Promise<void> {
    const { epochOf: epochNow, onFailure } = this.#options;
    const mine = [...this.#found.values()].filter(({ home }) => epochNow(home) !== undefined);
    if (mine.length === 0) return;
    // What another owner accounted for must be known first.
    await Promise.all(this.#accounts.map((follower) => follower.caughtUp()));
    for (const orphan of mine) {
      if (this.#accounted.has(orphanName(orphan))) continue;
      try {
        await this.#account(orphan);
      } catch (error) {
        onFailure(error);
        if (error instanceof LogFault && error.retryable) return;
      }
    }
  }

  /** Reads each sealed epoch's stream from the seal on. */
  #readBeyond(home: string): void {
    const { log, ledger, onFailure } = this.#options;
    for (const { epoch, owner, upTo } of ledger.epochs(home)) {
      const key = `${home} ${epoch} ${owner} ${upTo}`;
      if (upTo === undefined || this.#read.has(key)) continue;
      this.#read.add(key);
      this.#readers.push(
        new PatientFollower(
          log,
          eventStream(owner),
          { after: upTo, filters: [`ev.${owner}.${home}.>`], onFailure },
          (message) => {
            if (epochOf(message) === epoch) this.#onOrphan(message, epoch);
          },
        ),
      );
    }
  }

  #onOrphan(message: LogMessage, epoch: number): void {
    const address = parseSubject(message.subject);
    if (address === undefined) return;
    const { region, home, tenant, entity, id } = address;
    const { events } = readEntry(message);
    const { stream, sequence } = message;
    const orphan: Orphan = {
      home,
      epoch,
      region,
      stream,
      sequence,
      tenant,
      entity,
      id,
      types: [...new Set(events.map(({ type }) => type))].slice(0, 100),
      causes: [...new Set(events.map(({ causationid }) => causationid))].slice(0, 100),
    };
    const name = orphanName(orphan);
    if (!this.#accounted.has(name)) this.#found.set(name, orphan);
  }

  #onAccount(message: LogMessage): void {
    for (const { subject } of readEntry(message).events) {
      this.#accounted.add(subject);
      this.#found.delete(subject);
    }
  }

  async #account(orphan: Orphan): Promise<void> {
    const { records, onAccounted, wallMs = Date.now } = this.#options;
    const fates = new Map<string, CauseFate>();
    const decided = await this.#causesDecided(orphan);
    for (const cause of orphan.causes) {
      fates.set(cause, decided.has(cause) ? 'decided' : await this.#fateOf(orphan, cause));
    }
    const event = accountFor(orphan, fates);
    const name = orphanName(orphan);
    const isNew = await records.store(
      orphan.home,
      orphanAggregate(orphan),
      [{ ...event, timeMs: wallMs(), cause: { causationId: name } }],
      ({ subject }) => subject === name,
    );
    this.#accounted.add(name);
    this.#found.delete(name);
    const isAdopted = event.type === 'meridian.orphan.adopted.v1';
    if (isNew) onAccounted(orphan.home, isAdopted ? 'adopted' : 'set_aside');
  }

  /** What the aggregate's entries in later epochs were caused by. */
  async #causesDecided({ home, epoch, tenant, entity, id }: Orphan): Promise<Set<string>> {
    const { log, ledger } = this.#options;
    const causes = new Set<string>();
    for (const later of ledger.epochs(home).filter((one) => one.epoch > epoch)) {
      const filters = [eventSubject(later.owner, home, { tenant, entity, id })];
      for await (const message of log.replay(eventStream(later.owner), { filters })) {
        if (epochOf(message) !== later.epoch) continue;
        if (later.upTo !== undefined && message.sequence > later.upTo) continue;
        for (const { causationid } of readEntry(message).events) causes.add(causationid);
      }
    }
    return causes;
  }

  async #fateOf(orphan: Orphan, cause: string): Promise<CauseFate> {
    if (cause.startsWith('clock.')) return 'timer';
    if (cause.includes('#')) {
      return (await this.#isInAnIntake(orphan, cause)) ? 'readable' : 'unknown';
    }
    return this.#fateOfEvent(orphan, cause);
  }

  /** Whether a request is in an intake that is held here, for this aggregate or what it is about. */
  async #isInAnIntake({ tenant, stream, sequence }: Orphan, cause: string): Promise<boolean> {
    const { log, regions } = this.#options;
    const message = await log.get(stream, sequence);
    const events = message === undefined ? [] : readEntry(message).events;
    const subjects = new Set(
      events.filter(({ causationid }) => causationid === cause).flatMap(idsOf),
    );
    for (const region of regions) {
      const filters = [...subjects].map((id) => `in.${region}.${tenant}.*.*.${id}`);
      if (filters.length === 0) continue;
      for await (const request of log.replay(intakeStream(region), { filters })) {
        const { source, id } = JSON.parse(request.text()) as IntakeEnvelope;
        if (causeOf({ source, id }) === cause) return true;
      }
    }
    return false;
  }

  /** Whether an event that caused something counts, `<tenant>.<entity>.<id>.<revision>`. */
  async #fateOfEvent({ home }: Orphan, cause: string): Promise<CauseFate> {
    const { log, ledger, regions } = this.#options;
    const [tenant, entity, id, revision, ...rest] = cause.split('.');
    if (!tenant || !entity || !id || !revision || rest.length > 0) return 'unknown';
    let fate: CauseFate = 'unknown';
    for (const region of regions) {
      const filters = regions.map((one) => eventSubject(region, one, { tenant, entity, id }));
      for await (const message of log.replay(eventStream(region), { filters })) {
        if (!readEntry(message).events.some((event) => event.id === cause)) continue;
        const its = parseSubject(message.subject)?.home ?? home;
        const verdict = ledger.verdict(its, epochOf(message), region, message.sequence);
        if (verdict === 'counts') return 'readable';
        if (verdict === 'orphan') fate = 'orphan';
      }
    }
    return fate;
  }
}

/** The ids that a request may have been about: what the event is about, and what its data names. */
function idsOf({ subject, data }: { readonly subject: string; readonly data: unknown }): string[] {
  const { contactId, agentId, queueId } = data as Record<string, unknown>;
  return [subject, contactId, agentId, queueId].filter(
    (id): id is string => typeof id === 'string' && /^[\w-]+$/.test(id),
  );
}
