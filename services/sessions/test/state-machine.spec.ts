import { describe, expect, test } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import { contactDecider, type Command } from '../src/index.ts';
import { at, histories } from './histories.ts';

type State = keyof typeof histories;

/** The columns of the table, in this order. */
const states: readonly State[] = [
  'NONE',
  'IN_SYSTEM',
  'IVR',
  'QUEUED',
  'OFFERED',
  'REQUEUED',
  'CONNECTED',
  'HELD',
  'WRAP_UP',
  'COMPLETED',
  'ABANDONED',
  'FAILED',
];

const subject = 'c1';
const expiresAt = new Date(at.command + 20_000).toISOString();
const commands: Readonly<Record<string, Command>> = {
  initiate: {
    type: 'meridian.contact.initiate.v1',
    subject,
    data: { method: 'INBOUND', channel: 'VOICE' },
  },
  'initiate another': {
    type: 'meridian.contact.initiate.v1',
    subject,
    data: { method: 'INBOUND', channel: 'CHAT' },
  },
  'enter its queue': {
    type: 'meridian.contact.enter_queue.v1',
    subject,
    data: { queueId: 'sales' },
  },
  'enter another': { type: 'meridian.contact.enter_queue.v1', subject, data: { queueId: 'care' } },
  'customer hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'CUSTOMER' } },
  'system hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'SYSTEM' } },
  'agent hangs up': { type: 'meridian.contact.hang_up.v1', subject, data: { by: 'AGENT' } },
  hold: { type: 'meridian.contact.hold.v1', subject, data: {} },
  resume: { type: 'meridian.contact.resume.v1', subject, data: {} },
  'complete wrap-up': {
    type: 'meridian.contact.complete_wrap_up.v1',
    subject,
    data: { disposition: 'sold' },
  },
  'update anew': {
    type: 'meridian.contact.update_attributes.v1',
    subject,
    data: { attributes: { city: 'Rome' } },
  },
  'update as is': {
    type: 'meridian.contact.update_attributes.v1',
    subject,
    data: { attributes: { plan: 'gold' } },
  },
  'offer r1': {
    type: 'offer',
    subject,
    data: { reservationId: 'c1-r1', agentId: 'a1', expiresAt },
  },
  'offer r2': {
    type: 'offer',
    subject,
    data: { reservationId: 'c1-r2', agentId: 'a2', expiresAt },
  },
  'requeue r1': { type: 'requeue', subject, data: { reservationId: 'c1-r1', reason: 'TIMED_OUT' } },
  'requeue r2': { type: 'requeue', subject, data: { reservationId: 'c1-r2', reason: 'TIMED_OUT' } },
  'connect r1': { type: 'connect', subject, data: { reservationId: 'c1-r1', agentId: 'a1' } },
  'connect r2': { type: 'connect', subject, data: { reservationId: 'c1-r2', agentId: 'a2' } },
  watch: { type: 'watch', subject },
};

/** The words of the table: names of events, or a rejection. */
const legend: Readonly<Record<string, string>> = {
  '-': '',
  begin: 'initiated connected_to_system',
  join: 'queued',
  ivrjoin: 'ivr_ended queued',
  abandon: 'abandoned',
  ivrquit: 'ivr_ended abandoned',
  quit: 'dequeued abandoned',
  wrap: 'disconnected acw_started',
  held: 'held',
  resumed: 'resumed',
  finish: 'acw_ended disposed completed',
  update: 'attributes_updated',
  offer: 'offered',
  requeue: 'requeued',
  reoffer: 'requeued offered',
  connect: 'dequeued connected_to_agent',
  UNKNOWN: 'CONTACT_UNKNOWN',
  EXISTS: 'CONTACT_EXISTS',
  OVER: 'CONTACT_OVER',
  STALE: 'OFFER_STALE',
  ALREADY: 'ALREADY_QUEUED',
  APART: 'NOT_CONNECTED',
  UNHELD: 'NOT_HELD',
  UNWRAP: 'NOT_WRAPPING_UP',
};

/** What each state answers to each command. */
const table = `
  command           NONE    IN_SYS  IVR     QUEUED  OFFERED REQUEUE CONNECT HELD    WRAP_UP COMPLET ABANDON FAILED
  initiate          begin   -       -       -       -       -       -       -       -       -       -       -
  initiate another  begin   EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS  EXISTS
  enter its queue   UNKNOWN join    ivrjoin -       -       -       -       -       -       -       -       OVER
  enter another     UNKNOWN join    ivrjoin ALREADY ALREADY ALREADY ALREADY ALREADY ALREADY OVER    OVER    OVER
  customer hangs up UNKNOWN abandon ivrquit quit    quit    quit    wrap    wrap    -       -       -       -
  system hangs up   UNKNOWN abandon ivrquit quit    quit    quit    wrap    wrap    -       -       -       -
  agent hangs up    UNKNOWN APART   APART   APART   APART   APART   wrap    wrap    -       -       -       -
  hold              UNKNOWN APART   APART   APART   APART   APART   held    -       APART   APART   APART   APART
  resume            UNKNOWN UNHELD  UNHELD  UNHELD  UNHELD  UNHELD  -       resumed UNHELD  UNHELD  UNHELD  UNHELD
  complete wrap-up  UNKNOWN UNWRAP  UNWRAP  UNWRAP  UNWRAP  UNWRAP  UNWRAP  UNWRAP  finish  -       OVER    OVER
  update anew       UNKNOWN update  update  update  update  update  update  update  update  OVER    OVER    OVER
  update as is      UNKNOWN -       -       -       -       -       -       -       -       -       -       -
  offer r1          UNKNOWN STALE   STALE   offer   -       -       -       -       -       -       -       -
  offer r2          UNKNOWN STALE   STALE   offer   reoffer offer   STALE   STALE   STALE   -       -       -
  requeue r1        UNKNOWN STALE   STALE   -       requeue -       STALE   STALE   STALE   -       -       -
  requeue r2        UNKNOWN STALE   STALE   -       STALE   -       STALE   STALE   STALE   -       -       -
  connect r1        UNKNOWN STALE   STALE   STALE   connect STALE   -       -       -       -       -       -
  connect r2        UNKNOWN STALE   STALE   STALE   STALE   STALE   STALE   STALE   STALE   -       -       -
  watch             -       -       -       -       -       -       -       -       -       -       -       -
`
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => ({
    name: row.slice(0, 20).trim(),
    answers: row
      .slice(20)
      .trim()
      .split(/ +/)
      .map((word) => legend[word] as string),
  }));

/** Facts beyond the contact and its state. */
function moreFacts(code: string, command: Command): Record<string, unknown> {
  if (code === 'OFFER_STALE' && 'data' in command && 'reservationId' in command.data) {
    return { reservationId: command.data.reservationId };
  }
  if (code === 'ALREADY_QUEUED') return { queueId: 'sales' };
  if (code === 'CONTACT_EXISTS') return { channel: 'VOICE', method: 'INBOUND' };
  return {};
}

describe.each(states.map((state, column) => [state, column] as const))('%s', (state, column) => {
  // The log keeps these as they were: QUEUED is QUEUED whether or not an offer came to nothing.
  const named = state === 'REQUEUED' ? 'QUEUED' : state;

  test.each(Object.keys(commands))('%s', (name) => {
    const command = commands[name] as Command;
    const expected = table.find((row) => row.name === name)?.answers[column] as string;
    let contact = contactDecider.initial();
    for (const [event, atMs] of histories[state]) {
      contact = contactDecider.evolve(contact, event, atMs);
    }
    expect(contact.state).toBe(named);
    const context = { now: at.command, random: seeded(name) };
    const answer = step(contactDecider, contact, command, context);
    if (/^[A-Z]/.test(expected)) {
      const facts = { contactId: subject, state: named, ...moreFacts(expected, command) };
      expect(answer).toStrictEqual({
        accepted: false,
        state: contact,
        rejection: { code: expected, facts },
      });
      return;
    }
    expect(answer.accepted && answer.events.map(({ type, subject: whom }) => [type, whom])).toEqual(
      expected
        .split(' ')
        .filter(Boolean)
        .map((event) => [`meridian.contact.${event}.v1`, subject]),
    );
  });
});

test('the table answers for every state and command', () => {
  expect(table.map(({ name }) => name)).toEqual(Object.keys(commands));
  expect(states.toSorted()).toEqual(Object.keys(histories).toSorted());
  for (const { answers } of table) {
    expect(answers).toHaveLength(states.length);
    expect(answers).not.toContain(undefined);
  }
});
