import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureStreams, jetstreamLog, journalOf, type Journal, type Log } from '@meridian/journal';
import {
  emptyHead,
  eventStream,
  intakeStream,
  type EventToEncode,
  type Head,
} from '@meridian/wire';
import type { NatsConnection } from '@nats-io/nats-core';
import {
  agentIds,
  beganAtMs,
  contactOf,
  eventsOf,
  queueIds,
  requestOf,
  reservationOf,
  stages,
  stagesOf,
  tenant,
  type BenchContact,
} from './contacts.ts';
import { SignedLog } from './signed-log.ts';

const region = 'eu';
/** Contacts that are on their way at once. */
const groupSize = 1_024;
/** How many decisions a partition stores in one entry under load. */
const groupCommit = 64;
/** The headers that an export has of an entry. */
const headerNames = ['Nats-Msg-Id', 'Meridian-Consumed', 'Meridian-Epoch', 'traceparent'] as const;

export interface Built {
  /** In `EV_eu`, and in all that is ordered. */
  readonly entries: number;
  readonly messages: number;
  readonly checkpoints: number;
  readonly seconds: number;
}

/**
 * Fills a region's streams as its services do: through the journal, each entry with the expectation
 * and the hash of the one before, ordered and signed on the way.
 * @param messages in all streams together, at least
 */
export async function build(
  connection: NatsConnection,
  messages: number,
  say: (line: string) => void,
): Promise<Built> {
  const start = performance.now();
  await ensureStreams(connection, region, { development: true });
  const log = await jetstreamLog({ connection });
  const stream = eventStream(region);
  const signed = new SignedLog(log);
  const writer = new Writer(log);
  await writer.open();
  let first = 0;
  while (signed.size < messages) {
    const group = Array.from({ length: groupSize }, (_, index) => contactOf(first + index));
    await writer.ask(group);
    for (let stage = 0; stage < stages; stage += 1) {
      await writer.decide(group, stage);
      await signed.order(beganAtMs(first));
    }
    first += groupSize;
    if ((first / groupSize) % 16 === 0) say(`  ${signed.size.toLocaleString('en')} messages`);
  }
  await signed.order(beganAtMs(first), true);
  const built = {
    entries: await log.lastSequence(stream),
    messages: signed.size,
    checkpoints: signed.checkpoints,
    seconds: (performance.now() - start) / 1_000,
  };
  await log.close();
  return built;
}

/** Appends many entries at once, each aggregate's after the other. */
class Writer {
  readonly #log: Log;
  readonly #sessions: Journal;
  readonly #routing: Journal;
  #heads = new Map<string, Head>();
  #partition: Head = emptyHead;

  constructor(log: Log) {
    this.#log = log;
    const writer = { region, home: region, epoch: 1 };
    this.#sessions = journalOf(log, { ...writer, service: 'sessions' });
    this.#routing = journalOf(log, { ...writer, service: 'routing' });
  }

  /** The queues, and the agents who sign in. */
  async open(): Promise<void> {
    const timeMs = beganAtMs(0);
    const cause = { causationId: '/wfm#1' };
    const settings = {
      strategy: 'LONGEST_IDLE',
      offerTtlMs: 20_000,
      ageingMsPerLevel: 60_000,
      serviceLevelMs: 20_000,
    };
    const made = queueIds.map((subject) => ({
      type: 'meridian.queue.created.v1',
      subject,
      data: { settings },
      cause,
      timeMs,
    }));
    const signedIn = agentIds.map((subject) => ({
      type: 'meridian.agent.signed_in.v1',
      subject,
      data: {
        sessionId: `s-${subject}`,
        skills: queueIds.map((skill) => ({ skill, level: 3 })),
        capacities: [{ channel: 'VOICE', limit: 8 }],
        presence: 'AVAILABLE',
      },
      cause,
      timeMs,
    }));
    await this.#decidePartition([...made, ...signedIn]);
  }

  async ask(group: readonly BenchContact[]): Promise<void> {
    this.#heads = new Map();
    await Promise.all(
      group.map((contact) =>
        this.#log.append(intakeStream(region), {
          subject: `in.${region}.${tenant}.${region}.contact.${contact.id}`,
          data: requestOf(contact),
          messageId: `${tenant}#/pbx#q${contact.index}`,
        }),
      ),
    );
  }

  async decide(group: readonly BenchContact[], stage: number): Promise<void> {
    const going = group.filter((contact) => stage < stagesOf(contact));
    await Promise.all(
      going.map(async (contact) => {
        const { id } = contact;
        const head = this.#heads.get(id) ?? emptyHead;
        const events = eventsOf(contact, stage);
        const aggregate = { tenant, entity: 'contact', id };
        this.#heads.set(id, await this.#sessions.append(aggregate, { events, head }));
      }),
    );
    await this.#decidePartition(going.flatMap((contact) => reservationOf(contact, stage)));
  }

  async #decidePartition(events: readonly EventToEncode[]): Promise<void> {
    for (let from = 0; from < events.length; from += groupCommit) {
      const some = events.slice(from, from + groupCommit);
      const aggregate = { tenant, entity: 'routing', id: region };
      this.#partition = await this.#routing.append(aggregate, {
        events: some,
        head: this.#partition,
      });
    }
  }
}

/** Exports both streams as `meridian export` writes them. */
export async function exportAll(connection: NatsConnection, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const log = await jetstreamLog({ connection });
  for (const stream of [intakeStream(region), eventStream(region)]) {
    const file = createWriteStream(join(folder, `${stream}.ndjson`));
    for await (const batch of log.replayBatches(stream)) {
      let text = '';
      for (const message of batch) {
        const headers: Record<string, string> = {};
        for (const name of headerNames) {
          const value = message.header(name);
          if (value !== undefined) headers[name] = value;
        }
        const { sequence, subject, storedAtMs } = message;
        const storedAt = new Date(storedAtMs).toISOString();
        const data = message.text();
        text += `${JSON.stringify({ stream, sequence, subject, storedAt, headers, data })}\n`;
      }
      if (!file.write(text)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
  }
  await log.close();
}
