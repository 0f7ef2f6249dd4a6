import type { Colour, Paint } from './colour.ts';
import { formatDuration, timeOfDay } from './duration.ts';

/** An event as far as a line shows it. */
export interface ShownEvent {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: unknown;
}

type Data = Readonly<Record<string, unknown>>;

const colours: Readonly<Record<string, Colour>> = {
  contact: 'cyan',
  reservation: 'yellow',
  agent: 'green',
  routing: 'magenta',
  queue: 'blue',
};

/** `contact.queued` of `meridian.contact.queued.v1`; later versions keep theirs. */
export function shortType(type: string): string {
  return type.replace(/^meridian\./, '').replace(/\.v1$/, '');
}

/** One line: time of day, type, subject, and the facts that matter. */
export function eventLine(event: ShownEvent, paint: Paint): string {
  const short = shortType(event.type);
  const colour = colours[short.split('.')[0] ?? ''] ?? 'bold';
  const facts = factsOf(event);
  const when = paint('dim', timeOfDay(event.time));
  const head = `${when}  ${paint(colour, short.padEnd(28))}  ${event.subject.padEnd(16)}`;
  return facts === '' ? head.trimEnd() : `${head}  ${facts}`;
}

const text = (data: Data, name: string): string => {
  const value = data[name];
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const list = (data: Data, name: string): readonly Data[] =>
  Array.isArray(data[name]) ? (data[name] as readonly Data[]) : [];

const joined = (...facts: readonly (string | false)[]): string =>
  facts.filter((fact) => fact !== '' && fact !== false).join(', ');

const skills = (data: Data, name: string): string => {
  const level = name === 'skills' ? 'level' : 'minimumLevel';
  return list(data, name)
    .map((one) => `${text(one, 'skill')} ${text(one, level)}`)
    .join(' + ');
};

const parties = (data: Data): string => `${text(data, 'contactId')} with ${text(data, 'agentId')}`;
const reason = (data: Data): string => {
  const why = text(data, 'reason');
  return why === '' ? '' : `(${why})`;
};

const durations = (data: Data): string =>
  list(data, 'durations')
    .map((one) => `${text(one, 'state')} ${formatDuration(Number(one['durationMs']))}`)
    .join(', ');

const capacities = (data: Data): string =>
  list(data, 'capacities')
    .map((one) => `${text(one, 'channel')} ${text(one, 'limit')}`)
    .join(' + ');

const settings = (data: Data): string => {
  const given = (data['settings'] ?? {}) as Data;
  const asked = skills(given, 'requirements');
  return joined(
    text(given, 'strategy'),
    asked !== '' && `asks for ${asked}`,
    `rings ${formatDuration(Number(given['offerTtlMs']))}`,
    `service level ${formatDuration(Number(given['serviceLevelMs']))}`,
  );
};

function decided(data: Data): string {
  const outcome = text(data, 'outcome');
  const agent = text(data, 'agentId');
  return joined(
    outcome === 'OFFERED' ? `offered to ${agent}` : outcome.toLowerCase(),
    `queue ${text(data, 'queueId')}`,
    `because ${text(data, 'trigger')}`,
    `${text(data, 'candidateCount') || '0'} candidates`,
    `${text(data, 'waitingCount') || '0'} waiting`,
  );
}

/** The facts of each type that matter in one line. */
const facts: Readonly<Record<string, (data: Data) => string>> = {
  'contact.initiated': (data) => joined(text(data, 'method'), text(data, 'channel')),
  'contact.ivr_started': (data) => `flow ${text(data, 'flow')}`,
  'contact.ivr_ended': (data) => text(data, 'exit'),
  'contact.queued': (data) =>
    joined(
      `queue ${text(data, 'queueId')}`,
      text(data, 'channel'),
      `priority ${text(data, 'priority') || '0'}`,
      skills(data, 'requirements') !== '' && `asks for ${skills(data, 'requirements')}`,
    ),
  'contact.offered': (data) =>
    joined(`to ${text(data, 'agentId')}`, `until ${timeOfDay(text(data, 'expiresAt'))}`),
  'contact.requeued': (data) =>
    `${text(data, 'reason')}, in its place of ${timeOfDay(text(data, 'enqueuedAt'))}`,
  'contact.dequeued': (data) =>
    joined(
      `queue ${text(data, 'queueId')}`,
      text(data, 'reason'),
      `waited ${formatDuration(Number(data['waitedMs']))}`,
    ),
  'contact.connected_to_agent': (data) => `with ${text(data, 'agentId')}`,
  'contact.abandoned': (data) => joined(`in ${text(data, 'stage')}`, durations(data)),
  'contact.disconnected': (data) => joined(`by ${text(data, 'by')}`, text(data, 'reason')),
  'contact.acw_started': (data) =>
    joined(text(data, 'agentId'), `until ${timeOfDay(text(data, 'limitAt'))}`),
  'contact.acw_ended': (data) => text(data, 'reason'),
  'contact.disposed': (data) => text(data, 'disposition'),
  'contact.completed': durations,
  'contact.orphan_reaped': (data) =>
    joined(
      `in ${text(data, 'state')} since ${timeOfDay(text(data, 'since'))}`,
      `limit ${formatDuration(Number(data['limitMs']))}`,
    ),
  'reservation.created': (data) =>
    joined(parties(data), `until ${timeOfDay(text(data, 'expiresAt'))}`),
  'reservation.accepted': parties,
  'reservation.rejected': (data) => `${parties(data)} ${reason(data)}`.trim(),
  'reservation.timed_out': parties,
  'reservation.rescinded': (data) => `${parties(data)} ${reason(data)}`.trim(),
  'reservation.canceled': (data) => `${parties(data)} ${reason(data)}`.trim(),
  'reservation.wrapping': parties,
  'reservation.completed': parties,
  'agent.signed_in': (data) =>
    joined(text(data, 'presence'), capacities(data), skills(data, 'skills')),
  'agent.signed_out': () => '',
  'agent.session_superseded': (data) => `by ${text(data, 'supersededBy')}`,
  'agent.state_changed': (data) =>
    joined(`${text(data, 'from')} -> ${text(data, 'to')}`, text(data, 'reasonCode')),
  'agent.skills_changed': (data) => skills(data, 'skills'),
  'agent.capacity_changed': capacities,
  'agent.not_responding': (data) => `let ${text(data, 'reservationId')} ring out`,
  'queue.created': settings,
  'queue.updated': settings,
  'routing.decided': decided,
  'routing.withdrawn': (data) =>
    joined(`queue ${text(data, 'queueId')}`, shortType(text(data, 'reason'))),
};

/** The facts of an event for people; for a type not known here, every simple field. */
export function factsOf({ type, data }: Pick<ShownEvent, 'type' | 'data'>): string {
  const given = (typeof data === 'object' && data !== null ? data : {}) as Data;
  const known = facts[shortType(type)];
  if (known !== undefined) return known(given);
  return Object.entries(given)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}
