import { describe, expect, it } from '@jest/globals';
import { heldSubject, parseHeldReport } from './held-report.ts';
import { parseRecoveryStatus, recoveryStatusSubject } from './recovery-status.ts';

const status = {
  region: 'eu',
  owners: { eu: 'eu', us: 'us' },
  epochs: { eu: 1, us: 4 },
  leases: { eu: { ageMs: 12.5 } },
  links: { us: { events: 3, ms: 40 } },
  isolated: false,
  riskMs: 0,
  control: 'ok',
};

describe('what recovery says', () => {
  it('is read as it was written; no failover is an empty list', () => {
    expect(recoveryStatusSubject('eu')).toBe('beat.eu.recovery.status');
    expect(parseRecoveryStatus(JSON.stringify({ ...status, more: 1 }))).toEqual({
      ...status,
      failovers: [],
    });
    const failovers = [{ home: 'us', to: 'eu', kind: 'PLANNED', step: 'sealing' }];
    expect(parseRecoveryStatus(JSON.stringify({ ...status, failovers }))?.failovers).toEqual(
      failovers,
    );
  });

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a negative age', JSON.stringify({ ...status, leases: { eu: { ageMs: -1 } } })],
    ['an owner that is no region', JSON.stringify({ ...status, owners: { eu: 'E U' } })],
    ['half an event', JSON.stringify({ ...status, links: { us: { events: 0.5, ms: 1 } } })],
    ['another state of control', JSON.stringify({ ...status, control: 'maybe' })],
  ])('is passed over when it is %s', (_what, text) => {
    expect(parseRecoveryStatus(text)).toBeUndefined();
  });
});

describe('what a region says that it holds', () => {
  it('is read as it was written', () => {
    expect(heldSubject('eu', 'us')).toBe('beat.eu.held.us');
    const report = { region: 'us', streams: { IN_eu: 7, EV_eu: 0 } };
    expect(parseHeldReport(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    '',
    'null',
    '1',
    '{}',
    '{"region":"us"}',
    '{"region":1,"streams":{}}',
    '{"region":"us","streams":{"IN_eu":-1}}',
    '{"region":"us","streams":{"IN_eu":"7"}}',
    '{"region":"us","streams":{"IN_eu":1e300}}',
    '{"region":"us","streams":null}',
  ])('is passed over when it is %s', (text) => {
    expect(parseHeldReport(text)).toBeUndefined();
  });
});
