import type { FoldedContact } from './contact-fold.ts';
import type { FoldedAgent, FoldedQueue, ReservationState } from './routing-fold.ts';
import type { Violation } from './violation.ts';
import { keyOf, type World } from './world.ts';

export type ReadModel = 'contacts' | 'agents' | 'queues';
export type Row = Readonly<Record<string, unknown>>;

/** What a read model answered, and which entry of the log it embodied. */
export interface Snapshot {
  readonly model: ReadModel;
  /** Whose rows; undefined: those of the only tenant of the log. */
  readonly tenant?: string;
  readonly position: number;
  readonly rows: readonly Row[];
  /** Whether these are all the rows of the tenant. */
  readonly complete: boolean;
}

const moment = (epochMs: number | null): string | null =>
  epochMs === null || Number.isNaN(epochMs) ? null : new Date(epochMs).toISOString();

/** A contact as the read model should have it. */
export function contactRow(contact: FoldedContact): Row {
  return {
    id: contact.id,
    home: contact.home,
    state: contact.state,
    channel: contact.channel,
    method: contact.method,
    queueId: contact.queueId,
    priority: contact.priority,
    agentId: contact.agentId,
    reservationId: contact.reservationId,
    initiatedAt: moment(contact.initiatedAtMs),
    queuedAt: moment(contact.queuedAtMs),
    connectedAt: moment(contact.connectedAtMs),
    endedAt: moment(contact.endedAtMs),
    waitedMs: contact.waitedMs,
    disposition: contact.disposition,
    attributes: contact.attributes,
    revision: contact.revision,
  };
}

const stages: Partial<Record<ReservationState, string>> = {
  PENDING: 'OFFERED',
  ACCEPTED: 'INTERACTING',
  WRAPPING: 'WRAPPING',
};

/** An agent as the read model should have it. */
export function agentRow(agent: FoldedAgent): Row {
  return {
    id: agent.id,
    presence: agent.presence,
    reason: agent.reasonCode,
    presenceSince: moment(agent.sinceMs),
    sessionId: agent.sessionId,
    signedInAt: moment(agent.signedInAtMs),
    signingOut: agent.signingOut,
    idleSince: moment(agent.idleSinceMs),
    skills: [...agent.skills].map(([skill, level]) => ({ skill, level })),
    capacities: [...agent.capacities].map(([channel, limit]) => ({ channel, limit })),
    channels: channelsOf(agent),
    reservations: [...agent.open.values()].map(({ id, contactId, channel, state }) => ({
      reservationId: id,
      contactId,
      channel,
      stage: stages[state],
    })),
  };
}

/** The channels of an agent: those with a capacity first, then others in use. */
function channelsOf(agent: FoldedAgent): Row[] {
  const open = [...agent.open.values()];
  const channels = new Set([...agent.capacities.keys(), ...open.map(({ channel }) => channel)]);
  return [...channels].map((channel) => {
    const count = (state: ReservationState): number =>
      open.filter((one) => one.channel === channel && one.state === state).length;
    const counts = {
      offered: count('PENDING'),
      interacting: count('ACCEPTED'),
      wrapping: count('WRAPPING'),
    };
    const limit = agent.capacities.get(channel) ?? 0;
    return { channel, state: channelState(agent, limit, counts), limit, ...counts };
  });
}

function channelState(
  agent: FoldedAgent,
  limit: number,
  {
    offered,
    interacting,
    wrapping,
  }: Readonly<Record<'offered' | 'interacting' | 'wrapping', number>>,
): string {
  if (limit > 1 && offered + interacting + wrapping >= limit) return 'AT_CAPACITY';
  if (offered > 0) return 'OFFERED';
  if (interacting > 0) return 'INTERACTING';
  if (wrapping > 0) return 'ACW';
  return limit > 0 && agent.presence === 'AVAILABLE' && !agent.signingOut ? 'IDLE' : 'OFF_QUEUE';
}

/** A queue as the read model should have it: totals since the beginning of the log. */
export function queueRow(queue: FoldedQueue): Row {
  const { answeredCount, answeredInTimeCount, abandonedCount, answerWaitMs } = queue;
  const counted = answeredCount + abandonedCount;
  return {
    id: queue.id,
    settings: queue.settings,
    deletedAt: moment(queue.deletedAtMs),
    totals: {
      queued: queue.enqueuedCount,
      answered: answeredCount,
      answeredWithinServiceLevel: answeredInTimeCount,
      abandoned: abandonedCount,
      reaped: queue.reapedCount,
      sumWaitMs: answerWaitMs,
    },
    serviceLevel: counted === 0 ? null : answeredInTimeCount / counted,
    averageSpeedOfAnswerMs: answeredCount === 0 ? null : answerWaitMs / answeredCount,
    waiting: queue.queued.size,
    longestWaitingSince:
      queue.queued.size === 0 ? null : moment(Math.min(...queue.queued.values())),
  };
}

/** The rows of a read model as the log gives them, by id. */
export function expectedRows(world: World, model: ReadModel, tenant: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  const add = (row: Row): void => {
    rows.set(row['id'] as string, row);
  };
  const of = <T extends { readonly tenant: string }>(all: ReadonlyMap<string, T>): T[] =>
    [...all.values()].filter((one) => one.tenant === tenant);
  if (model === 'contacts') of(world.contacts).forEach((contact) => add(contactRow(contact)));
  else if (model === 'agents') of(world.agents).forEach((agent) => add(agentRow(agent)));
  else of(world.queues).forEach((queue) => add(queueRow(queue)));
  return rows;
}

/** A JSON value as text, the keys of objects in order. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? 'nothing'
  );
}

/**
 * Rule 5: a read model against the fold of the log up to its position. Every field of a row that
 * the log tells is compared; what a row holds beyond them is not judged.
 */
export function compareSnapshot(world: World, snapshot: Snapshot): Violation[] {
  const { model, position, rows, complete } = snapshot;
  const tenant = snapshot.tenant ?? world.tenant;
  const violations: Violation[] = [];
  const report = (id: string, expected: string, found: string): void => {
    violations.push({
      invariant: 5,
      rule: 'read-model',
      sequence: position,
      index: 0,
      aggregate: `/v1/${model}/${id}`,
      expected,
      found,
    });
  };
  const seen = new Set<string>();
  for (const row of rows) {
    const id = String(row['id']);
    seen.add(id);
    const expected = expectedRow(world, model, tenant, id);
    if (expected === undefined) {
      report(id, 'none', 'a row');
      continue;
    }
    for (const [name, value] of Object.entries(expected)) {
      if (!(name in row)) continue;
      const [wanted, given] = [canonical(value), canonical(row[name])];
      if (wanted !== given) report(id, `${name}: ${wanted}`, given);
    }
  }
  if (!complete) return violations;
  for (const id of expectedRows(world, model, tenant).keys()) {
    if (!seen.has(id)) report(id, 'a row', 'none');
  }
  return violations;
}

function expectedRow(world: World, model: ReadModel, tenant: string, id: string): Row | undefined {
  const key = keyOf(tenant, id);
  if (model === 'contacts') {
    const contact = world.contacts.get(key);
    return contact && contactRow(contact);
  }
  if (model === 'agents') {
    const agent = world.agents.get(key);
    return agent && agentRow(agent);
  }
  const queue = world.queues.get(key);
  return queue && queueRow(queue);
}
