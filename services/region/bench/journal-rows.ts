import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { accept, seeded, type Decider } from '@meridian/core';
import {
  Aggregates,
  CommitLoop,
  ensureStreams,
  journalOf,
  readEntry,
  type DomainEvent,
  type Journal,
  type Log,
  type Outcome,
} from '@meridian/journal';
import { partitionDecider, type Command, type PartitionEvent } from '@meridian/routing';
import { eventStream, eventSubject, type ContactEvent } from '@meridian/wire';
import { race, ratioRow, type Rate, type Row } from './rates.ts';

export interface Bed {
  readonly connection: NatsConnection;
  readonly log: Log;
  /** The region whose streams are there. */
  readonly region: string;
}

const rounds = 5;
const now = Date.parse('2026-01-01T08:00:00Z');

/** Messages of the library's windowed publish that are on their way at once. */
const windowSize = 256;

/** Calls `send` for 0..count-1, `windowSize` at a time under way. */
async function windowed(
  count: number,
  send: (index: number) => Promise<unknown>,
  size = windowSize,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await send(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(size, count) }, lane));
}

/** Publishes with one subscription for all acknowledgements: what the server can take. */
async function bare(
  connection: NatsConnection,
  count: number,
  message: (index: number) => { subject: string; expected: number; data: Uint8Array },
): Promise<void> {
  const inbox = `_INBOX.${crypto.randomUUID().replaceAll('-', '')}`;
  let acknowledged = 0;
  let wake = (): void => {};
  const subscription = connection.subscribe(`${inbox}.*`, {
    callback: () => {
      acknowledged += 1;
      wake();
    },
  });
  for (let sent = 0; sent < count; sent += 1) {
    const { subject, expected, data } = message(sent);
    const header = headers();
    header.set('Nats-Expected-Last-Subject-Sequence', String(expected));
    connection.publish(subject, data, { reply: `${inbox}.${sent}`, headers: header });
    while (sent - acknowledged >= 8_192) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  while (acknowledged < count) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  subscription.unsubscribe();
}

let causes = 0;
const freshCause = (): string => {
  causes += 1;
  return `/bench#request-${causes}`;
};

let nextRun = 0;
const freshPrefix = (): string => {
  nextRun += 1;
  return `b${nextRun}x`;
};

function attributesDecider(): Decider<
  number,
  ContactEvent,
  { readonly type: 'note'; readonly subject: string }
> {
  return {
    initial: () => 0,
    evolve: (count) => count + 1,
    decide: (count, { subject }) =>
      accept<ContactEvent>({
        type: 'meridian.contact.attributes_updated.v1',
        subject,
        data: {
          attributes: {
            step: String(count),
            note: 'the customer asked for the opening hours of the branch',
          },
        },
      }),
  };
}

/** How many aggregates take turns: more than are under way, so that none waits for itself. */
const aggregatesCount = 1_000;

/** Executes that many commands, in turn over a thousand aggregates held in memory. */
function benchAggregates({ log, region }: Bed): (count: number) => Promise<void> {
  const journal = journalOf(log, { region, home: region, service: 'bench', epoch: 1 });
  const random = seeded(1);
  const aggregates = new Aggregates({
    journal,
    decider: attributesDecider(),
    context: () => ({ now, random }),
  });
  return (count) =>
    windowed(count, (index) => {
      const id = `warm${index % aggregatesCount}`;
      return aggregates.execute({
        aggregate: { tenant: 'bench', entity: 'contact', id },
        command: { type: 'note', subject: id },
        cause: { causationId: freshCause() },
      });
    });
}

/** Rows 1 and 2: `execute` on warm aggregates, one message an event. */
export async function executeRows(bed: Bed): Promise<Row[]> {
  const { connection, log, region } = bed;
  const client: JetStreamClient = jetstream(connection);
  const execute = benchAggregates(bed);
  await execute(aggregatesCount);
  const sample = await sampleEntry(log, region);
  const sequences = new Map<string, number>();
  const library = async (count: number): Promise<void> => {
    const prefix = freshPrefix();
    await windowed(count, async (index) => {
      const subject = eventSubject(region, region, {
        tenant: 'bench',
        entity: 'contact',
        id: `${prefix}${index % aggregatesCount}`,
      });
      const ack = await client.publish(subject, sample, {
        expect: { lastSubjectSequence: sequences.get(subject) ?? 0 },
      });
      sequences.set(subject, ack.seq);
    });
    sequences.clear();
  };
  const limit = async (count: number): Promise<void> => {
    const prefix = freshPrefix();
    await bare(connection, count, (index) => ({
      subject: eventSubject(region, region, {
        tenant: 'bench',
        entity: 'contact',
        id: `${prefix}${index}`,
      }),
      expected: 0,
      data: sample,
    }));
  };
  const [ours, published, raw] = (await race(
    [
      { name: 'execute', run: execute },
      { name: 'library publish, windowed, same header', run: library },
      { name: 'bare publish, own acknowledgement subscription', run: limit },
    ],
    30_000,
    rounds,
  )) as [Rate, Rate, Rate];
  return [
    ratioRow('events decided and stored (execute, warm)', 'events/s', ours, published, 1.5),
    ratioRow('events decided and stored (execute, warm)', 'events/s', ours, raw, 0.3),
  ];
}

/** The stored bytes of an entry that `execute` wrote: what the rivals publish too. */
async function sampleEntry(log: Log, region: string): Promise<Uint8Array> {
  const last = await log.lastSequence(eventStream(region));
  const message = await log.get(eventStream(region), last);
  if (message === undefined) throw new Error('The log is empty: nothing to compare with.');
  return message.data;
}

/** Row 3: real routing decisions through the group-committing writer. */
export async function routingRows({ connection, log, region }: Bed): Promise<Row[]> {
  const journal = journalOf(log, { region, home: region, service: 'bench', epoch: 1 });
  const client = jetstream(connection);
  let decision: Uint8Array | undefined;
  const ours = async (count: number): Promise<void> => {
    const loop = await openFloor(journal, freshPrefix());
    await routeContacts(loop, count);
    decision ??= await oneDecision(journal);
  };
  await ours(100);
  const data = decision as unknown as Uint8Array;
  const library = async (count: number): Promise<void> => {
    const prefix = freshPrefix();
    await windowed(count, (index) =>
      client.publish(`ev.${region}.${region}.${prefix}.routing.r${index}`, data),
    );
  };
  const awaited = async (count: number): Promise<void> => {
    const prefix = freshPrefix();
    for (let index = 0; index < count; index += 1) {
      await client.publish(`ev.${region}.${region}.${prefix}.routing.r${index}`, data);
    }
  };
  const [grouped, oneByOne, published] = (await race(
    [
      { name: 'group commit', run: ours },
      { name: 'library publish, one message each', run: awaited },
      { name: 'library publish, one message each, windowed', run: library },
    ],
    20_000,
    rounds,
  )) as [Rate, Rate, Rate];
  return [oneByOne, published].map((rival) =>
    ratioRow('routing decisions stored (group commit)', 'decisions/s', grouped, rival, 4),
  );
}

type FloorLoop = Awaited<ReturnType<typeof openFloor>>;
const floorAgents = 32;

/** A partition with one queue and agents who take many contacts at once. */
async function openFloor(journal: Journal, tenant: string) {
  const random = seeded(2);
  const loop = new CommitLoop({
    journal,
    decider: partitionDecider,
    aggregate: { tenant, entity: 'routing', id: journal.writer.home },
    context: () => ({ now, random }),
  });
  await loop.open();
  const submit = (command: Command): Promise<unknown> =>
    loop.submit({ command, cause: { causationId: freshCause() } });
  await submit({
    type: 'meridian.queue.configure.v1',
    subject: 'PS',
    data: {
      settings: {
        strategy: 'LONGEST_IDLE',
        offerTtlMs: 20_000,
        ageingMsPerLevel: 60_000,
        serviceLevelMs: 20_000,
      },
    },
  });
  for (let agent = 0; agent < floorAgents; agent += 1) {
    await submit({
      type: 'meridian.agent.sign_in.v1',
      subject: `A${agent}`,
      data: {
        sessionId: 's1',
        skills: [{ skill: 'PS', level: 3 }],
        capacities: [{ channel: 'CHAT', limit: 100 }],
      },
    });
  }
  return loop;
}

/** Contacts that are on their way at once. */
const waveSize = 1_024;

/** Contacts are routed, accepted, wrapped up and completed, wave by wave: four decisions each. */
async function routeContacts(loop: FloorLoop, decisions: number): Promise<void> {
  const queued = { queueId: 'PS', channel: 'CHAT' as const, priority: 0, requirements: [] };
  const enqueuedAt = new Date(now).toISOString();
  const submit = (command: Command) =>
    loop.submit({ command, cause: { causationId: freshCause() } });
  for (let first = 0; first < decisions / 4; first += waveSize) {
    const contacts = Array.from(
      { length: Math.min(waveSize, decisions / 4 - first) },
      (_, index) => `c${first + index}`,
    );
    const offers = await Promise.all(
      contacts.map((subject) =>
        submit({ type: 'contact_queued', subject, data: queued, enqueuedAt }),
      ),
    );
    await Promise.all(offers.map((outcome) => submit(acceptanceOf(outcome))));
    await Promise.all(contacts.map((subject) => submit({ type: 'contact_wrapping', subject })));
    await Promise.all(contacts.map((subject) => submit({ type: 'contact_completed', subject })));
  }
}

function acceptanceOf(outcome: Outcome<PartitionEvent>): Command {
  const offer =
    outcome.kind === 'decided'
      ? outcome.events.find((event) => event.type === 'meridian.reservation.created.v1')
      : undefined;
  if (offer?.type !== 'meridian.reservation.created.v1') {
    throw new Error('A contact was not offered: the floor is too small.');
  }
  return {
    type: 'meridian.reservation.accept.v1',
    subject: offer.subject,
    data: { agentId: offer.data.agentId },
  };
}

async function oneDecision(journal: Journal): Promise<Uint8Array> {
  const last = await journal.log.lastSequence(journal.stream);
  const message = await journal.log.get(journal.stream, last);
  if (message === undefined) throw new Error('No decision was stored.');
  const [event] = readEntry(message).events;
  return new TextEncoder().encode(JSON.stringify([event]));
}

/** How many decisions the replayed log holds. */
const replayedCount = 150_000;

/**
 * Row 5: a log of single decisions folded, against the library's ordered consumer that only
 * counts. It is a log of its own, whatever else the run has stored.
 */
export async function replayRows({ connection, log }: Bed): Promise<Row[]> {
  const region = 'replay';
  await ensureStreams(connection, region, { development: true });
  await benchAggregates({ connection, log, region })(replayedCount);
  const stream = eventStream(region);
  const client = jetstream(connection);
  const total = await log.lastSequence(stream);
  const raw = async (): Promise<void> => {
    const consumer = await client.consumers.get(stream);
    let seen = 0;
    await new Promise<void>((resolve, reject) => {
      consumer
        .consume({
          max_messages: 10_000,
          callback: () => {
            seen += 1;
            if (seen === total) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.delete();
  };
  const fold = async (): Promise<void> => {
    const counts = new Map<string, number>();
    for await (const batch of log.replayBatches(stream)) {
      for (const message of batch) {
        for (const { type } of readEntry(message).events as readonly DomainEvent[]) {
          counts.set(type, (counts.get(type) ?? 0) + 1);
        }
      }
    }
  };
  const [ours, other] = (await race(
    [
      { name: 'replay into a fold', run: fold },
      { name: 'raw ordered consumer', run: raw },
    ],
    total,
    3,
  )) as [Rate, Rate];
  return [ratioRow('replay into a fold', 'messages/s', ours, other, 0.7)];
}
