import { describe, expect, it } from '@jest/globals';
import { foldFailovers, type MeshEvent } from './failovers.ts';

const recorded = (
  at: string,
  second: number,
  what: string,
  data: object,
  subject = 'eu',
): MeshEvent => ({
  at,
  event: {
    type: `meridian.failover.${what}.v1`,
    subject,
    data,
    time: `2026-01-31T08:00:0${second}.000Z`,
    source: '/eu/recovery',
  } as unknown as MeshEvent['event'],
});
const planned = { to: 'us', kind: 'PLANNED', epoch: 1, owner: 'eu' };
const completed = {
  home: 'eu',
  epoch: 2,
  owner: 'us',
  previousEpoch: 1,
  previousOwner: 'eu',
  upTo: 12,
  kind: 'PLANNED',
  rpoMs: 0,
  takeoverMs: 150,
  seals: [],
};
const blank = {
  requestedAt: null,
  startedAt: null,
  endedAt: null,
  reason: null,
  breakGlass: false,
  upTo: null,
  rpoMs: null,
  takeoverMs: null,
  failure: null,
};

describe('failovers as the log tells them', () => {
  it('go from the request to the new owner, whatever stream says what', () => {
    const events = [
      recorded('EV_us:5', 4, 'completed', completed),
      recorded('EV_eu:10', 1, 'requested', { ...planned, reason: 'servers are replaced' }),
      recorded('EV_eu:11', 2, 'started', planned),
      recorded('EV_eu:12', 3, 'sealed', { epoch: 1, to: 'us' }),
    ];
    expect(foldFailovers(events)).toEqual([
      {
        home: 'eu',
        from: 'eu',
        to: 'us',
        kind: 'PLANNED',
        state: 'COMPLETED',
        epoch: 1,
        requestedAt: '2026-01-31T08:00:01.000Z',
        startedAt: '2026-01-31T08:00:02.000Z',
        endedAt: '2026-01-31T08:00:04.000Z',
        reason: 'servers are replaced',
        breakGlass: false,
        upTo: 12,
        rpoMs: 0,
        takeoverMs: 150,
        failure: null,
        at: 'EV_us:5',
      },
    ]);
    expect(foldFailovers(events.slice(1))).toMatchObject([{ state: 'SEALED', upTo: 12 }]);
    expect(foldFailovers(events.slice(1, 3))).toMatchObject([{ state: 'STARTED', upTo: null }]);
  });

  it('may come without a request, fail, and be tried again', () => {
    const lost = { ...completed, kind: 'UNPLANNED', rpoMs: 30, takeoverMs: 900 };
    expect(
      foldFailovers([
        recorded('EV_eu:1', 1, 'started', planned),
        recorded('EV_eu:2', 2, 'failed', {
          ...planned,
          code: 'DECIDERS_DID_NOT_STOP',
          reason: 'They went on.',
        }),
        recorded('EV_us:3', 3, 'completed', lost),
        recorded('EV_us:4', 4, 'failed_back', { epoch: 3, previousOwner: 'us' }),
        recorded('EV_ap:5', 5, 'requested', { ...planned, owner: 'ap', breakGlass: true }, 'ap'),
      ]),
    ).toEqual([
      {
        ...blank,
        home: 'ap',
        from: 'ap',
        to: 'us',
        kind: 'PLANNED',
        epoch: 1,
        state: 'REQUESTED',
        requestedAt: '2026-01-31T08:00:05.000Z',
        breakGlass: true,
        at: 'EV_ap:5',
      },
      {
        ...blank,
        home: 'eu',
        from: 'eu',
        to: 'us',
        kind: 'UNPLANNED',
        epoch: 1,
        state: 'COMPLETED',
        endedAt: '2026-01-31T08:00:03.000Z',
        upTo: 12,
        rpoMs: 30,
        takeoverMs: 900,
        at: 'EV_us:3',
      },
      {
        ...blank,
        home: 'eu',
        from: 'eu',
        to: 'us',
        kind: 'PLANNED',
        epoch: 1,
        state: 'FAILED',
        startedAt: '2026-01-31T08:00:01.000Z',
        endedAt: '2026-01-31T08:00:02.000Z',
        failure: { code: 'DECIDERS_DID_NOT_STOP', reason: 'They went on.' },
        at: 'EV_eu:2',
      },
    ]);
  });

  it('are nothing where a seal stands alone', () => {
    expect(foldFailovers([recorded('EV_eu:1', 1, 'sealed', { epoch: 1, to: 'us' })])).toEqual([]);
  });
});
