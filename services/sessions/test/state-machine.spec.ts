import { describe, expect, test } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import { contactDecider, type Command } from '../src/index.ts';
import { at, histories } from './histories.ts';

type State = keyof typeof histories;

/** The columns of the table, in this order. */
const states: readonly State[] = [
  'NONE', 'IN_SYSTEM', 'IVR', 'QUEUED', 'OFFERED', 'REQUEUED', 'CONNECTED', 'HELD', 'WRAP_UP',
  'COMPLETED', 'ABANDONED', 'FAILED',
];

const subject = 'c1';
const expiresAt = new Date(at.command + 20_000).toISOString();
const commands: Readonly<Record<string, Command>> = {
  'initiate': { type: 'meridian.contact.initiate.v1', subject, data: { method: 'INBOUND', channel: 'VOICE' } },
  'initiate another': { type: 'meridian.contact.initiate.v1', subject, data: { method: 'INBOUND', channel: 'CHAT' } },
  'enter its queue': { type: 'meridian.contact.enter_queue.v1', subject, data: { queueId: 'sales' } },
  'enter another': { type: 'meridian.contact.enter_queue.v1', subject, data: { queueId: 'care' } },
  'customer hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'CUSTOMER' } },
  'system hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'SYSTEM' } },
  'agent hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'AGENT' } },
  'hold': { type: 'meridian.contact.hold.v1', subject, data: {} },
  'resume': { type: 'meridian.contact.resume.v1', subject, data: {} },
  'complete wrap-up': { type: 'meridian.contact.complete_wrap_up.v1', subject, data: { disposition: 'sold' } },
  'update anew': { type: 'meridian.contact.update_attributes.v1', subject, data: { attributes: { city: 'Rome' } } },
  'update as is': { type: 'meridian.contact.update_attributes.v1', subject, data: { attributes: { plan: 'gold' } } },
  'offer r1': { type: 'offer', subject, data: { reservationId: 'c1-r1', agentId: 'a1', expiresAt } },
  'offer r2': { type: 'offer', subject, data: { reservationId: 'c1-r2', agentId: 'a2', expiresAt } },
  'requeue r1': { type: 'requeue', subject, data: { reservationId: 'c1-r1', reason: 'TIMED_OUT' } },
  'requeue r2': { type: 'requeue', subject, data: { reservationId: 'c1-r2', reason: 'TIMED_OUT' } },
  'connect r1': { type: 'connect', subject, data: { reservationId: 'c1-r1', agentId: 'a1' } },
  'connect r2': { type: 'connect', subject, data: { reservationId: 'c1-r2', agentId: 'a2' } },
  'watch': { type: 'watch', subject },
};

const abandons = 'abandoned';
const leaves = 'dequeued abandoned';
const joins = 'queued';
const wraps = 'disconnected acw_started';
/** Nothing to do. */
const _ = '';
const unknown = 'CONTACT_UNKNOWN';
const exists = 'CONTACT_EXISTS';
const over = 'CONTACT_OVER';
const stale = 'OFFER_STALE';
const already = 'ALREADY_QUEUED';
const apart = 'NOT_CONNECTED';
const unheld = 'NOT_HELD';
const unwrapped = 'NOT_WRAPPING_UP';
const updates = 'attributes_updated';

/** What each state answers to each command: names of events, a rejection in capitals, or nothing. */
const table: Readonly<Record<keyof typeof commands, readonly string[]>> = {
  //                   NONE     IN_SYSTEM IVR                  QUEUED     OFFERED    REQUEUED   CONNECTED  HELD       WRAP_UP    COMPLETED  ABANDONED  FAILED
  'initiate':          ['initiated connected_to_system', _, _, _,         _,         _,         _,         _,         _,         _,         _,         _],
  'initiate another':  ['initiated connected_to_system', exists, exists, exists, exists, exists, exists,   exists,    exists,    exists,    exists,    exists],
  'enter its queue':   [unknown, joins,    'ivr_ended queued', _,         _,         _,         _,         _,         _,         _,         _,         over],
  'enter another':     [unknown, joins,    'ivr_ended queued', already,   already,   already,   already,   already,   already,   over,      over,      over],
  'customer hangs up': [unknown, abandons, 'ivr_ended abandoned', leaves, leaves,    leaves,    wraps,     wraps,     _,         _,         _,         _],
  'system hangs up':   [unknown, abandons, 'ivr_ended abandoned', leaves, leaves,    leaves,    wraps,     wraps,     _,         _,         _,         _],
  'agent hangs up':    [unknown, apart,    apart,              apart,     apart,     apart,     wraps,     wraps,     _,         _,         _,         _],
  'hold':              [unknown, apart,    apart,              apart,     apart,     apart,     'held',    _,         apart,     apart,     apart,     apart],
  'resume':            [unknown, unheld,   unheld,             unheld,    unheld,    unheld,    _,         'resumed', unheld,    unheld,    unheld,    unheld],
  'complete wrap-up':  [unknown, unwrapped, unwrapped,         unwrapped, unwrapped, unwrapped, unwrapped, unwrapped, 'acw_ended disposed completed', _, over, over],
  'update anew':       [unknown, updates,  updates,            updates,   updates,   updates,   updates,   updates,   updates,   over,      over,      over],
  'update as is':      [unknown, _,        _,                  _,         _,         _,         _,         _,         _,         _,         _,         _],
  'offer r1':          [unknown, stale,    stale,              'offered', _,         _,         _,         _,         _,         _,         _,         _],
  'offer r2':          [unknown, stale,    stale,              'offered', stale,     'offered', stale,     stale,     stale,     _,         _,         _],
  'requeue r1':        [unknown, stale,    stale,              _,         'requeued', _,        stale,     stale,     stale,     _,         _,         _],
  'requeue r2':        [unknown, stale,    stale,              _,         stale,     _,         stale,     stale,     stale,     _,         _,         _],
  'connect r1':        [unknown, stale,    stale,              stale,     'dequeued connected_to_agent', stale, _, _, _,         _,         _,         _],
  'connect r2':        [unknown, stale,    stale,              stale,     stale,     stale,     stale,     stale,     stale,     _,         _,         _],
  'watch':             [_,       _,        _,                  _,         _,         _,         _,         _,         _,         _,         _,         _],
};

/** Facts beyond the contact and its state. */
function moreFacts(code: string, command: Command): Record<string, unknown> {
  if (code === stale && 'data' in command && 'reservationId' in command.data) {
    return { reservationId: command.data.reservationId };
  }
  if (code === already) return { queueId: 'sales' };
  if (code === exists) return { channel: 'VOICE', method: 'INBOUND' };
  return {};
}

describe.each(states.map((state, column) => [state, column] as const))('%s', (state, column) => {
  // The log keeps these as they were: QUEUED is QUEUED whether or not an offer came to nothing.
  const named = state === 'REQUEUED' ? 'QUEUED' : state;

  test.each(Object.keys(commands))('%s', (name) => {
    const command = commands[name] as Command;
    const expected = (table[name] as readonly string[])[column] as string;
    let contact = contactDecider.initial();
    for (const [event, atMs] of histories[state]) contact = contactDecider.evolve(contact, event, atMs);
    expect(contact.state).toBe(named);
    const context = { now: at.command, random: seeded(name) };
    const answer = step(contactDecider, contact, command, context);
    if (/^[A-Z]/.test(expected)) {
      const facts = { contactId: subject, state: named, ...moreFacts(expected, command) };
      expect(answer).toStrictEqual({ accepted: false, state: contact, rejection: { code: expected, facts } });
      return;
    }
    expect(answer.accepted && answer.events.map(({ type, subject: whom }) => [type, whom])).toEqual(
      expected.split(' ').filter(Boolean).map((event) => [`meridian.contact.${event}.v1`, subject]),
    );
  });
});

test('the table answers for every state and command', () => {
  expect(Object.keys(table)).toEqual(Object.keys(commands));
  expect(states.toSorted()).toEqual(Object.keys(histories).toSorted());
  for (const row of Object.values(table)) expect(row).toHaveLength(states.length);
});
