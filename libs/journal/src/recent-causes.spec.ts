import { describe, expect, it } from '@jest/globals';
import { RecentCauses } from './recent-causes.ts';

describe('RecentCauses', () => {
  it('remembers requests, firings of the clock and loans, and forgets the oldest first', () => {
    const causes = new RecentCauses(2);
    for (const cause of ['/crm#1', 'loan.eu.c1.36', 'demo.contact.c1.3', 'clock.demo.17']) {
      causes.add(cause);
    }
    expect(
      ['/crm#1', 'loan.eu.c1.36', 'demo.contact.c1.3', 'clock.demo.17'].map((cause) =>
        causes.has(cause),
      ),
    ).toEqual([false, true, false, true]);
    expect(causes.size).toBe(2);
    causes.clear();
    expect(causes.has('loan.eu.c1.36')).toBe(false);
  });
});
