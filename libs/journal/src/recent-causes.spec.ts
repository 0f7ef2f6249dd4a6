import { describe, expect, it } from '@jest/globals';
import { RecentCauses } from './recent-causes.ts';

describe('RecentCauses', () => {
  it('remembers requests and firings of the clock, and forgets the oldest first', () => {
    const causes = new RecentCauses(2);
    for (const cause of ['/crm#1', 'demo.contact.c1.3', 'clock.demo.17', '/crm#2']) {
      causes.add(cause);
    }
    expect(
      ['/crm#1', 'demo.contact.c1.3', 'clock.demo.17', '/crm#2'].map((cause) => causes.has(cause)),
    ).toEqual([false, false, true, true]);
    expect(causes.size).toBe(2);
    causes.clear();
    expect(causes.has('/crm#2')).toBe(false);
  });
});
