import {
  endStates,
  IntakeIndex,
  keyOf,
  LogCheck,
  type LogCheckResult,
  type RawEntry,
  type Violation,
} from '@meridian/cli';
import type { LogMessage } from '@meridian/journal';
import type { SimulatedNode, World } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';
import type { Region } from './hosts.ts';
import { compareMemory } from './memory.ts';
import type { Acknowledged } from './publisher.ts';
import { region, tenant } from './scenario.ts';

/** Something that must not be. */
export interface Problem {
  /** The rule of the log's checker, or one of: memory, acknowledged, unhandled, ended, left. */
  readonly rule: string;
  readonly detail: string;
}

/** How long an offer may last beyond its end while nothing is wrong with the routing, in ms. */
const offerGraceMs = 1_000;
/** How long a writer waits before it asks the log again after it got no answer, in ms. */
const retryDelayMs = 250;

async function read(
  world: World,
  stream: string,
  filters?: readonly string[],
): Promise<LogMessage[]> {
  const messages: LogMessage[] = [];
  for await (const batch of world.log.replayBatches(stream, filters && { filters })) {
    messages.push(...batch);
  }
  return messages;
}

const raw = (message: LogMessage): RawEntry => ({
  stream: message.stream,
  sequence: message.sequence,
  subject: message.subject,
  storedAt: message.storedAtMs,
  data: message.text(),
});

/** Everything that must hold once the world has come to rest. */
export async function checkWorld(
  world: World,
  services: Region,
  acknowledged: readonly Acknowledged[],
): Promise<{ readonly problems: readonly Problem[]; readonly result: LogCheckResult }> {
  const intake = new IntakeIndex();
  for (const message of await read(world, intakeStream(region))) intake.add(raw(message));
  const check = new LogCheck({ intake, keepEnded: true });
  for (const message of await read(world, eventStream(region))) check.read(raw(message));
  const result = check.finish();
  const routing = services.nodes.find(({ name }) => name === 'routing') as SimulatedNode;
  const problems: Problem[] = result.violations
    .filter((violation) => !isExcused(violation, routing))
    .map((violation) => ({
      rule: violation.rule,
      detail:
        `${violation.aggregate} at ${violation.sequence}.${violation.index}: ` +
        `expected ${violation.expected}, found ${violation.found}`,
    }));
  for (const { id, state } of check.world.reservations.values()) {
    problems.push({ rule: 'left', detail: `reservation ${id} is still ${state}` });
  }
  for (const [key, { state }] of check.world.contacts) {
    if (!endStates.has(state)) {
      problems.push({ rule: 'ended', detail: `contact ${key} is still ${state}` });
    }
  }
  for (const { event, sequence } of acknowledged) {
    const stored = (await world.log.get(intakeStream(region), sequence))?.text();
    if (stored !== JSON.stringify(event)) {
      problems.push({
        rule: 'acknowledged',
        detail: `${event.id} was acknowledged at ${sequence}, which holds ${stored ?? 'nothing'}`,
      });
    }
    if (
      event.type === 'meridian.contact.initiate.v1' &&
      !check.world.contacts.has(keyOf(tenant, event.subject))
    ) {
      problems.push({
        rule: 'acknowledged',
        detail: `contact ${event.subject} was acknowledged and does not exist`,
      });
    }
  }
  for (const [name, { stream, filters, sequences }] of services.handled) {
    for (const { sequence, subject } of await read(world, stream, filters)) {
      if (!sequences.has(sequence)) {
        problems.push({
          rule: 'unhandled',
          detail: `${name} passed over ${stream} ${sequence}, ${subject}`,
        });
      }
    }
  }
  for (const detail of await compareMemory(world.log, services, true)) {
    problems.push({ rule: 'memory', detail });
  }
  for (const [{ alive }, service] of services.routing) {
    if (!alive) continue;
    for (const [, { waiting }] of service.states()) {
      if (waiting.size > 0) {
        problems.push({
          rule: 'left',
          detail: `${waiting.size} contacts still wait in the routing`,
        });
      }
    }
  }
  return { problems, result };
}

/**
 * An offer that outlasted its end while nobody could end it: the routing was down, starting, or
 * without an answer of the log for all but a second of that time.
 */
function isExcused({ rule, expected, found }: Violation, routing: SimulatedNode): boolean {
  if (rule !== 'offer-end') return false;
  const latestMs = Date.parse(/to end by (\S+)$/.exec(expected)?.[1] ?? '');
  const endedMs = Date.parse(found);
  if (Number.isNaN(latestMs) || Number.isNaN(endedMs)) return false;
  let calmMs = 0;
  let atMs = latestMs - offerGraceMs;
  for (const { fromMs, toMs: answeredMs } of routing.disturbances.toSorted(
    (a, b) => a.fromMs - b.fromMs,
  )) {
    const toMs = answeredMs + retryDelayMs;
    if (toMs <= atMs) continue;
    if (fromMs >= endedMs) break;
    calmMs += Math.max(0, fromMs - atMs);
    atMs = Math.max(atMs, toMs);
  }
  calmMs += Math.max(0, endedMs - atMs);
  return calmMs <= offerGraceMs;
}
