import { formatDuration, timeOfDay } from './duration.ts';
import { factsOf, shortType, type ShownEvent } from './event-line.ts';

type Data = Readonly<Record<string, unknown>>;

const dataOf = (event: ShownEvent): Data => event.data as Data;
const textOf = (data: Data, name: string): string =>
  String((data[name] as string | number | undefined) ?? '');
const listOf = (data: Data, name: string): readonly Data[] =>
  (data[name] as readonly Data[] | undefined) ?? [];

const triggers: Readonly<Record<string, string>> = {
  CONTACT_QUEUED: 'the contact joined the queue',
  AGENT_FREED: 'an agent came free',
  OFFER_ENDED: 'an offer came to nothing',
  QUEUE_CHANGED: 'the queue was changed',
  TIME: 'time had passed',
  CONTACT_BORROWED: 'another home lent the contact',
  CONTACT_RETURNED: 'another home gave the contact back',
};

const returns: Readonly<Record<string, string>> = {
  NO_AGENT: 'nobody there could be offered it',
  QUEUE_UNKNOWN: 'the queue is not known there',
  CONTACT_KNOWN: 'a contact of this name is there already',
  OFFER_ENDED: 'the offer there came to nothing',
};

const reasons: Readonly<Record<string, string>> = {
  NOT_AVAILABLE: 'not available',
  AT_CAPACITY: 'busy with as many contacts as they may have',
  NO_CHANNEL: 'not on this channel',
  SKILL_MISSING: 'without a skill that is asked for',
  SKILL_TOO_LOW: 'not skilled enough',
  DECLINED: 'had declined this contact',
  DECLINED_RECENTLY: 'had declined this contact a little before',
};

const strategies: Readonly<Record<string, string>> = {
  LONGEST_IDLE: 'who had been idle longest',
  MOST_SKILLED: 'who had the most skill, then who had been idle longest',
};

const ends: Readonly<Record<string, string>> = {
  accepted: 'accepted it',
  rejected: 'declined it',
  timed_out: 'let it ring out',
  rescinded: 'had it taken back',
  canceled: 'had accepted it, but the contact ended first',
  wrapping: 'began the after-call work',
  completed: 'was free again',
};

/** How a queue was set up when something was decided about it. */
export interface InForce {
  /** When it was set up so, RFC 3339. */
  readonly since: string;
  /** Where the log says so: `EV_eu:12.0`. */
  readonly place: string;
  readonly settings: Data;
}

/** One decision about a contact, with what came of it. */
export interface Explanation {
  /** `routing.decided`, or `lent`, `returned`, `withdrawn` between homes. */
  readonly decided: ShownEvent;
  /** The reservation's events that followed, in order; empty when nobody was chosen. */
  readonly followed: readonly ShownEvent[];
  /** The home whose partition decided it, and the region that wrote it under which epoch. */
  readonly partition?: { readonly home: string; readonly region: string; readonly epoch: number };
  /** The configuration in force; absent where it is not known. */
  readonly inForce?: InForce;
}

const moves = ['routing.lent', 'routing.returned', 'routing.withdrawn'];

/**
 * The decisions in a contact's timeline, each with the events of the reservation it led to.
 * @param timeline every event that names the contact, in the order of the log
 */
export function explanationsOf(timeline: readonly ShownEvent[]): Explanation[] {
  return timeline.flatMap((decided, place): Explanation[] => {
    const short = shortType(decided.type);
    if (moves.includes(short)) return [{ decided, followed: [] }];
    if (short !== 'routing.decided') return [];
    const { outcome, agentId } = dataOf(decided);
    const later = timeline.slice(place);
    // Another partition may have decided meanwhile: the reservation is that of the agent chosen here.
    const created =
      outcome === 'OFFERED'
        ? later.find(
            (event) =>
              shortType(event.type) === 'reservation.created' &&
              dataOf(event)['agentId'] === agentId,
          )
        : undefined;
    const followed =
      created === undefined
        ? []
        : later.filter(
            ({ type, subject }) =>
              shortType(type).startsWith('reservation.') && subject === created.subject,
          );
    return [{ decided, followed }];
  });
}

/** A decision in plain sentences, without a line break at the end. */
export function explain({ decided, followed, partition, inForce }: Explanation): string {
  const data = dataOf(decided);
  const lines = [headline(decided)];
  if (partition !== undefined) {
    const { home, region, epoch } = partition;
    lines.push(`  Decided by the partition of home ${home}, in region ${region}, epoch ${epoch}.`);
  }
  if (shortType(decided.type) !== 'routing.decided') return lines.join('\n');
  lines.push(`  ${waitingLine(data)}`);
  const asked = listOf(data, 'requirements').map(
    (one) => `${textOf(one, 'skill')} from level ${textOf(one, 'minimumLevel')}`,
  );
  if (asked.length > 0) lines.push(`  Asked for: ${asked.join(', ')}.`);
  if (inForce !== undefined) lines.push(`  ${inForceLine(inForce, decided)}`);
  lines.push(...candidateLines(data), ...exclusionLines(data));
  const created = followed[0];
  for (const event of followed) lines.push(`  ${followedLine(event, created?.time ?? event.time)}`);
  return lines.join('\n');
}

/** The configuration in force: its settings, since when, and its number in the partition. */
function inForceLine({ since, place, settings }: InForce, decided: ShownEvent): string {
  const version = (decided as { readonly configversion?: number }).configversion;
  const ageing = formatDuration(Number(settings['ageingMsPerLevel']));
  return (
    `In force: ${factsOf({ type: 'meridian.queue.updated.v1', data: { settings } })}, ` +
    `one level of priority is worth ${ageing}; since ${timeOfDay(since)} (${place})` +
    `${version === undefined ? '' : `, configuration ${version} of the partition`}.`
  );
}

function headline(decided: ShownEvent): string {
  const data = dataOf(decided);
  const because = triggers[textOf(data, 'trigger')] ?? textOf(data, 'trigger');
  const at = timeOfDay(decided.time);
  switch (shortType(decided.type)) {
    case 'routing.lent':
      return `${at}  Lent to home ${textOf(data, 'to')} (loan ${textOf(data, 'loan')}): an agent there may serve it.`;
    case 'routing.returned': {
      const reason = textOf(data, 'reason');
      return `${at}  Given back to home ${textOf(data, 'contactHome')}: ${returns[reason] ?? reason}.`;
    }
    case 'routing.withdrawn':
      return `${at}  Its place is gone, because of ${shortType(textOf(data, 'reason'))}.`;
    default:
  }
  const when = `${at}  Because ${because}:`;
  switch (textOf(data, 'outcome')) {
    case 'OFFERED':
      return `${when} offered to ${textOf(data, 'agentId')}.`;
    case 'WAITING':
      return `${when} nobody could take it; it waits.`;
    case 'UNROUTABLE':
      return `${when} the queue ${textOf(data, 'queueId')} does not exist; it waits for it.`;
    default:
      return `${when} ${factsOf(decided)}`;
  }
}

function waitingLine(data: Data): string {
  const priority = Number(data['priority'] ?? 0);
  const head =
    priority === 0
      ? 'ordinary priority'
      : `priority ${priority} (a head start of ${priority} times the queue's ageing time)`;
  const count = Number(data['waitingCount'] ?? 0);
  return (
    `Queue ${textOf(data, 'queueId')}, in its place since ${timeOfDay(textOf(data, 'enqueuedAt'))}, ${head}; ` +
    `${count} waiting, this one included.`
  );
}

function candidateLines(data: Data): string[] {
  const candidates = listOf(data, 'candidates');
  if (candidates.length === 0) return [];
  const total = Number(data['candidateCount'] ?? candidates.length);
  const strategy = textOf(data, 'strategy');
  const lines = [
    `  Chosen by ${strategies[strategy] ?? strategy} (${textOf(data, 'algorithm')}) among ${total}:`,
  ];
  candidates.forEach((one, index) => {
    lines.push(
      `    ${index + 1}. ${textOf(one, 'agentId')}: idle ${formatDuration(Number(one['idleMs'] ?? 0))}, ` +
        `skill ${Number(one['levelSum'] ?? 0)}`,
    );
  });
  if (total > candidates.length) lines.push(`    and ${total - candidates.length} more`);
  return lines;
}

function exclusionLines(data: Data): string[] {
  return listOf(data, 'exclusions').map((one) => {
    const names = (one['agentIds'] as readonly string[] | undefined) ?? [];
    const count = Number(one['count'] ?? names.length);
    const more = count > names.length ? ', ...' : '';
    return `  Not ${count}: ${reasons[textOf(one, 'reason')] ?? textOf(one, 'reason')} (${names.join(', ')}${more}).`;
  });
}

function followedLine(event: ShownEvent, createdAt: string): string {
  const data = dataOf(event);
  const what = shortType(event.type).split('.')[1] ?? '';
  const agent = textOf(data, 'agentId');
  if (what === 'created') {
    const until = timeOfDay(textOf(data, 'expiresAt'));
    return `Reservation ${event.subject}: ${agent} is held until ${until}.`;
  }
  const after = formatDuration(Date.parse(event.time) - Date.parse(createdAt));
  const why = textOf(data, 'reason');
  return `${timeOfDay(event.time)}, ${after} later: ${agent} ${ends[what] ?? what}${why === '' ? '' : ` (${why})`}.`;
}
