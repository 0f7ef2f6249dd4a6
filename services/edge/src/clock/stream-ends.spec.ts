import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { memoryLog, type Log } from '@meridian/journal';
import { StreamEnds } from './stream-ends.ts';

describe('StreamEnds', () => {
  it('says what the log itself would say, whenever a filter is first asked for', async () => {
    const random = seeded('ends');
    const log = memoryLog();
    const ends = new StreamEnds(log, 'IN_eu');
    const filters = [
      'in.eu.>',
      'in.eu.*.eu.contact.*',
      'in.eu.*.eu.agent.*',
      'in.eu.demo.eu.queue.q1',
      'in.us.>',
    ];
    for (let step = 0; step < 300; step += 1) {
      for (let count = random.int(4); count > 0; count -= 1) {
        const [tenant, entity] = [
          random.pick(['demo', 'other']),
          random.pick(['contact', 'agent', 'queue']),
        ];
        await log.append('IN_eu', {
          subject: `in.eu.${tenant}.eu.${entity}.q${random.int(3)}`,
          data: '{}',
        });
      }
      const asked = filters.slice(0, Math.ceil(step / 50));
      await ends.refresh(asked);
      for (const filter of asked) {
        expect(ends.of(filter)).toBe(await log.lastSequence('IN_eu', filter));
      }
      expect(ends.last).toBe(await log.lastSequence('IN_eu'));
    }
    expect(ends.of('never asked for')).toBeUndefined();
    await ends.close();
  });

  it('waits until the stream has come to a sequence', async () => {
    const log = memoryLog();
    const ends = new StreamEnds(log, 'EV_us');
    const append = () => log.append('EV_us', { subject: 'ev.us.us.demo.contact.c1', data: '[]' });
    await append();
    expect(await ends.reaches(1, 0)).toBe(true);
    expect(await ends.reaches(2, 1)).toBe(false);
    const third = ends.reaches(3, 60_000);
    await append();
    await append();
    expect(await third).toBe(true);
    expect(ends.last).toBe(3);
    await ends.close();
  });

  it('asks the log for a filter once', async () => {
    const log = memoryLog();
    const asked: (string | undefined)[] = [];
    const watched: Pick<Log, 'lastSequence' | 'follow'> = {
      lastSequence(stream, filter) {
        asked.push(filter);
        return log.lastSequence(stream, filter);
      },
      follow: log.follow.bind(log),
    };
    const ends = new StreamEnds(watched, 'IN_eu');
    for (let step = 0; step < 5; step += 1) await ends.refresh(['in.eu.>']);
    expect(asked.filter((filter) => filter !== undefined)).toEqual(['in.eu.>']);
    await ends.close();
  });
});
