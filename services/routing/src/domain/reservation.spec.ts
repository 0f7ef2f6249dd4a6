import { describe, expect, test } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import { arbitraryData, specify } from '@meridian/testing';
import { contracts, type ReservationCreated, type ReservationEvent } from '@meridian/wire';
import { isLive, reservationDecider, type Command } from './reservation.ts';

const subject = 'c1-r1';
const parties = { contactId: 'c1', agentId: 'a1' };
const expiresAtMs = 20_000;
const created: ReservationCreated = {
  ...parties,
  queueId: 'sales',
  channel: 'VOICE',
  expiresAt: new Date(expiresAtMs).toISOString(),
};
type Name = ReservationEvent['type'] extends `meridian.reservation.${infer N}.v1` ? N : never;
const event = (name: Name, data: object = parties): ReservationEvent =>
  ({ type: `meridian.reservation.${name}.v1`, subject, data }) as ReservationEvent;

const pending = [event('created', created)];
const histories: Readonly<Record<string, readonly ReservationEvent[]>> = {
  NONE: [],
  PENDING: pending,
  ACCEPTED: [...pending, event('accepted')],
  WRAPPING: [...pending, event('accepted'), event('wrapping')],
  COMPLETED: [...pending, event('accepted'), event('wrapping'), event('completed')],
  REJECTED: [...pending, event('rejected')],
  TIMED_OUT: [...pending, event('timed_out')],
  RESCINDED: [...pending, event('rescinded', { ...parties, reason: 'AGENT_LEFT' })],
  CANCELED: [
    ...pending,
    event('accepted'),
    event('canceled', { ...parties, reason: 'CONTACT_ENDED' }),
  ],
};

/** Each at its time: before the offer runs out unless it says otherwise. */
const commands: Readonly<Record<string, readonly [Command, number]>> = {
  create: [{ type: 'create', subject, data: created }, 1],
  accept: [
    { type: 'meridian.reservation.accept.v1', subject, data: { agentId: 'a1' } },
    expiresAtMs,
  ],
  'accept late': [
    { type: 'meridian.reservation.accept.v1', subject, data: { agentId: 'a1' } },
    expiresAtMs + 1,
  ],
  'accept another': [
    { type: 'meridian.reservation.accept.v1', subject, data: { agentId: 'a2' } },
    1,
  ],
  reject: [
    { type: 'meridian.reservation.reject.v1', subject, data: { agentId: 'a1', reason: 'busy' } },
    1,
  ],
  'reject another': [
    { type: 'meridian.reservation.reject.v1', subject, data: { agentId: 'a2' } },
    1,
  ],
  'time out early': [{ type: 'time_out', subject }, expiresAtMs - 1],
  'time out': [{ type: 'time_out', subject }, expiresAtMs],
  withdraw: [{ type: 'withdraw', subject, data: { reason: 'WHY' } }, 1],
  wrap: [{ type: 'wrap', subject }, 1],
  complete: [{ type: 'complete', subject }, 1],
};

/** What each stage answers to each command: an event, a rejection in capitals, or nothing. */
const table = `
  command        NONE    PENDING   ACCEPTED  WRAPPING  COMPLETED REJECTED TIMED_OUT RESCINDED CANCELED
  create         created -         EXISTS    EXISTS    EXISTS    EXISTS   EXISTS    EXISTS    EXISTS
  accept         UNKNOWN accepted  -         -         -         OVER     OVER      OVER      OVER
  accept late    UNKNOWN EXPIRED   -         -         -         OVER     OVER      OVER      OVER
  accept another UNKNOWN YOURS     YOURS     YOURS     YOURS     YOURS    YOURS     YOURS     YOURS
  reject         UNKNOWN rejected  ACCEPTED  ACCEPTED  OVER      -        OVER      OVER      OVER
  reject another UNKNOWN YOURS     YOURS     YOURS     YOURS     YOURS    YOURS     YOURS     YOURS
  time out early UNKNOWN -         -         -         -         -        -         -         -
  time out       UNKNOWN timed_out -         -         -         -        -         -         -
  withdraw       UNKNOWN rescinded canceled  completed -         -        -         -         -
  wrap           UNKNOWN -         wrapping  -         -         -        -         -         -
  complete       UNKNOWN rescinded completed completed -         -        -         -         -
`
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => ({ name: row.slice(0, 17).trim(), answers: row.slice(17).trim().split(/ +/) }));

function expectedEvent(answer: string, name: string): ReservationEvent {
  switch (answer) {
    case 'created':
      return event('created', created);
    case 'rejected':
      return event('rejected', { ...parties, reason: 'busy' });
    case 'rescinded':
      return event('rescinded', {
        ...parties,
        reason: name === 'complete' ? 'CONTACT_COMPLETED' : 'WHY',
      });
    case 'canceled':
      return event('canceled', { ...parties, reason: 'WHY' });
    default:
      return event(answer as Name);
  }
}

function expectedRejection(answer: string, stage: string, command: Command, now: number) {
  const facts = { reservationId: subject, stage };
  switch (answer) {
    case 'UNKNOWN':
      return { code: 'RESERVATION_UNKNOWN' as const, facts };
    case 'EXISTS':
      return { code: 'RESERVATION_EXISTS' as const, facts };
    case 'OVER':
      return { code: 'RESERVATION_OVER' as const, facts };
    case 'ACCEPTED':
      return { code: 'ALREADY_ACCEPTED' as const, facts };
    case 'EXPIRED':
      return { code: 'OFFER_EXPIRED' as const, facts: { ...facts, expiresAtMs, nowMs: now } };
    default: {
      const { agentId } = (command as { data: { agentId: string } }).data;
      return { code: 'NOT_YOURS' as const, facts: { ...facts, agentId } };
    }
  }
}

describe.each(Object.keys(histories).map((stage, column) => [stage, column] as const))(
  '%s',
  (stage, column) => {
    test.each(Object.keys(commands))('%s', (name) => {
      const [command, now] = commands[name] as readonly [Command, number];
      const answer = table.find((row) => row.name === name)?.answers[column] as string;
      const past = histories[stage] as readonly ReservationEvent[];
      const when = specify(reservationDecider)
        .given(...past)
        .when(command, { at: now });
      if (answer === '-') when.thenNothing();
      else if (/^[A-Z]/.test(answer)) {
        when.thenRejected(expectedRejection(answer, stage, command, now));
      } else when.then(expectedEvent(answer, name));
    });
  },
);

test('the table answers for every stage and command', () => {
  expect(table.map(({ name }) => name)).toEqual(Object.keys(commands));
  for (const { answers } of table) expect(answers).toHaveLength(Object.keys(histories).length);
});

test('the state of a live one and of one that is over', () => {
  specify(reservationDecider)
    .when({ type: 'create', subject, data: created })
    .then(event('created', created))
    .thenState({ stage: 'PENDING', ...parties, queueId: 'sales', channel: 'VOICE', expiresAtMs });
  specify(reservationDecider)
    .given(...pending)
    .when({ type: 'meridian.reservation.reject.v1', subject, data: { agentId: 'a1' } })
    .then(event('rejected'))
    .thenState({ stage: 'REJECTED', ...parties });
});

describe('whatever the stage', () => {
  test('a command decided again right after its events decides nothing', () => {
    for (const [stage, past] of Object.entries(histories)) {
      for (const [name, [command, now]] of Object.entries(commands)) {
        const state = past.reduce(
          (all, one) => reservationDecider.evolve(all, one, 0),
          reservationDecider.initial(),
        );
        const context = { now, random: seeded(name) };
        const first = step(reservationDecider, state, command, context);
        if (!first.accepted) continue;
        expect([stage, name, reservationDecider.decide(first.state, command, context)]).toEqual([
          stage,
          name,
          { accepted: true, events: [] },
        ]);
      }
    }
  });

  const told = contracts.filter(({ entity, kind }) => entity === 'reservation' && kind === 'EVENT');
  test.each(told.map((contract) => [contract.type, contract] as const))(
    '%s is folded',
    (type, contract) => {
      const random = seeded(type);
      for (const past of Object.values(histories)) {
        const state = past.reduce(
          (all, one) => reservationDecider.evolve(all, one, 0),
          reservationDecider.initial(),
        );
        const told = {
          type,
          subject,
          data: arbitraryData(contract, random),
        } as unknown as ReservationEvent;
        expect(typeof isLive(reservationDecider.evolve(state, told, 1))).toBe('boolean');
      }
    },
  );
});
