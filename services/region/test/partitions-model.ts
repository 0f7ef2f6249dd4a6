import { seeded, step, type Random } from '@meridian/core';
import {
  partitionDecider,
  planLending,
  react as routingReact,
  type Command as PartitionCommand,
  type Partition,
  type PartitionEvent,
} from '@meridian/routing';
import {
  contactDecider,
  react as sessionsReact,
  type Command as ContactCommand,
  type Contact,
} from '@meridian/sessions';
import type { ContactEvent, DomainEvent } from '@meridian/wire';

export const homes = ['ap', 'eu', 'us'] as const;
export type Home = (typeof homes)[number];

/** One entry: what was decided at once, of one home, under one epoch. */
export interface Entry {
  readonly home: Home;
  readonly epoch: number;
  readonly timeMs: number;
  readonly events: readonly DomainEvent[];
}

/** Who reads whom: contacts and partitions of each home read the entries of others, in order. */
interface Reader {
  readonly reader: 'sessions' | 'routing';
  readonly home: Home;
  readonly source: readonly Entry[];
  read: number;
  /** What the reader knows of the other partition, where it follows one. */
  readonly copy: Partition | undefined;
  readonly from: Home;
}

const record = <T>(make: (home: Home) => T): Record<Home, T> => ({
  ap: make('ap'),
  eu: make('eu'),
  us: make('us'),
});

/**
 * Three homes without regions, streams or processes: partitions and contacts, their entries, and
 * readers that come to them at any time. Every entry is read once, in its order.
 */
export class Mesh {
  readonly partitions = record(() => partitionDecider.initial());
  readonly contacts = new Map<string, { readonly home: Home; state: Contact }>();
  readonly routing: Record<Home, Entry[]> = record(() => []);
  readonly told: Record<Home, Entry[]> = record(() => []);
  readonly epochs = record(() => 1);
  readonly readers: Reader[] = [];
  readonly reached = new Set<string>();
  /** Every decision of all partitions and contacts, in the order in which they were made. */
  readonly all: { readonly home: Home; readonly event: DomainEvent }[] = [];
  now = 1_700_000_000_000;

  constructor() {
    for (const home of homes) {
      for (const from of homes) {
        const of = { home, from, read: 0 };
        this.readers.push({
          ...of,
          reader: 'sessions',
          source: this.routing[from],
          copy: undefined,
        });
        this.readers.push({ ...of, reader: 'routing', source: this.told[from], copy: undefined });
        if (from === home) continue;
        const copy = partitionDecider.initial();
        this.readers.push({ ...of, reader: 'routing', source: this.routing[from], copy });
      }
    }
  }

  /** Decides one command of a partition. @returns how many events it led to */
  route(home: Home, command: PartitionCommand): number {
    const context = { now: this.now, random: seeded('none'), epoch: this.epochs[home] };
    const answer = step(partitionDecider, this.partitions[home], command, context);
    this.partitions[home] = answer.state;
    return answer.accepted ? this.#store(this.routing[home], home, answer.events) : 0;
  }

  tell(home: Home, command: ContactCommand): number {
    const contact = this.contacts.get(command.subject) ?? {
      home,
      state: contactDecider.initial(),
    };
    if (contact.home !== home) throw new Error(`${command.subject} is told in ${home}`);
    const context = { now: this.now, random: seeded('none') };
    const answer = step(contactDecider, contact.state, command, context);
    if (!answer.accepted) return 0;
    contact.state = answer.state;
    this.contacts.set(command.subject, contact);
    return this.#store(this.told[home], home, answer.events);
  }

  #store(log: Entry[], home: Home, events: readonly (PartitionEvent | ContactEvent)[]): number {
    if (events.length === 0) return 0;
    log.push({ home, epoch: this.epochs[home], timeMs: this.now, events });
    for (const event of events) {
      this.reached.add(event.type);
      this.all.push({ home, event });
      if (event.type === 'meridian.routing.returned.v1') this.reached.add(event.data.reason);
      if (event.type === 'meridian.contact.requeued.v1') this.reached.add(event.data.reason);
    }
    return events.length;
  }

  /** Reads the next entry of one reader. @returns whether there was one */
  readNext(reader: Reader): boolean {
    const entry = reader.source[reader.read];
    if (entry === undefined) return false;
    reader.read += 1;
    this.deliver(reader, entry);
    if (reader.copy !== undefined) {
      for (const event of entry.events) {
        partitionDecider.evolve(reader.copy, event as PartitionEvent, entry.timeMs);
      }
    }
    return true;
  }

  /** @returns how many events the entry led to */
  deliver({ reader, home }: Reader, { home: region, epoch, timeMs, events }: Entry): number {
    let count = 0;
    for (const event of events) {
      const stored = { ...event, region, epoch };
      if (reader === 'routing') {
        const command = routingReact(stored, new Date(timeMs).toISOString(), home);
        if (command !== undefined) count += this.route(home, command);
      } else {
        const command = sessionsReact(stored, home);
        if (command !== undefined) count += this.tell(home, command);
      }
    }
    return count;
  }

  /** Lends by what the home knows of the others at the moment. */
  lend(home: Home): void {
    const neighbours = new Map(
      this.readers.flatMap((reader) =>
        reader.home === home && reader.copy !== undefined
          ? [[reader.from as string, reader.copy] as const]
          : [],
      ),
    );
    for (const lend of planLending(this.partitions[home], neighbours, this.now)) {
      this.route(home, lend);
    }
  }

  /** Everybody reads everything, in random order, until there is nothing left. */
  drain(random: Random): void {
    for (let round = 0; ; round += 1) {
      if (round > 10_000) throw new Error('the mesh does not come to rest');
      const behind = this.readers.filter(({ read, source }) => read < source.length);
      if (behind.length === 0) return;
      this.readNext(random.pick(behind));
    }
  }

  /** What a partition knows, as text, and what a fold of its stored entries would know. */
  dumps(home: Home): readonly [actual: string, folded: string] {
    let folded = partitionDecider.initial();
    for (const { events, timeMs } of this.routing[home]) {
      for (const event of events) {
        const stored = JSON.parse(JSON.stringify(event)) as PartitionEvent;
        folded = partitionDecider.evolve(folded, stored, timeMs);
      }
    }
    return [dump(this.partitions[home]), dump(folded)];
  }

  isHere(home: Home, contactId: string): boolean {
    const { waiting, offered, reservationOf } = this.partitions[home];
    return waiting.has(contactId) || offered.has(contactId) || reservationOf.has(contactId);
  }
}

/** Maps in the order of their keys; what waits in the order of service. */
function dump({ waiting, due, ...rest }: Partition): string {
  const known = {
    ...rest,
    waiting: [...waiting.inOrder()].map(({ place }) => place),
    due: due.due(Infinity),
  };
  return JSON.stringify(known, (_, value: unknown) => {
    if (value instanceof Set) {
      return [...value].toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
    }
    return value instanceof Map
      ? [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
      : value;
  });
}
