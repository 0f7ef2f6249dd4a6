import {
  channelsOf,
  figuresOf,
  type AgentRow,
  type ContactRow,
  type QueueRow,
  type QueueTotals,
  type TimelineRow,
} from '../projections/index.ts';
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
    timeline: events.slice(0, timelineLimit).map(timelineView),
    timelineComplete: events.length <= timelineLimit,
  };
}

/** An event, who wrote it under which epoch, and what it goes on from where that was another region. */
function timelineView(row: TimelineRow): Record<string, unknown> {
  const { stream, sequence, index, type, time, subject, home } = row;
  const event = JSON.parse(row.event) as { readonly epoch?: number; readonly adoptedfrom?: string };
  return {
    stream,
    sequence,
    index,
    type,
    time,
    subject,
    home,
    region: stream.slice('EV_'.length),
    epoch: event.epoch ?? null,
    adoptedFrom: event.adoptedfrom ?? null,
    event,
  };
}

const totalNames = [
  'queued',
  'answered',
  'answeredWithinServiceLevel',
  'abandoned',
  'reaped',
  'sumWaitMs',
] as const;

function totalsOf(rows: readonly QueueRow[]): QueueTotals {
  const sum = (name: (typeof totalNames)[number]): number =>
    rows.reduce((all, row) => all + row[name], 0);
  return Object.fromEntries(totalNames.map((name) => [name, sum(name)])) as QueueTotals;
}

/**
 * A queue with its figures over all homes, and in each.
 * @param region whose settings are shown: they are the same everywhere, sooner or later
 */
export function queueView(
  parts: readonly QueueWithWaiting[],
  region: string,
): Record<string, unknown> {
  const own = parts.find(({ queue }) => queue.home === region) ?? parts[0];
  const totals = totalsOf(parts.map(({ queue }) => queue));
  const since = parts.flatMap((part) => part.longestWaitingSince ?? []);
  const { id, settings, deletedAt, lastStream, lastSequence } = (own as QueueWithWaiting).queue;
  return {
    id,
    settings,
    deletedAt,
    waiting: parts.reduce((all, { waiting }) => all + waiting, 0),
    longestWaitingSince:
      since.length === 0 ? null : new Date(Math.min(...since.map((one) => one.getTime()))),
    totals,
    ...figuresOf(totals),
    lastStream,
    lastSequence,
    homes: parts.map(homeView),
  };
}

function homeView({ queue, waiting, longestWaitingSince }: QueueWithWaiting): object {
  const { home, lastStream, lastSequence } = queue;
  return {
    home,
    waiting,
    longestWaitingSince,
    totals: totalsOf([queue]),
    ...figuresOf(queue),
    lastStream,
    lastSequence,
  };
}

export function agentView(row: AgentRow): Record<string, unknown> {
  const { tenant: _, open, ...agent } = row;
  return { ...agent, channels: channelsOf(row), reservations: open };
}
