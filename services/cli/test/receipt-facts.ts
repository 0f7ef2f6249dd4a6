import type { Facts } from '../src/receipt/index.ts';
import { lostOf } from '../src/receipt/index.ts';

/** What a drill in which all went well might have seen. */
export function facts(changed: Partial<Facts> = {}): Facts {
  return {
    id: 'drill-20260302T080000-kill-eu',
    exercise: 'kill eu',
    seed: '7',
    startedAt: '2026-03-02T08:00:00.000Z',
    endedAt: '2026-03-02T08:01:40.000Z',
    versions: { meridian: '0.1.0', natsServer: '2.15.1', node: '24.21.0' },
    parameters: {
      regions: ['eu', 'us', 'ap'],
      home: 'eu',
      kind: 'UNPLANNED',
      ratePerSecond: 2_000,
      seconds: 60,
      batchSize: 20,
      publishersPerRegion: 4,
      sharesPercent: { region: 50, mirrored: 40, all: 10 },
      contactsPerSecond: 5,
      agentsPerRegion: 8,
      leaseMs: 5_000,
    },
    actions: [
      { atMs: 20_000, what: 'kill eu' },
      { atMs: 62_000, what: 'start eu' },
    ],
    publishing: {
      acknowledged: { region: 60_000, mirrored: 48_000, all: 12_000 },
      acknowledgedInTime: 119_604,
      tookMs: 60_200,
      retried: 12,
      uncured: 0,
      longestPauseMs: { eu: 640, us: 210, ap: 205 },
    },
    missing: lostOf(
      Array.from({ length: 18 }, (_, index) => ({
        durability: 'region' as const,
        stream: 'IN_eu',
        sequence: 9_001 + index,
      })),
    ),
    rpoMs: 14,
    lost: lostOf([]),
    times: { detectionMs: 6_100, takeoverMs: 6_900, firstOfferMs: 7_300, returnMs: 51_000 },
    ownership: {
      eu: [
        { epoch: 1, owner: 'eu', upTo: 4_711 },
        { epoch: 2, owner: 'us', upTo: null },
      ],
      us: [{ epoch: 1, owner: 'us', upTo: null }],
      ap: [{ epoch: 1, owner: 'ap', upTo: null }],
    },
    takeovers: [
      {
        home: 'eu',
        epoch: 2,
        from: 'eu',
        to: 'us',
        kind: 'UNPLANNED',
        detectedAtMs: 26_100,
        completedAtMs: 26_900,
      },
    ],
    orphans: { found: 3, adopted: 2, setAside: 1 },
    doubleAssignments: 0,
    observations: [],
    check: {
      entries: 8_400,
      events: 14_100,
      contacts: 320,
      reservations: 330,
      violations: {},
      copiesThatDiffer: [],
    },
    ...changed,
  };
}
