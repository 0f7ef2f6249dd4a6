import { describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { ControlUnavailable, WrongRevision, type Control } from '../src/control/control.ts';
import { claimKey, type ControlEntry } from '../src/domain/control.ts';

/** What every adapter of `Control` keeps. */
export function describeControl(
  name: string,
  open: () => Promise<{
    readonly clients: readonly [Control, Control];
    readonly lose: () => Promise<void>;
  }>,
): void {
  describe(`control (${name})`, () => {
    it('is empty, then holds what was written, under revisions that grow', async () => {
      const { clients } = await open();
      const [eu, us] = clients;
      const empty = await eu.read();
      expect(empty.entries).toEqual([]);
      const first = await eu.write('home.eu', '{"home":"eu","epoch":1}', 0);
      const second = await us.write('lease.us', '{"count":1}', 0);
      const third = await us.write('home.eu', '{"home":"eu","epoch":2}', first);
      expect([first < second, second < third]).toEqual([true, true]);
      const claim = claimKey('eu', 2, 'us');
      const fourth = await us.write(claim, '{"upTo":7}');
      await us.write(claimKey('eu', 1, 'us'), '{"upTo":1}');
      const read = await eu.read();
      expect(read.incarnation).toBe(empty.incarnation);
      expect(read.entries.filter(({ key }) => key !== claimKey('eu', 1, 'us'))).toEqual([
        { key: 'home.eu', value: '{"home":"eu","epoch":2}', revision: third },
        { key: 'lease.us', value: '{"count":1}', revision: second },
        { key: claim, value: '{"upTo":7}', revision: fourth },
      ]);
    });

    it('lets one of two writers win', async () => {
      const { clients } = await open();
      const [eu, us] = clients;
      await eu.read();
      const outcomes = await Promise.allSettled([
        eu.write('home.eu', '{"home":"eu","epoch":1,"owner":"eu"}', 0),
        us.write('home.eu', '{"home":"eu","epoch":1,"owner":"us"}', 0),
      ]);
      const lost = outcomes.filter((one) => one.status === 'rejected');
      expect(lost).toHaveLength(1);
      expect(lost[0]?.reason).toBeInstanceOf(WrongRevision);
      const { entries } = await us.read();
      await expect(
        us.write('home.eu', '{}', (entries[0]?.revision as number) + 1),
      ).rejects.toBeInstanceOf(WrongRevision);
    });

    it('tells changes to those who watch', async () => {
      const { clients } = await open();
      const [eu, us] = clients;
      await eu.read();
      const seen: ControlEntry[] = [];
      const end = eu.watch((entry) => seen.push(entry));
      await eventually('the watch hears', async () => {
        await us.write('lease.us', '{"count":1}');
        return seen.length > 0;
      });
      expect(seen[0]).toMatchObject({ key: 'lease.us', value: '{"count":1}' });
      end();
    });

    it('does not answer without a quorum', async () => {
      const { clients, lose } = await open();
      const [eu, us] = clients;
      await eu.read();
      await lose();
      await expect(us.write('lease.us', '{"count":9}')).rejects.toBeInstanceOf(ControlUnavailable);
    });
  });
}
