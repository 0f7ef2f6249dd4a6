import { describe, expect, it } from '@jest/globals';
import { seeded, step } from '@meridian/core';
import type { OrphanEntry } from '@meridian/wire';
import { orphanDecider, type Finding, type OrphanBook } from './orphan.ts';

const entry: OrphanEntry = {
  home: 'eu',
  epoch: 1,
  region: 'eu',
  stream: 'EV_eu',
  sequence: 41,
  aggregate: 'demo.contact.c1',
  types: ['meridian.contact.ivr_ended.v1', 'meridian.contact.queued.v1'],
};
const request = '/crm#7';

function settle(findings: readonly Finding[], book: OrphanBook = new Map()) {
  const command = { type: 'settle' as const, subject: 'eu', entry, findings };
  const outcome = step(orphanDecider, book, command, { now: 1_000, random: seeded(1) });
  if (!outcome.accepted) throw new Error('It was rejected.');
  return outcome;
}

describe('an orphan', () => {
  it('is adopted when what it came of was decided again, and the same', () => {
    const { events } = settle([{ cause: request, kind: 'DECIDED', types: [...entry.types] }]);
    expect(events).toEqual([
      {
        type: 'meridian.orphan.adopted.v1',
        subject: 'eu',
        data: { entry, adoption: 'REDECIDED', causes: [request] },
      },
    ]);
  });

  it.each<[string, Finding[], string, string]>([
    [
      'DECIDED_OTHERWISE',
      [{ cause: request, kind: 'DECIDED', types: ['meridian.contact.abandoned.v1'] }],
      'it was decided otherwise',
      'What it came of was decided again, and led to meridian.contact.abandoned.v1.',
    ],
    [
      'REFUSED_AGAIN',
      [{ cause: request, kind: 'REFUSED' }],
      'the request was refused this time',
      'The request /crm#7 was decided again and led to nothing.',
    ],
    [
      'SUPERSEDED',
      [
        { cause: request, kind: 'DECIDED', types: [...entry.types] },
        { cause: 'demo.routing.eu.9', kind: 'GONE' },
      ],
      'one of its causes is gone',
      'demo.routing.eu.9 led to nothing in the history that counts.',
    ],
  ])('is set aside as %s', (code, findings, _why, reason) => {
    const { events } = settle(findings);
    const causes = findings.map(({ cause }) => cause).filter((cause) => cause === request);
    expect(events).toEqual([
      {
        type: 'meridian.orphan.set_aside.v1',
        subject: 'eu',
        data: { entry, code, reason, causes },
      },
    ]);
  });

  it('is settled once', () => {
    const { state } = settle([{ cause: request, kind: 'REFUSED' }]);
    expect(state).toEqual(new Map([['EV_eu', 41]]));
    expect(settle([{ cause: request, kind: 'REFUSED' }], state).events).toEqual([]);
  });

  it('has a reason that its contract takes, however many causes it had', () => {
    const findings = Array.from({ length: 200 }, (_, index): Finding => ({
      cause: `/crm#${index}`,
      kind: 'REFUSED',
    }));
    const [event] = settle(findings).events;
    expect(event?.type === 'meridian.orphan.set_aside.v1' && event.data.reason).toHaveLength(1_000);
  });
});
