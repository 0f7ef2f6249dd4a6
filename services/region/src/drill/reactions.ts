import type { OutsideRequest } from './post.ts';

/** An event of the log as agents and customers read it. */
export interface Heard {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** The home of what it is about. */
  readonly region: string;
  /** Under which it was decided: what was lost with its region is decided again, under a later one. */
  readonly epoch: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Whom somebody outside speaks for. */
export interface Acquaintances {
  readonly isMyCustomer: (contactId: string) => boolean;
  readonly isMyAgent: (agentId: string) => boolean;
}

/** What somebody does about an event, after a moment drawn from a span in ms. */
export interface Reaction {
  readonly within: readonly [least: number, most: number];
  readonly request: OutsideRequest;
}

export const queueId = 'drill';

/** What somebody outside listens for: what there is a reaction to, and how contacts end. */
export const typesHeard: readonly string[] = [
  'meridian.contact.initiated.v1',
  'meridian.reservation.created.v1',
  'meridian.contact.connected_to_agent.v1',
  'meridian.contact.acw_started.v1',
  'meridian.agent.not_responding.v1',
  'meridian.contact.completed.v1',
  'meridian.contact.abandoned.v1',
  'meridian.contact.orphan_reaped.v1',
];

/** How quick people are in a drill, in ms. */
const pace = {
  atOnce: [0, 0],
  answer: [60, 180],
  talk: [200, 600],
  wrapUp: [30, 90],
  comeBack: [300, 500],
} as const;

/**
 * What a customer or an agent does when they hear of an event; undefined when it does not concern
 * them. The id of the request follows from the event and its epoch: heard twice, it is the same request;
 * decided again, it is another one, because what was asked for in between may have led to nothing.
 */
export function reactionTo(event: Heard, who: Acquaintances): Reaction | undefined {
  const { id, type, subject, region, epoch, data } = event;
  const agentId = data['agentId'];
  const isForMe = typeof agentId === 'string' && who.isMyAgent(agentId);
  const reaction = (
    within: Reaction['within'],
    what: string,
    asked: string,
    said: unknown,
  ): Reaction => ({
    within,
    request: { id: `${subject}/${what}-${epoch}`, type: asked, subject, region, data: said },
  });
  if (type === 'meridian.contact.initiated.v1' && who.isMyCustomer(subject)) {
    const said = { queueId, priority: 0 };
    return reaction(pace.atOnce, 'enter', 'meridian.contact.enter_queue.v1', said);
  }
  if (type === 'meridian.reservation.created.v1' && isForMe) {
    // What one owner offered to one agent another one may offer to another, under the same number.
    const what = `accept-${agentId}`;
    return reaction(pace.answer, what, 'meridian.reservation.accept.v1', { agentId });
  }
  if (type === 'meridian.contact.connected_to_agent.v1' && isForMe) {
    const said = { by: 'AGENT', reason: 'done' };
    return reaction(pace.talk, 'hang-up', 'meridian.contact.hang_up.v1', said);
  }
  if (type === 'meridian.contact.acw_started.v1' && isForMe) {
    const said = { disposition: 'solved' };
    return reaction(pace.wrapUp, 'wrap-up', 'meridian.contact.complete_wrap_up.v1', said);
  }
  if (type === 'meridian.agent.not_responding.v1' && who.isMyAgent(subject)) {
    const said = { presence: 'AVAILABLE' };
    return reaction(pace.comeBack, `back-${id}`, 'meridian.agent.set_presence.v1', said);
  }
  return undefined;
}
