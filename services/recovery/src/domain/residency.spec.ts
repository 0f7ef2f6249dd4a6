import { describe, expect, it } from '@jest/globals';
import { lease, running, writes } from '../../test/ownership-stage.ts';
import type { Action } from './actions.ts';
import { leaseKey } from './control.ts';

describe('a home of which a tenant’s data may not be everywhere', () => {
  it('is not taken over where a tenant’s data may not be, and whoever may does', () => {
    const taken = (regionsOfTenant: readonly string[]) => {
      const stage = running();
      stage.tell({ type: 'positions', positions: { eu: { sequence: 70, storedAtMs: 5 } } });
      stage.tell({ type: 'residency', sets: new Map([['demo', regionsOfTenant]]) });
      const actions: Action[] = [];
      for (let count = 2; count <= 20; count += 1) {
        actions.push(...stage.settle(stage.tick(1_000)));
        if (count < 8) stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
      }
      return {
        homes: writes(actions, 'home.eu').length,
        claims: writes(actions, 'claim.eu').map(({ value }) => value),
        reasons: actions.flatMap((one) =>
          one.type === 'report' &&
          one.report.what === 'outside_residency' &&
          one.report.home === 'eu'
            ? [one.report.reason]
            : [],
        ),
      };
    };
    expect(taken(['ap', 'eu'])).toEqual({
      homes: 0,
      claims: [{ region: 'us', upTo: 0, lease: 1, refuses: true }],
      reasons: ['Data of the tenant demo at home in eu may be in ap, eu only, not in us.'],
    });
    // A tenant that is not at home there, or may be here, is in nobody's way.
    expect(taken(['ap']).homes).toBe(1);
    expect(taken(['eu', 'us']).homes).toBe(1);
  });

  it('to a region where a tenant’s data may not be is refused, with tenant and set', () => {
    const stage = running();
    stage.tell({ type: 'residency', sets: new Map([['demo', ['ap', 'us']]]) });
    const asked = { id: 'cli#1', home: 'us', to: 'eu', kind: 'PLANNED', atMs: 1 } as const;
    const actions = stage.tell({ type: 'request', request: asked });
    const failed = actions.flatMap((one) => (one.type === 'append' ? one.events : []));
    expect(failed.at(-1)).toMatchObject({
      type: 'meridian.failover.failed.v1',
      data: {
        code: 'OUTSIDE_RESIDENCY',
        reason: 'Data of the tenant demo at home in us may be in ap, us only, not in eu.',
      },
    });
    expect(writes(actions, 'home.us')).toEqual([]);
  });
});
