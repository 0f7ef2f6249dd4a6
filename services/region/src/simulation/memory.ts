import { fold, fromTimestamp, type Decider, type Rejection } from '@meridian/core';
import { headAfter, readEntry, type Log, type LogMessage } from '@meridian/journal';
import { partitionDecider, type Partition, type Routing } from '@meridian/routing';
import { contactDecider, type Sessions } from '@meridian/sessions';
import { emptyHead, eventStream, eventSubject, type AggregateId, type Head } from '@meridian/wire';
import type { Region } from './hosts.ts';
import { queueIds, region } from './scenario.ts';

/** A value as text that does not depend on the order in which maps, sets and objects were filled. */
export function canonical(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return sorted([...value].map(([key, one]) => [key, plain(one)]));
  if (value instanceof Set) return sorted([...value].map(plain));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return sorted(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function sorted(values: readonly unknown[]): unknown[] {
  return values.toSorted((a, b) => {
    const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
    return left < right ? -1 : Number(left > right);
  });
}

/** All that a partition knows, as text. */
export function canonicalPartition(partition: Partition): string {
  const { waiting, due, ...rest } = partition;
  return canonical({
    ...rest,
    waiting: { size: waiting.size, places: queueIds.map((id) => waiting.ofQueue(id)) },
    due: { next: due.next(), keys: due.due(Number.POSITIVE_INFINITY) },
  });
}

interface Folded<State> {
  readonly state: State;
  readonly head: Head;
  /** Where the history really ends. */
  readonly lastSequence: number;
}

/** The fold of an aggregate's history up to a sequence. */
async function foldLog<State, Event, Command, R extends Rejection>(
  log: Log,
  aggregate: AggregateId,
  decider: Decider<State, Event, Command, R>,
  upTo: number,
): Promise<Folded<State>> {
  const messages = await log.load(eventStream(region), eventSubject(region, region, aggregate));
  let state = decider.initial();
  let head = emptyHead;
  for (const message of messages) {
    if (message.sequence > upTo) break;
    ({ state, head } = foldEntry(decider, state, message));
  }
  return { state, head, lastSequence: messages.at(-1)?.sequence ?? 0 };
}

function foldEntry<State, Event, Command, R extends Rejection>(
  decider: Decider<State, Event, Command, R>,
  state: State,
  message: LogMessage,
): { state: State; head: Head } {
  const entry = readEntry(message);
  let current = state;
  for (const event of entry.events) {
    current = fold(decider, current, [event as unknown as Event], fromTimestamp(event.time));
  }
  return { state: current, head: headAfter(message, entry, message.stream, { sequence: 0 }) };
}

/**
 * Compares what the living instances have in memory with the fold of the log, up to the entry that
 * each of them saw last. What is being decided at this moment is ahead of the log and left out.
 * @param mustBeFresh whether memory must know the very last entry of each aggregate
 * @returns one sentence for each difference
 */
export async function compareMemory(
  log: Log,
  services: Region,
  mustBeFresh: boolean,
): Promise<string[]> {
  const differences: string[] = [];
  const judge = <State>(
    who: string,
    state: State,
    head: Head,
    folded: Folded<State>,
    show: (state: State) => string,
  ): void => {
    if (canonical(head) !== canonical(folded.head)) {
      differences.push(
        `${who} ends at ${canonical(head)} in memory and at ${canonical(folded.head)} in the log`,
      );
    }
    const [memory, logged] = [show(state), show(folded.state)];
    if (memory !== logged) {
      const [inMemory, inLog] = around(memory, logged);
      differences.push(
        `${who} at ${head.sequence} is …${inMemory}… in memory and …${inLog}… in the log`,
      );
    }
    if (mustBeFresh && folded.lastSequence > head.sequence) {
      differences.push(
        `${who} is known up to ${head.sequence} in memory; the log has ${folded.lastSequence}`,
      );
    }
  };
  for (const [service, { alive }] of instancesOf<Sessions>(services.sessions)) {
    if (!alive) continue;
    for (const { aggregate, state, head } of service.settled()) {
      judge(
        `contact ${aggregate.id}`,
        state,
        head,
        await foldLog(log, aggregate, contactDecider, head.sequence),
        canonical,
      );
    }
  }
  for (const [service, { alive }] of instancesOf<Routing>(services.routing)) {
    if (!alive) continue;
    for (const { aggregate, state, head } of service.settled()) {
      judge(
        'the partition',
        state,
        head,
        await foldLog(log, aggregate, partitionDecider, head.sequence),
        canonicalPartition,
      );
    }
  }
  return differences;
}

/** The first difference of two texts and some of what is around it. */
function around(left: string, right: string): [string, string] {
  let index = 0;
  while (left[index] === right[index]) index += 1;
  return [
    left.slice(Math.max(0, index - 80), index + 80),
    right.slice(Math.max(0, index - 80), index + 80),
  ];
}

function instancesOf<Service>(
  services: ReadonlyMap<{ readonly alive: boolean }, Service>,
): (readonly [Service, { readonly alive: boolean }])[] {
  return [...services].map(([instance, service]) => [service, instance] as const);
}
