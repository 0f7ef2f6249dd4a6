import { describe, expect, it } from '@jest/globals';
import { toTimestamp } from '@meridian/core';
import type { DomainEvent } from '@meridian/wire';
import { generatePlan, type DayPlan, type PlannedContact } from '../day/index.ts';
import { comesBefore, type Action } from './action.ts';
import { Cast } from './cast.ts';
import type { SeenEvent } from './edge.ts';
import { RunNames } from './names.ts';
import { Placement } from './placement.ts';
import { Requests } from './requests.ts';

const startAt = Date.UTC(1999, 7, 2, 9);

const caller: PlannedContact = {
  id: 'contact-00001',
  arrivalAt: startAt + 10_000,
  type: 'PS',
  priority: 2,
  ivrSeconds: 7,
  leavesInIvr: false,
  patienceSeconds: 60,
  serviceSeconds: 50,
  talkSeconds: 45,
  wrapUpSeconds: 5,
  customer: '4711',
};

/** One agent, who works a minute and then another, and the contacts given. */
function planOf(contacts: readonly PlannedContact[], ring: Partial<DayPlan['ring']> = {}): DayPlan {
  const { queues } = generatePlan('s', { contacts: 1, agents: 1 });
  return {
    date: '1999-08-02',
    seed: 's',
    queues: queues.filter(({ id }) => id === 'PS'),
    assumptions: [],
    agents: [
      {
        id: 'ann',
        skills: [{ skill: 'PS', level: 3 }],
        shifts: [{ signInAt: startAt, signOutAt: startAt + 300_000 }],
      },
    ],
    contacts,
    ring: {
      missedOfferRate: 0,
      rejectRate: 0,
      shortestAnswerSeconds: 2,
      longestAnswerSeconds: 2,
      ...ring,
    },
  };
}

function castOf(plan: DayPlan): {
  cast: Cast;
  requests: Requests;
  see: (seconds: number, event: DomainEvent) => void;
} {
  const names = new RunNames('r', plan);
  const cast = new Cast(plan, names);
  const see = (seconds: number, event: DomainEvent): void => {
    cast.see({ ...event, time: toTimestamp(startAt + seconds * 1000), tenant: 't' } as SeenEvent);
  };
  return { cast, requests: new Requests(plan, names, new Placement(plan, names, [])), see };
}

/** Actions as [seconds after the start, kind, subject]. */
const short = (action: Action | undefined) =>
  action && [(action.at - startAt) / 1000, action.kind, action.subject];

const id = 'c-r-00001';
const signedIn: DomainEvent = {
  type: 'meridian.agent.signed_in.v1',
  subject: 'ann',
  data: { sessionId: 's-r-ann-1', skills: [], capacities: [], presence: 'AVAILABLE' },
};
const initiated: DomainEvent = {
  type: 'meridian.contact.initiated.v1',
  subject: id,
  data: { method: 'INBOUND', channel: 'VOICE' },
};
const queued: DomainEvent = {
  type: 'meridian.contact.queued.v1',
  subject: id,
  data: { queueId: 'PS', channel: 'VOICE', requirements: [] },
};
const created = (ordinal: number, agentId = 'ann'): DomainEvent => ({
  type: 'meridian.reservation.created.v1',
  subject: `${id}-r${ordinal}`,
  data: {
    contactId: id,
    agentId,
    queueId: 'PS',
    channel: 'VOICE',
    expiresAt: toTimestamp(startAt + 99_000),
  },
});
const ended = (how: 'rescinded' | 'timed_out', ordinal: number): DomainEvent =>
  ({
    type: `meridian.reservation.${how}.v1`,
    subject: `${id}-r${ordinal}`,
    data: { contactId: id, agentId: 'ann', reason: 'x' },
  }) as DomainEvent;

/** Takes the first actions: the queue, the agent's sign-in and the arrival. */
function begin(plan = planOf([caller])) {
  const all = castOf(plan);
  const first = [all.cast.take(), all.cast.take(), all.cast.take()].map(short);
  all.see(0, signedIn);
  all.see(10, initiated);
  return { ...all, first };
}

describe('the cast of a day', () => {
  it('begins with the queues, the agents and the arrivals', () => {
    const { first, cast } = begin();
    expect(first).toEqual([
      [0, 'CONFIGURE_QUEUE', 'PS'],
      [0, 'SIGN_IN', 'ann'],
      [10, 'ARRIVE', id],
    ]);
    expect([cast.contacts.IVR, cast.agents().IDLE, cast.living]).toEqual([1, 1, 1]);
  });

  it('lives a served contact from the events alone', () => {
    const { cast, see } = begin();
    expect(short(cast.take())).toEqual([17, 'LEAVE_IVR', id]);
    see(17, queued);
    see(17, created(1));
    see(17, {
      type: 'meridian.contact.offered.v1',
      subject: id,
      data: { reservationId: `${id}-r1`, agentId: 'ann', expiresAt: '' },
    });
    expect([cast.contacts.OFFERED, cast.agents().OFFERED]).toEqual([1, 1]);
    expect(short(cast.take())).toEqual([19, 'ACCEPT', `${id}-r1`]);
    see(19, {
      type: 'meridian.reservation.accepted.v1',
      subject: `${id}-r1`,
      data: { contactId: id, agentId: 'ann' },
    });
    see(19, {
      type: 'meridian.contact.connected_to_agent.v1',
      subject: id,
      data: { agentId: 'ann', reservationId: `${id}-r1` },
    });
    expect([cast.agents().TALKING, cast.answeredInTime]).toEqual([1, 1]);
    expect(short(cast.take())).toEqual([64, 'HANG_UP', id]);
    see(64, {
      type: 'meridian.contact.acw_started.v1',
      subject: id,
      data: { agentId: 'ann', limitAt: '' },
    });
    expect([cast.agents().WRAP_UP, cast.contacts.WRAP_UP]).toEqual([1, 1]);
    expect(short(cast.take())).toEqual([69, 'COMPLETE_WRAP_UP', id]);
    see(69, { type: 'meridian.contact.completed.v1', subject: id, data: { durations: [] } });
    see(69, {
      type: 'meridian.reservation.completed.v1',
      subject: `${id}-r1`,
      data: { contactId: id, agentId: 'ann' },
    });
    expect([cast.living, cast.contacts.SERVED, cast.agents().IDLE]).toEqual([0, 1, 1]);
    // The patience that ended at 77 s is forgotten: the contact was answered.
    expect(short(cast.take())).toEqual([300, 'SIGN_OUT', 'ann']);
    expect(cast.take()).toBeUndefined();
  });

  it('hangs up when patience ends, also while it rings', () => {
    const { cast, see } = begin(planOf([{ ...caller, patienceSeconds: 1 }]));
    cast.take();
    see(17, queued);
    see(17, created(1));
    expect(short(cast.take())).toEqual([18, 'LOSE_PATIENCE', id]);
    see(18, {
      type: 'meridian.contact.abandoned.v1',
      subject: id,
      data: { stage: 'OFFERED', durations: [] },
    });
    see(18, ended('rescinded', 1));
    expect([cast.contacts.ABANDONED, cast.agents().IDLE]).toEqual([1, 1]);
    // Nobody answers what does not ring any more.
    expect(short(cast.take())).toEqual([300, 'SIGN_OUT', 'ann']);
  });

  it('lets an offer ring out and comes back half a minute later, once', () => {
    const { cast, see } = begin(planOf([caller], { missedOfferRate: 1 }));
    cast.take();
    see(17, queued);
    see(17, created(1));
    expect(short(cast.peek())).toEqual([77, 'LOSE_PATIENCE', id]);
    see(37, ended('timed_out', 1));
    see(37, {
      type: 'meridian.agent.not_responding.v1',
      subject: 'ann',
      data: { reservationId: `${id}-r1` },
    });
    expect(cast.agents().NOT_RESPONDING).toBe(1);
    expect(short(cast.take())).toEqual([67, 'COME_BACK', 'ann']);
    see(67, {
      type: 'meridian.agent.state_changed.v1',
      subject: 'ann',
      data: { from: 'NOT_RESPONDING', to: 'AVAILABLE' },
    });
    expect(cast.agents().IDLE).toBe(1);
  });

  it('does not come back after having gone home', () => {
    const { cast, see } = begin(planOf([]));
    see(290, {
      type: 'meridian.agent.not_responding.v1',
      subject: 'ann',
      data: { reservationId: 'x' },
    });
    see(300, {
      type: 'meridian.agent.signed_out.v1',
      subject: 'ann',
      data: { sessionId: 's-r-ann-1' },
    });
    expect(cast.take()?.kind).not.toBe('COME_BACK');
    expect([cast.take(), cast.isEmpty]).toEqual([undefined, true]);
  });

  it('turns offers down when the plan says so', () => {
    const { cast, see } = begin(planOf([caller], { rejectRate: 1 }));
    cast.take();
    see(17, queued);
    see(17, created(1));
    expect(short(cast.take())).toEqual([19, 'REJECT', `${id}-r1`]);
  });

  it('passes over other runs, and counts offers to strangers', () => {
    const { cast, see } = begin();
    see(11, { ...initiated, subject: 'c-other-00001' });
    expect(cast.contacts.IVR).toBe(1);
    see(17, created(1, 'bob'));
    expect(cast.strays.offersToStrangers).toBe(1);
  });

  it('says who never ended', () => {
    const { cast } = begin();
    expect(cast.unfinished(5)).toEqual([`${id} (IVR)`]);
  });
});

describe('what is asked', () => {
  it('has the same id for the same action, and a head start of one level for priority 2', () => {
    const { cast, requests } = begin();
    const leave = cast.take()!;
    expect(requests.of(leave, cast, startAt + 17_000)).toEqual({
      specversion: '1.0',
      id: `${id}/leave_ivr/1`,
      source: 'player/r',
      time: '1999-08-02T09:00:17.000Z',
      type: 'meridian.contact.enter_queue.v1',
      subject: id,
      data: { queueId: 'PS', priority: 1 },
    });
  });

  it('hangs up for who leaves in the IVR', () => {
    const { cast, requests } = begin(planOf([{ ...caller, leavesInIvr: true }]));
    expect(requests.of(cast.take()!, cast, 0)).toMatchObject({
      type: 'meridian.contact.hang_up.v1',
      data: { by: 'CUSTOMER' },
    });
  });

  it('asks nothing for an offer that is over', () => {
    const { cast, requests } = begin();
    const accept: Action = { at: 0, kind: 'ACCEPT', subject: `${id}-r9`, ordinal: 1 };
    expect(requests.of(accept, cast, 0)).toBeUndefined();
  });
});

describe('the order of actions', () => {
  it('is total and does not depend on the order of planning', () => {
    const actions: Action[] = [
      { at: 1, kind: 'SIGN_OUT', subject: 'a', ordinal: 1 },
      { at: 1, kind: 'SIGN_IN', subject: 'b', ordinal: 1 },
      { at: 1, kind: 'SIGN_IN', subject: 'a', ordinal: 2 },
      { at: 1, kind: 'SIGN_IN', subject: 'a', ordinal: 1 },
      { at: 0, kind: 'SIGN_OUT', subject: 'z', ordinal: 1 },
    ];
    const order = (list: readonly Action[]) =>
      list.toSorted((a, b) => (comesBefore(a, b) ? -1 : 1));
    expect(order(actions)).toEqual(
      actions.toReversed().toSorted((a, b) => (comesBefore(a, b) ? -1 : 1)),
    );
    expect(
      order(actions).map(({ kind, subject, ordinal }) => `${kind} ${subject}${ordinal}`),
    ).toEqual(['SIGN_OUT z1', 'SIGN_IN a1', 'SIGN_IN a2', 'SIGN_IN b1', 'SIGN_OUT a1']);
    for (const action of actions) expect(comesBefore(action, action)).toBe(false);
  });
});
