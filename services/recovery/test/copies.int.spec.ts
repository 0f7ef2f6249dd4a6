import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copiedStreams, jetstreamLog, type Log, type LogMessage } from '@meridian/journal';
import { eventually } from '@meridian/testing';
import { copiedFrom, readRange } from '../src/copies/read-copy.ts';
import { Bed, regions } from './copies-bed.ts';

let bed: Bed;
const logs: Log[] = [];

/** Hands a region's keeper every message of its copies as followers get it, as recovery does. */
async function tellArrivals(region: string): Promise<void> {
  const { connection, keeper } = bed.of(region);
  const log = await jetstreamLog({ connection });
  logs.push(log);
  for (const { stream } of copiedStreams(regions)) {
    log.follow(stream, { after: 0 }, (message) => keeper.arrived(message));
  }
}

beforeAll(async () => {
  bed = await Bed.start();
  await bed.fill('eu', 4_000);
  // Ap reads everything itself: what is hashed on arrival must be the same.
  await tellArrivals('eu');
  await tellArrivals('us');
  for (const { keeper, writer } of bed.all) {
    keeper.start();
    writer.start();
  }
}, 60_000);

afterAll(async () => {
  await Promise.all(logs.map((log) => log.close()));
  await bed.stop();
}, 60_000);

describe('copies in three regions', () => {
  it('are hashed and compared while they are written to, and nothing is wrong', async () => {
    for (const { name, writer } of bed.all) {
      await eventually(`${name} writes`, () => writer.acknowledged.length >= 100);
    }
    for (const { name } of bed.all) {
      const peers = regions.filter((one) => one !== name);
      await eventually(`${name} compares`, async () => {
        const same = await bed.compared(name, 'same');
        return peers.every((peer) => (same[peer] ?? 0) >= 30);
      });
      expect(await bed.compared(name, 'differs')).toEqual({});
    }
    expect(bed.all.flatMap(({ notes }) => notes)).toEqual([]);
    expect(bed.all.flatMap(({ troubles }) => troubles)).toEqual([]);
  });

  it.each(['eu', 'us'])(
    'are the same in %s whether a message is read or arrives',
    async (region) => {
      const origin = await jetstreamLog({ connection: bed.of('eu').connection });
      const log = await jetstreamLog({ connection: bed.of(region).connection });
      logs.push(origin, log);
      const subject = `ev.eu.eu.demo.contact.${region}`;
      const headers = { 'Meridian-Consumed': 'IN_eu=7/5', traceparent: '00-1-2-01' };
      const { sequence } = await origin.append('EV_eu', {
        subject,
        data: '{"a":"ä"}',
        expectedLastSequence: 0,
        messageId: `${region}-1`,
        headers,
      });
      const { promise, resolve } = Promise.withResolvers<LogMessage>();
      log.follow('EV_eu', { after: sequence - 1, filters: [subject] }, resolve);
      const arrived = copiedFrom(await promise);
      const place = { connection: bed.of(region).connection };
      const read = (await readRange(place, 'EV_eu', sequence, sequence)).get(sequence);
      expect(arrived).toEqual(read);
      expect(arrived?.headers).toEqual([
        ['Nats-Msg-Id', `${region}-1`],
        ...Object.entries(headers),
      ]);
      expect(arrived?.storedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/);
    },
  );
});
