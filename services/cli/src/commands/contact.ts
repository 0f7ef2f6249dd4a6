import { EdgeRefusal, exitCodes } from '../fault.ts';
import type { Paint } from '../render/colour.ts';
import { dayOf, formatDuration, timeOfDay } from '../render/duration.ts';
import { factsOf, shortType, type ShownEvent } from '../render/event-line.ts';
import { table } from '../render/table.ts';
import { printJson, type CommandSpec, type Context } from './command.ts';

/** One event of a contact's timeline. */
export interface TimelineItem {
  readonly stream: string;
  readonly sequence: number;
  readonly index: number;
  readonly event: ShownEvent;
}

/** A contact as `GET /v1/contacts/{id}` answers it. */
export interface ContactAnswer {
  readonly id: string;
  readonly state: string;
  readonly channel: string;
  readonly method: string;
  readonly queueId: string | null;
  readonly priority: number;
  readonly agentId: string | null;
  readonly initiatedAt: string;
  readonly queuedAt: string | null;
  readonly connectedAt: string | null;
  readonly endedAt: string | null;
  readonly waitedMs: number | null;
  readonly disposition: string | null;
  readonly timeline: readonly TimelineItem[];
  readonly timelineComplete: boolean;
}

export function readContact({ client }: Context, id: string): Promise<ContactAnswer> {
  return client.get<ContactAnswer>(`/v1/contacts/${encodeURIComponent(id)}`);
}

/** A contact with its personal texts in the clear; as it is, with a word on it, where the key may not. */
export async function readOpenContact(context: Context, id: string): Promise<ContactAnswer> {
  const { client, io } = context;
  try {
    return await client.get(`/v1/contacts/${encodeURIComponent(id)}?personal=open`);
  } catch (error) {
    if (!(error instanceof EdgeRefusal) || error.status !== 403) throw error;
    io.err(`${error.message}\nThe customer is shown sealed.\n`);
    return readContact(context, id);
  }
}

interface Span {
  readonly name: string;
  readonly spanMs: number;
}

/** From each milestone of a contact to the next, and its whole life once it is over. */
export function spansOf(contact: ContactAnswer): Span[] {
  const { initiatedAt, queuedAt, connectedAt, endedAt, waitedMs } = contact;
  const between = (name: string, from: string | null, to: string | null): Span[] =>
    from === null || to === null ? [] : [{ name, spanMs: Date.parse(to) - Date.parse(from) }];
  return [
    ...between('before the queue', initiatedAt, queuedAt ?? endedAt),
    ...(waitedMs === null ? [] : [{ name: 'in the queue', spanMs: waitedMs }]),
    ...between('with an agent and after-call work', connectedAt, endedAt),
    ...between('in all', initiatedAt, endedAt),
  ];
}

/** A contact for people: what it is, how long it took, what happened. */
export function renderContact(contact: ContactAnswer, paint: Paint): string {
  const { id, state, channel, method, queueId, priority, agentId, disposition } = contact;
  const facts = [
    `${method} ${channel}`,
    queueId !== null && `queue ${queueId}`,
    priority > 0 && `priority ${priority}`,
    agentId !== null && `agent ${agentId}`,
    disposition !== null && `disposition ${disposition}`,
  ].filter((fact) => fact !== false);
  const spans = spansOf(contact).map(({ name, spanMs }) => [name, formatDuration(spanMs)]);
  const started = contact.timeline[0]?.event.time ?? contact.initiatedAt;
  const rows = contact.timeline.map(({ sequence, index, event }) => [
    timeOfDay(event.time),
    `+${formatDuration(Date.parse(event.time) - Date.parse(started))}`,
    shortType(event.type),
    factsOf(event),
    `${sequence}.${index}`,
  ]);
  return [
    `${paint('bold', id)}  ${paint('bold', state)}  ${facts.join(', ')}\n`,
    spans.length === 0
      ? ''
      : table([{ heading: '' }, { heading: '', isNumber: true }], spans).replace(/^\n/, ''),
    `\n${dayOf(started)}\n`,
    table(
      [
        { heading: 'time' },
        { heading: 'after', isNumber: true },
        { heading: 'event' },
        { heading: '' },
        { heading: 'place', isNumber: true },
      ],
      rows,
    ),
    contact.timelineComplete
      ? ''
      : `There are more events: meridian tail --from start --subject ${id}\n`,
  ].join('');
}

export const contactCommand: CommandSpec = {
  usage: 'contact <id>',
  summary: 'A contact: its state, how long everything took, and all that happened',
  examples: ['meridian contact c1', 'meridian contact c1 --json'],
  async run(context, [id = '']) {
    const contact = await readContact(context, id);
    if (context.json) printJson(context, contact);
    else context.io.out(renderContact(contact, context.paint));
    return exitCodes.ok;
  },
};
