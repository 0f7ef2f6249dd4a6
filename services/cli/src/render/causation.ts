import type { Paint } from './colour.ts';
import { timeOfDay } from './duration.ts';
import { factsOf, shortType, type ShownEvent } from './event-line.ts';

/** An event of a timeline, with where it is and who wrote it. */
export interface CausedEvent extends ShownEvent {
  readonly id: string;
  /** The id of the event that led to it, or `<source>#<id>` of a request. */
  readonly causationid?: string;
  readonly actor?: string;
}

/** One place of a timeline. */
export interface TimelinePlace {
  readonly stream: string;
  readonly sequence: number;
  readonly index: number;
  /** The home that it was decided for, the region that wrote it and under which epoch. */
  readonly home?: string;
  readonly region?: string;
  readonly epoch?: number | null;
  /** The entry of another region that it goes on from. */
  readonly adoptedFrom?: string | null;
  readonly event: CausedEvent;
}

/** An event with what it led to, or a cause from outside the timeline. */
export interface CausationNode {
  /** Absent for a cause that is no event of the timeline. */
  readonly place?: TimelinePlace;
  /** The name of the cause: an event's id, or `<source>#<id>` of a request. */
  readonly cause: string;
  readonly actor: string | undefined;
  readonly led: CausationNode[];
}

/**
 * What led to what: each event under the one that it names as its cause; those whose cause is no event of
 * the timeline under the request, or the event about something else, that it names.
 * @param timeline in the order in which things happened
 * @returns the causes from outside, in the order of their first effect
 */
export function causationOf(timeline: readonly TimelinePlace[]): CausationNode[] {
  const nodes = new Map<string, CausationNode>();
  for (const place of timeline) {
    const { id, causationid = '', actor } = place.event;
    nodes.set(id, { place, cause: causationid, actor, led: [] });
  }
  const roots = new Map<string, CausationNode>();
  for (const node of nodes.values()) {
    const { cause, actor } = node;
    // An entry's events may name one another only forwards: what names itself is a root.
    const parent = cause === node.place?.event.id ? undefined : nodes.get(cause);
    if (parent !== undefined) parent.led.push(node);
    else {
      const root = roots.get(cause) ?? { cause, actor, led: [] };
      root.led.push(node);
      roots.set(cause, root);
    }
  }
  return [...roots.values()];
}

/** The tree for people: one line an event, what it led to two columns further in. */
export function renderCausation(roots: readonly CausationNode[], paint: Paint): string {
  const lines: string[] = [];
  let before: TimelinePlace | undefined;
  const add = ({ place, cause, actor, led }: CausationNode, depth: number): void => {
    const indent = '  '.repeat(depth);
    if (place === undefined) {
      const by = actor === undefined || actor === '' ? '' : `, by ${actor}`;
      lines.push(`${indent}${paint('bold', nameOfCause(cause))}${by}`);
    } else {
      lines.push(`${indent}${lineOf(place, before)}`);
      before = place;
    }
    for (const one of led) add(one, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return lines.map((line) => `${line}\n`).join('');
}

/** A request by its source and id; anything else is an event about something else. */
function nameOfCause(cause: string): string {
  if (cause === '') return 'no cause named';
  return cause.includes('#') ? `request ${cause}` : `event ${cause}`;
}

function lineOf(place: TimelinePlace, before: TimelinePlace | undefined): string {
  const { stream, sequence, index, home, region, epoch, adoptedFrom, event } = place;
  const facts = factsOf(event);
  const where = `${stream}:${sequence}.${index}`;
  const isNews = before?.region !== region || before?.epoch !== epoch || before?.home !== home;
  const writer =
    isNews && region !== undefined ? `, ${region} for home ${home}, epoch ${epoch}` : '';
  const adopted = typeof adoptedFrom === 'string' ? `, goes on from ${adoptedFrom}` : '';
  return (
    `${timeOfDay(event.time)}  ${shortType(event.type)}${facts === '' ? '' : `: ${facts}`}` +
    `  (${where}${writer}${adopted})`
  );
}
