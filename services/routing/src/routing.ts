import { earliest, type Context, type Random } from '@meridian/core';
import {
  CommitLoop,
  placeOf,
  readEntry,
  readRequest,
  untraced,
  type Desk,
  type From,
  type Journal,
  type LogMessage,
  type Outcome,
  type Settled,
  type Submission,
  type Trace,
} from '@meridian/journal';
import { causeOf, passOn, parseSubject, type AggregateId, type Cause } from '@meridian/wire';
import {
  partitionDecider,
  type Command,
  type Partition,
  type PartitionEvent,
} from './domain/partition.ts';
import { lendingDueMs, planLending } from './domain/plan-lending.ts';
import { react, type StoredEvent } from './domain/react.ts';

export interface RoutingOptions {
  readonly journal: Journal;
  /** The log's clock, in epoch ms. */
  readonly now: () => number;
  readonly random: Random;
  readonly onConflict?: (tenant: string) => void;
  /** Told of each stored entry. */
  readonly onCommit?: (tenant: string, commands: number, events: number) => void;
  /** Told after each entry, stored here or absorbed. */
  readonly onMoved?: () => void;
  readonly wait?: (delayMs: number) => Promise<void>;
  /** Runs work within a span whose parent is given; hands it the span to store with its events. */
  readonly trace?: Trace;
}

export type RoutingOutcome = Outcome<PartitionEvent>;
type Loop = CommitLoop<Partition, PartitionEvent, Command>;

/**
 * The service without its shell, for one home: one group-committing writer per tenant, fed in
 * order from the intake and from what contacts and other partitions decided. Nest, the network
 * and the clock are outside.
 */
export class Routing implements Desk {
  readonly #home: string;
  readonly #options: RoutingOptions;
  readonly #partitions = new Map<
    string,
    { readonly loop: Loop; opened: Promise<void> | undefined }
  >();
  readonly #trace: Trace;
  #isReady = false;

  constructor(options: RoutingOptions) {
    this.#options = options;
    this.#home = options.journal.writer.home;
    this.#trace = options.trace ?? untraced;
  }

  /** The tenants with a partition, each with its state; read only. */
  *states(): Iterable<readonly [tenant: string, state: Partition]> {
    for (const [tenant, { loop }] of this.#partitions) yield [tenant, loop.state];
  }

  /** The partitions in which nothing is being decided; read only. */
  *settled(): Iterable<Settled<Partition>> {
    for (const [tenant, { loop }] of this.#partitions) {
      if (loop.isSettled) {
        yield { aggregate: this.#aggregateOf(tenant), state: loop.state, head: loop.head };
      }
    }
  }

  /** Takes an entry of the partitions' own history, oldest first. */
  absorb(message: LogMessage): void {
    const address = parseSubject(message.subject);
    if (address === undefined) return;
    this.#partition(address.tenant).loop.absorb(message);
    this.#options.onMoved?.();
  }

  /** What was absorbed is the whole history: begins to decide. */
  ready(): void {
    for (const partition of this.#partitions.values()) {
      partition.loop.openAbsorbed();
      partition.opened = Promise.resolve();
    }
    this.#isReady = true;
  }

  /**
   * A request for an agent, a queue or a reservation. Must be called in the order of the source.
   * @param from its place; undefined when it is asked for again, its place being behind already
   * @throws InvalidRequest when the message is no request
   */
  onRequest(message: LogMessage, from: From = placeOf(message)): Promise<RoutingOutcome> {
    const { event, address } = readRequest(message);
    const { type, subject, data } = event;
    return this.#trace(type, event.traceparent, (traceparent) =>
      this.#submit(address.tenant, from, [
        {
          command: { type, subject, data } as Command,
          cause: passOn({ ...event, traceparent }, causeOf(event)),
        },
      ]),
    );
  }

  /**
   * An entry of a contact of whatever home, or of another home's partition. Must be called in the
   * order of the source.
   * @returns undefined when the entry means nothing to this home's routing
   */
  async onDecision(
    message: LogMessage,
    from: From = placeOf(message),
  ): Promise<RoutingOutcome | undefined> {
    const reactions = readEntry(message).events.flatMap((event) => {
      const command = react(event as unknown as StoredEvent, event.time, this.#home);
      return command === undefined ? [] : [{ command, event }];
    });
    const [first] = reactions;
    if (first === undefined) return undefined;
    const { command, event } = first;
    return this.#trace(`routing.${command.type}`, event.traceparent, (traceparent) =>
      this.#submit(
        event.tenant,
        from,
        reactions.map((one) => ({
          command: one.command,
          cause: passOn({ ...one.event, traceparent }, one.event.id),
        })),
      ),
    );
  }

  /**
   * Lends waiting contacts that no agent of this home can serve now to partitions that have one.
   * @param neighbours the other homes' routing, warm: the tenants' partitions as they are known
   * @returns how many were lent, once that is stored
   */
  async lend(neighbours: ReadonlyMap<string, Routing>): Promise<number> {
    const lent: Promise<unknown>[] = [];
    for (const [tenant, { loop }] of this.#partitions) {
      if (loop.state.waiting.size === 0 || !loop.isSettled) continue;
      const floors = new Map<string, Partition>();
      for (const [home, routing] of neighbours) {
        const floor = routing.#partitions.get(tenant)?.loop.state;
        if (floor !== undefined) floors.set(home, floor);
      }
      if (floors.size === 0) continue;
      for (const command of planLending(loop.state, floors, this.#options.now())) {
        // Two processes that see the same floor at the same time mean the same loan.
        const causationId = `loan.${this.#home}.${command.subject}.${loop.head.revision}`;
        const cause = { causationId };
        lent.push(loop.submit({ command, cause }));
      }
    }
    await Promise.all(lent);
    return lent.length;
  }

  /** When a contact that was given back may be lent again, in epoch ms; undefined when none. */
  lendingDueMs(): number | undefined {
    const now = this.#options.now();
    return earliest(
      [...this.#partitions.values()].map(({ loop }) => lendingDueMs(loop.state, now)),
    );
  }

  /** Whether a contact waits. */
  get hasWaiting(): boolean {
    for (const { loop } of this.#partitions.values()) {
      if (loop.state.waiting.size > 0) return true;
    }
    return false;
  }

  /** When the next offer times out, in epoch ms. */
  nextDueMs(): number | undefined {
    return earliest([...this.#partitions.values()].map(({ loop }) => loop.state.due.next()));
  }

  /** Ends the offers that are overdue at `now`; resolves when that is stored. */
  async fireDue(now: number): Promise<void> {
    const commits: Promise<unknown>[] = [];
    for (const [tenant, { loop }] of this.#partitions) {
      const due = loop.state.due.next();
      if (due === undefined || due > now) continue;
      const cause: Cause = { causationId: `clock.${tenant}.${now}` };
      commits.push(loop.submit({ command: { type: 'time_passed', subject: tenant }, cause }));
    }
    await Promise.all(commits);
  }

  /** Stores what was handed over, then decides no more. */
  async close(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ loop }) => loop.close()));
  }

  /** A tenant's partition bears the name of its home: events' ids are unique in the mesh. */
  #aggregateOf(tenant: string): AggregateId {
    return { tenant, entity: 'routing', id: this.#options.journal.writer.home };
  }

  #partition(tenant: string) {
    const known = this.#partitions.get(tenant);
    if (known !== undefined) return known;
    const { journal, now, random, onConflict, onCommit, onMoved, wait } = this.#options;
    const loop: Loop = new CommitLoop({
      journal,
      decider: partitionDecider,
      aggregate: this.#aggregateOf(tenant),
      context: (): Context => ({ now: now(), random, epoch: journal.writer.epoch }),
      configVersion: (state) => state.configVersion,
      correlationOf: contactOf,
      onConflict: () => onConflict?.(tenant),
      onCommit: (commands, events) => {
        onCommit?.(tenant, commands, events);
        onMoved?.();
      },
      ...(wait === undefined ? {} : { wait }),
    });
    const partition = { loop, opened: undefined as Promise<void> | undefined };
    this.#partitions.set(tenant, partition);
    return partition;
  }

  /** Hands commands over in order; the first of a new tenant opens its partition. */
  async #submit(
    tenant: string,
    from: From,
    [first, ...also]: readonly Pick<Submission<Command>, 'command' | 'cause'>[],
  ): Promise<RoutingOutcome> {
    if (!this.#isReady) {
      throw new Error('Routing has not read its history yet: call ready() first.');
    }
    const partition = this.#partition(tenant);
    partition.opened ??= partition.loop.open().catch((error: unknown) => {
      partition.opened = undefined;
      throw error;
    });
    await partition.opened;
    return partition.loop.submit({
      ...(first as Pick<Submission<Command>, 'command' | 'cause'>),
      ...(from && { from }),
      ...(also.length > 0 && { also }),
    });
  }
}

/** The contact that a routing event belongs to, for `correlationid`. */
function contactOf(event: PartitionEvent): string | undefined {
  if (
    event.type === 'meridian.routing.decided.v1' ||
    event.type === 'meridian.routing.withdrawn.v1'
  ) {
    return event.subject;
  }
  return 'contactId' in event.data ? event.data.contactId : undefined;
}
