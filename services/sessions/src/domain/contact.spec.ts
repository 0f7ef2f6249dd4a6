import { describe, test } from '@jest/globals';
import { specify } from '@meridian/testing';
import type { ContactEvent, StateDuration } from '@meridian/wire';
import { at, histories, reservation } from '../../test/histories.ts';
import { contactDecider, dueAtMs, type Command } from './contact.ts';

const subject = 'c1';
const contact = specify(contactDecider);
const time = (ms: number): string => new Date(ms).toISOString();
const event = <Type extends ContactEvent['type']>(
  type: Type,
  data: Extract<ContactEvent, { type: Type }>['data'],
): ContactEvent => ({ type, subject, data }) as ContactEvent;
const ask = <Type extends Command['type']>(
  type: Type,
  ...data: Extract<Command, { type: Type }> extends { data: infer Data } ? [Data] : []
): Command => ({ type, subject, ...(data.length > 0 ? { data: data[0] } : {}) }) as Command;
const lasted = (...each: [StateDuration['state'], number][]): StateDuration[] =>
  each.map(([state, durationMs]) => ({ state, durationMs }));

describe('a contact begins', () => {
  test('and waits to be told, without a flow', () => {
    contact
      .when(ask('meridian.contact.initiate.v1', { method: 'API', channel: 'EMAIL' }), { at: 5 })
      .then(
        event('meridian.contact.initiated.v1', { method: 'API', channel: 'EMAIL' }),
        event('meridian.contact.connected_to_system.v1', {}),
      )
      .thenState({
        state: 'IN_SYSTEM',
        channel: 'EMAIL',
        method: 'API',
        attributes: {},
        initiatedAtMs: 5,
        sinceMs: 5,
        spent: new Map(),
      });
  });

  test('with all that is known of it, in the flow named', () => {
    contact
      .when(
        ask('meridian.contact.initiate.v1', {
          method: 'INBOUND',
          channel: 'VOICE',
          customer: '+49 30 1',
          flow: 'main',
          attributes: { plan: 'gold' },
          personalAttributes: { name: 'sealed' },
        }),
        { at: 7 },
      )
      .then(
        event('meridian.contact.initiated.v1', {
          method: 'INBOUND',
          channel: 'VOICE',
          customer: '+49 30 1',
          attributes: { plan: 'gold' },
          personalAttributes: { name: 'sealed' },
        }),
        event('meridian.contact.connected_to_system.v1', {}),
        event('meridian.contact.ivr_started.v1', { flow: 'main' }),
      )
      .thenState({
        state: 'IVR',
        channel: 'VOICE',
        method: 'INBOUND',
        attributes: { plan: 'gold' },
        initiatedAtMs: 7,
        sinceMs: 7,
        spent: new Map([['IN_SYSTEM', 0]]),
      });
  });
});

describe('a contact joins a queue', () => {
  const enter = ask('meridian.contact.enter_queue.v1', {
    queueId: 'sales',
    priority: 3,
    requirements: [{ skill: 'french', minimumLevel: 2 }],
  });
  const queued = event('meridian.contact.queued.v1', {
    queueId: 'sales',
    channel: 'VOICE',
    priority: 3,
    requirements: [{ skill: 'french', minimumLevel: 2 }],
  });

  test('out of the IVR', () => {
    contact
      .given(...histories.IVR)
      .when(enter, { at: at.queued })
      .then(event('meridian.contact.ivr_ended.v1', { exit: 'TO_QUEUE' }), queued)
      .thenView((state) => [state.state, dueAtMs(state)], ['QUEUED', at.queued + 24 * 3_600_000]);
  });

  test('out of the system, by default without priority and requirements', () => {
    contact
      .given(...histories.IN_SYSTEM)
      .when(enter)
      .then(queued);
    contact
      .given(...histories.IN_SYSTEM)
      .when(ask('meridian.contact.enter_queue.v1', { queueId: 'sales' }))
      .then(
        event('meridian.contact.queued.v1', {
          queueId: 'sales',
          channel: 'VOICE',
          priority: 0,
          requirements: [],
        }),
      );
  });
});

describe('an offer', () => {
  const offer = ask('offer', { ...reservation, expiresAt: time(at.offered + 20_000) });

  test('alerts', () => {
    contact
      .given(...histories.QUEUED)
      .when(offer, { at: at.offered })
      .then(
        event('meridian.contact.offered.v1', {
          ...reservation,
          expiresAt: time(at.offered + 20_000),
        }),
      );
  });

  test.each(['REJECTED', 'TIMED_OUT', 'RESCINDED'] as const)(
    '%s: back to the original place',
    (reason) => {
      contact
        .given(...histories.OFFERED)
        .when(ask('requeue', { reservationId: 'c1-r1', reason }), { at: at.requeued })
        .then(
          event('meridian.contact.requeued.v1', {
            reservationId: 'c1-r1',
            reason,
            enqueuedAt: time(at.queued),
          }),
        );
    },
  );

  test('comes again, and is answered: it waited from the first', () => {
    const again = event('meridian.contact.offered.v1', {
      reservationId: 'c1-r2',
      agentId: 'a2',
      expiresAt: time(at.command),
    });
    contact
      .given(...histories.REQUEUED, [again, 1_055_000])
      .when(ask('connect', { reservationId: 'c1-r2', agentId: 'a2' }), { at: at.held })
      .then(
        event('meridian.contact.dequeued.v1', {
          queueId: 'sales',
          reason: 'TO_AGENT',
          waitedMs: 30_000,
        }),
        event('meridian.contact.connected_to_agent.v1', { reservationId: 'c1-r2', agentId: 'a2' }),
      )
      .thenView(
        (state) => state.state === 'CONNECTED' && [...state.spent],
        [
          ['IN_SYSTEM', 0],
          ['IVR', 30_000],
          ['QUEUED', 15_000],
          ['OFFERED', 15_000],
        ],
      );
  });

  test('is answered', () => {
    contact
      .given(...histories.OFFERED)
      .when(ask('connect', reservation), { at: at.connected })
      .then(
        event('meridian.contact.dequeued.v1', {
          queueId: 'sales',
          reason: 'TO_AGENT',
          waitedMs: 15_000,
        }),
        event('meridian.contact.connected_to_agent.v1', reservation),
      );
  });
});

describe('the customer gives up', () => {
  const hangUp = ask('meridian.contact.hang_up.v1', { by: 'CUSTOMER', reason: 'impatient' });

  test('in the system', () => {
    contact
      .given(...histories.IN_SYSTEM)
      .when(hangUp, { at: at.initiated + 10 })
      .then(
        event('meridian.contact.abandoned.v1', {
          stage: 'IN_SYSTEM',
          durations: lasted(['IN_SYSTEM', 10]),
        }),
      );
  });

  test('in the IVR', () => {
    contact
      .given(...histories.IVR)
      .when(hangUp, { at: at.initiated + 10 })
      .then(
        event('meridian.contact.ivr_ended.v1', { exit: 'HUNG_UP' }),
        event('meridian.contact.abandoned.v1', {
          stage: 'IVR',
          durations: lasted(['IN_SYSTEM', 0], ['IVR', 10]),
        }),
      );
  });

  test('in the queue', () => {
    contact
      .given(...histories.QUEUED)
      .when(hangUp, { at: at.queued + 7 })
      .then(
        event('meridian.contact.dequeued.v1', { queueId: 'sales', reason: 'GAVE_UP', waitedMs: 7 }),
        event('meridian.contact.abandoned.v1', {
          stage: 'QUEUED',
          durations: lasted(['IN_SYSTEM', 0], ['IVR', 30_000], ['QUEUED', 7]),
        }),
      );
  });

  test('while alerting', () => {
    contact
      .given(...histories.OFFERED)
      .when(hangUp, { at: at.offered + 8 })
      .then(
        event('meridian.contact.dequeued.v1', {
          queueId: 'sales',
          reason: 'GAVE_UP',
          waitedMs: 10_008,
        }),
        event('meridian.contact.abandoned.v1', {
          stage: 'OFFERED',
          durations: lasted(['IN_SYSTEM', 0], ['IVR', 30_000], ['QUEUED', 10_000], ['OFFERED', 8]),
        }),
      );
  });
});

describe('a conversation', () => {
  test('is held and resumed', () => {
    contact
      .given(...histories.CONNECTED)
      .when(ask('meridian.contact.hold.v1', {}))
      .then(event('meridian.contact.held.v1', {}));
    contact
      .given(...histories.HELD)
      .when(ask('meridian.contact.resume.v1', {}))
      .then(event('meridian.contact.resumed.v1', {}));
  });

  test.each(['CONNECTED', 'HELD'] as const)(
    'ends while %s: the after-call work begins',
    (state) => {
      contact
        .given(...histories[state])
        .when(ask('meridian.contact.hang_up.v1', { by: 'AGENT', reason: 'solved' }), {
          at: at.disconnected,
        })
        .then(
          event('meridian.contact.disconnected.v1', { by: 'AGENT', reason: 'solved' }),
          event('meridian.contact.acw_started.v1', {
            agentId: 'a1',
            limitAt: time(at.disconnected + 300_000),
          }),
        )
        .thenView(dueAtMs, at.disconnected + 300_000);
    },
  );

  const whole = lasted(
    ['IN_SYSTEM', 0],
    ['IVR', 30_000],
    ['QUEUED', 10_000],
    ['OFFERED', 5_000],
    ['CONNECTED', 45_000],
    ['HELD', 10_000],
    ['WRAP_UP', 30_000],
  );

  test('is wrapped up with a disposition; the times add up', () => {
    contact
      .given(...histories.WRAP_UP)
      .when(ask('meridian.contact.complete_wrap_up.v1', { disposition: 'sold' }), {
        at: at.completed,
      })
      .then(
        event('meridian.contact.acw_ended.v1', { reason: 'BY_AGENT' }),
        event('meridian.contact.disposed.v1', { disposition: 'sold' }),
        event('meridian.contact.completed.v1', { durations: whole }),
      )
      .thenView(dueAtMs, undefined);
  });

  test.each([[{}], [{ disposition: '' }]])('is wrapped up without a disposition: %j', (data) => {
    contact
      .given(...histories.WRAP_UP)
      .when(ask('meridian.contact.complete_wrap_up.v1', data), { at: at.completed })
      .then(
        event('meridian.contact.acw_ended.v1', { reason: 'BY_AGENT' }),
        event('meridian.contact.completed.v1', { durations: whole }),
      );
  });
});

describe('attributes', () => {
  test('only what is new is stored', () => {
    contact
      .given(...histories.QUEUED)
      .when(
        ask('meridian.contact.update_attributes.v1', {
          attributes: { plan: 'gold', city: 'Rome' },
        }),
      )
      .then(event('meridian.contact.attributes_updated.v1', { attributes: { city: 'Rome' } }))
      .thenView((state) => state.state !== 'NONE' && state.attributes, {
        plan: 'gold',
        city: 'Rome',
      });
    contact
      .given(...histories.QUEUED)
      .when(ask('meridian.contact.update_attributes.v1', { attributes: { plan: 'iron' } }))
      .then(event('meridian.contact.attributes_updated.v1', { attributes: { plan: 'iron' } }));
  });

  test('a name that every object has is still new', () => {
    contact
      .given(...histories.IVR)
      .when(ask('meridian.contact.update_attributes.v1', { attributes: { toString: 'x' } }))
      .then(event('meridian.contact.attributes_updated.v1', { attributes: { toString: 'x' } }));
  });
});

describe('the watchdog', () => {
  const hourMs = 3_600_000;
  const reaped = (
    state: StateDuration['state'],
    sinceMs: number,
    limitMs: number,
    durations: StateDuration[],
  ) =>
    event('meridian.contact.orphan_reaped.v1', { state, since: time(sinceMs), limitMs, durations });
  const queueing = lasted(['IN_SYSTEM', 0], ['IVR', 30_000]);

  test.each([
    [
      'IN_SYSTEM',
      at.initiated + hourMs,
      [reaped('IN_SYSTEM', at.initiated, hourMs, lasted(['IN_SYSTEM', hourMs]))],
    ],
    [
      'IVR',
      at.initiated + hourMs,
      [
        event('meridian.contact.ivr_ended.v1', { exit: 'WATCHDOG' }),
        reaped('IVR', at.initiated, hourMs, lasted(['IN_SYSTEM', 0], ['IVR', hourMs])),
      ],
    ],
    [
      'QUEUED',
      at.queued + 24 * hourMs,
      [
        event('meridian.contact.dequeued.v1', {
          queueId: 'sales',
          reason: 'REAPED',
          waitedMs: 24 * hourMs,
        }),
        reaped('QUEUED', at.queued, 24 * hourMs, [...queueing, ...lasted(['QUEUED', 24 * hourMs])]),
      ],
    ],
    [
      'OFFERED',
      at.offered + 24 * hourMs,
      [
        event('meridian.contact.dequeued.v1', {
          queueId: 'sales',
          reason: 'REAPED',
          waitedMs: 10_000 + 24 * hourMs,
        }),
        reaped('OFFERED', at.offered, 24 * hourMs, [
          ...queueing,
          ...lasted(['QUEUED', 10_000], ['OFFERED', 24 * hourMs]),
        ]),
      ],
    ],
    [
      'CONNECTED',
      at.connected + 12 * hourMs,
      [
        reaped('CONNECTED', at.connected, 12 * hourMs, [
          ...queueing,
          ...lasted(['QUEUED', 10_000], ['OFFERED', 5_000], ['CONNECTED', 12 * hourMs]),
        ]),
      ],
    ],
    [
      'HELD',
      at.held + 12 * hourMs,
      [
        reaped('HELD', at.held, 12 * hourMs, [
          ...queueing,
          ...lasted(
            ['QUEUED', 10_000],
            ['OFFERED', 5_000],
            ['CONNECTED', 15_000],
            ['HELD', 12 * hourMs],
          ),
        ]),
      ],
    ],
    [
      'WRAP_UP',
      at.disconnected + 300_000,
      [
        event('meridian.contact.acw_ended.v1', { reason: 'TIME_LIMIT' }),
        event('meridian.contact.completed.v1', {
          durations: [
            ...queueing,
            ...lasted(
              ['QUEUED', 10_000],
              ['OFFERED', 5_000],
              ['CONNECTED', 45_000],
              ['HELD', 10_000],
              ['WRAP_UP', 300_000],
            ),
          ],
        }),
      ],
    ],
  ] as const)(
    'ends %s when it is due, not a millisecond before',
    (state, dueMs, [first, ...more]) => {
      const history = contact.given(...histories[state]);
      history
        .when(ask('watch'), { at: dueMs - 1 })
        .thenNothing()
        .thenView(dueAtMs, dueMs);
      history
        .when(ask('watch'), { at: dueMs })
        .then(first, ...more)
        .thenView(dueAtMs, undefined);
    },
  );
});
