import { exitCodes } from '../fault.ts';
import type { EdgeClient } from '../http/client.ts';
import {
  causationOf,
  renderCausation,
  type CausationNode,
  type TimelinePlace,
} from '../render/causation.ts';
import { dayOf } from '../render/duration.ts';
import { explain, explanationsOf, type Explanation, type InForce } from '../render/explain.ts';
import { parsePlace, placeText } from '../replay/index.ts';
import { printJson, textOption, type CommandSpec, type Context, type Options } from './command.ts';
import { readContact, spansOf, type ContactAnswer } from './contact.ts';
import { formatDuration } from '../render/duration.ts';

/** A contact whose timeline says who wrote what. */
type Explained = Omit<ContactAnswer, 'timeline'> & { readonly timeline: readonly TimelinePlace[] };

/** How a queue was set up at a place of the log. */
interface Configured extends InForce {
  readonly queueId: string;
  readonly home: string;
  readonly sequence: number;
  readonly stream: string;
}

/**
 * How queues were set up, every time, as the log of all homes has it up to now.
 * @param until the last places that matter, by stream: the reading ends there
 */
async function configurations(
  client: EdgeClient,
  queueIds: readonly string[],
  homes: readonly string[],
  until: string,
): Promise<Configured[]> {
  if (queueIds.length === 0) return [];
  const found: Configured[] = [];
  const filter = { entity: ['queue'], subject: queueIds, home: homes, from: 'start', to: until };
  for await (const { position, event } of client.stream(filter)) {
    const { settings } = event.data as { readonly settings?: InForce['settings'] };
    // The event's own place is the one with an index.
    const place = position.split(',').find((part) => part.includes('.')) ?? position;
    const [stream = '', at = ''] = place.split(':');
    found.push({
      queueId: event.subject,
      home: (event as { readonly region?: string }).region ?? '',
      since: event.time,
      place,
      stream,
      sequence: Number.parseInt(at, 10),
      settings: settings ?? {},
    });
  }
  return found;
}

/** The last configuration of a queue, in the partition that decided, before it decided. */
function inForceAt(
  configured: readonly Configured[],
  queueId: string,
  { stream, sequence, home, event }: TimelinePlace,
): InForce | undefined {
  return configured.findLast(
    (one) =>
      one.queueId === queueId &&
      one.home === home &&
      (one.stream === stream ? one.sequence <= sequence : one.since <= event.time),
  );
}

/** Each decision with its partition and the configuration that was in force. */
async function explainedBy(
  client: EdgeClient,
  timeline: readonly TimelinePlace[],
): Promise<Explanation[]> {
  const explanations = explanationsOf(timeline.map(({ event }) => event));
  const byEvent = new Map(timeline.map((place) => [place.event as object, place]));
  const decided = explanations.flatMap(({ decided: event }) => byEvent.get(event) ?? []);
  const queueOf = (place: TimelinePlace): string =>
    (place.event.data as { readonly queueId?: string }).queueId ?? '';
  const queueIds = [...new Set(decided.map(queueOf))].filter((id) => id !== '');
  const homes = [...new Set(decided.flatMap(({ home }) => home ?? []))];
  const ends = new Map<string, number>();
  for (const { stream, sequence } of decided) {
    ends.set(stream, Math.max(sequence, ends.get(stream) ?? 0));
  }
  const until = [...ends].map(([stream, sequence]) => `${stream}:${sequence}`).join(',');
  const configured = await configurations(client, queueIds, homes, until);
  return explanations.map((explanation) => {
    const place = byEvent.get(explanation.decided);
    if (place === undefined) return explanation;
    const { home = '', region = '', epoch } = place;
    const inForce = inForceAt(configured, queueOf(place), place);
    return {
      ...explanation,
      ...(home === '' ? {} : { partition: { home, region, epoch: epoch ?? 1 } }),
      ...(inForce === undefined ? {} : { inForce: facts(inForce) }),
    };
  });
}

const facts = ({ since, place, settings }: InForce): InForce => ({ since, place, settings });

/** The contact as it is, or as it was at `--as-of`. */
async function contactAsked(context: Context, id: string, options: Options): Promise<Explained> {
  const asOf = textOption(options, 'asOf');
  if (asOf === undefined) return (await readContact(context, id)) as unknown as Explained;
  const moment = encodeURIComponent(placeText(parsePlace('as-of', asOf)));
  return context.client.get(`/v1/as-of/${moment}/contacts/${encodeURIComponent(id)}`);
}

function render(
  contact: Explained,
  explanations: readonly Explanation[],
  roots: readonly CausationNode[],
  { paint }: Context,
): string {
  const { id, state, method, channel, queueId, agentId } = contact;
  const facts_ = [
    `${method} ${channel}`,
    queueId === null ? '' : `queue ${queueId}`,
    agentId === null ? '' : `agent ${agentId}`,
    ...spansOf(contact as unknown as ContactAnswer).map(
      ({ name, spanMs }) => `${name} ${formatDuration(spanMs)}`,
    ),
  ].filter((fact) => fact !== '');
  const none = `${id} is ${state}; nothing was decided about it yet.`;
  const day = dayOf(contact.timeline[0]?.event.time ?? contact.initiatedAt);
  return [
    `${paint('bold', id)}  ${paint('bold', state)}  ${facts_.join(', ')}\n`,
    `\n${paint('bold', `What led to what, ${day}`)}\n`,
    renderCausation(roots, paint),
    contact.timelineComplete ? '' : 'There are more events than are shown here.\n',
    `\n${paint('bold', 'What was decided')}\n`,
    `${explanations.map(explain).join('\n\n') || none}\n`,
  ].join('');
}

export const explainCommand: CommandSpec = {
  usage: 'explain <id>',
  looks: true,
  summary:
    'Why a contact went to whom: what led to what, every routing decision and the configuration in force',
  options: [
    {
      flags: '--as-of <place>',
      text: 'as it was known at a time, or at places such as EV_eu:12,EV_us:7',
    },
  ],
  examples: [
    'meridian explain c1',
    'meridian explain c1 --as-of 2026-03-02T08:30:00Z',
    'meridian explain c1 --json',
  ],
  async run(context, [id = ''], options) {
    const contact = await contactAsked(context, id, options);
    const explanations = await explainedBy(context.client, contact.timeline);
    const roots = causationOf(contact.timeline);
    if (context.json) {
      printJson(context, { id, state: contact.state, decisions: explanations, causation: roots });
    } else context.io.out(render(contact, explanations, roots, context));
    return exitCodes.ok;
  },
};
