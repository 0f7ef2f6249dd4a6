import { channelsOf, figuresOf, type AgentRow, type ContactRow } from '../projections/index.ts';
import { timelineLimit, type ContactWithTimeline, type QueueWithWaiting } from './queries.ts';

/** A row as clients see it: without the tenant, which is always their own. */
export function contactView({ tenant: _, ...contact }: ContactRow): Record<string, unknown> {
  return contact;
}

export function contactWithTimelineView({
  contact,
  events,
}: ContactWithTimeline): Record<string, unknown> {
  return {
    ...contactView(contact),
    timeline: events
      .slice(0, timelineLimit)
      .map(({ stream, sequence, index, type, time, subject, event }) => ({
        stream,
        sequence,
        index,
        type,
        time,
        subject,
        event: JSON.parse(event) as unknown,
      })),
    timelineComplete: events.length <= timelineLimit,
  };
}

export function queueView({
  queue,
  waiting,
  longestWaitingSince,
}: QueueWithWaiting): Record<string, unknown> {
  const {
    id,
    settings,
    deletedAt,
    queued,
    answered,
    answeredWithinServiceLevel,
    abandoned,
    reaped,
  } = queue;
  return {
    id,
    settings,
    deletedAt,
    waiting,
    longestWaitingSince,
    totals: {
      queued,
      answered,
      answeredWithinServiceLevel,
      abandoned,
      reaped,
      sumWaitMs: queue.sumWaitMs,
    },
    ...figuresOf(queue),
    lastSequence: queue.lastSequence,
  };
}

export function agentView(row: AgentRow): Record<string, unknown> {
  const { tenant: _, open, ...agent } = row;
  return { ...agent, channels: channelsOf(row), reservations: open };
}
