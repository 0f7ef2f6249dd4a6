import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentMesh, type DevelopmentMesh } from '../src/index.ts';
import { OfficialClient, type Followed } from './event-store/official-client.ts';

const regions = ['eu', 'us', 'ap'];
const timeoutMs = 90_000;
const folder = temporaryFolder('meridian-event-store-');
const libraries = ['kurrentdb', 'eventstore'] as const;
let mesh: DevelopmentMesh;
const clients = new Map<string, OfficialClient>();
/** How a client reaches each gateway, by one key: it is good at all of them. */
let addresses: Readonly<Record<string, string>>;

/** A stream that the region eu decides for: the home follows from a hash of the name. */
function streamOf(library: string): string {
  const homes = regions.toSorted();
  for (let n = 0; ; n += 1) {
    const name = `${library}${n}`;
    const first = Number.parseInt(hash('sha256', `demo.${name}`, 'hex').slice(0, 8), 16);
    if (homes[first % homes.length] === 'eu') return `custom-${name}`;
  }
}

const until = (what: string, condition: () => boolean): Promise<unknown> =>
  eventually(what, condition, { timeoutMs });

beforeAll(async () => {
  mesh = await startDevelopmentMesh({
    dataDir: folder.path,
    natsServer: natsServerBinary(),
    regions,
  });
  const { key } = mesh.region('eu');
  addresses = Object.fromEntries(
    [...mesh.regions.values()].map(({ name, key: own, eventStore = '' }) => [
      name,
      eventStore.replace(own, key),
    ]),
  );
  for (const library of libraries) {
    const client = new OfficialClient(library);
    clients.set(library, client);
    await client.open();
  }
  for (const address of Object.values(addresses)) {
    const isKnown = async (): Promise<boolean> => {
      const answer = await clients.get('kurrentdb')?.read(address, 'custom-none').catch(String);
      return String(answer).includes('stream-not-found');
    };
    await eventually('the key at every gateway', isKnown, { timeoutMs });
  }
}, 180_000);

afterAll(async () => {
  for (const client of clients.values()) client.close();
  await mesh.stop();
  folder.remove();
}, 60_000);

describe('the official clients against a mesh of three regions', () => {
  it('go on after a failover, without a gap and without a repeat', async () => {
    const [eu, us, ap] = regions.map((name) => addresses[name] as string) as [
      string,
      string,
      string,
    ];
    const written = new Map<string, string[]>(libraries.map((library) => [library, []]));
    const write = async (at: readonly string[], count = 1): Promise<string[]> => {
      const refusals: string[] = [];
      for (let n = 0; n < count; n += 1) {
        for (const library of libraries) {
          const ids = written.get(library) as string[];
          const client = clients.get(library) as OfficialClient;
          const expected = ids.length === 0 ? null : ids.length - 1;
          const appended = await client.append(at, streamOf(library), expected);
          ids.push(appended.id);
          refusals.push(...appended.refusals);
        }
      }
      return refusals;
    };
    // Each region takes appends: who does not decide leads the client to who does.
    expect(await write([eu], 2)).toEqual([]);
    expect(await write([us])).toEqual(['not-leader', 'not-leader']);
    expect(await write([ap])).toEqual(['not-leader', 'not-leader']);
    const followed = new Map<string, Followed>();
    for (const library of libraries) {
      const client = clients.get(library) as OfficialClient;
      const stream = streamOf(library);
      for (const [place, at] of [
        ['us', [us]],
        ['eu', [eu, us, ap]],
      ] as const) {
        for (const isAll of [true, false]) {
          const name = `${library} ${isAll ? '$all' : 'stream'} at ${place}`;
          followed.set(name, client.follow(name, { addresses: at, stream, isAll }));
        }
      }
      // A client that was led to another region stays there, and so does what it follows from then on.
      const name = `${library} stream by the client that was led to eu`;
      const what = { addresses: [us, ap], stream, isAll: false, isShared: true };
      followed.set(name, client.follow(name, what));
      for (const region of regions) {
        await eventually(
          `${stream} read at ${region}`,
          async () => {
            const read = await client.read(addresses[region] as string, stream);
            return read.length === 4 && expect(read).toEqual(written.get(library)) === undefined;
          },
          { timeoutMs },
        );
      }
    }
    const allSeen = (): boolean =>
      [...followed].every(([name, { ids }]) => {
        const [library = ''] = name.split(' ');
        return ids.length >= (written.get(library)?.length ?? 0);
      });
    await until('all that was written before', allSeen);
    await until('they are live', () =>
      [...followed.values()].every(({ caughtUp }) => caughtUp > 0),
    );
    await write([eu], 3);
    await mesh.region('eu').kill();
    const refusals = await write([eu, us, ap], 5);
    refusals.push(...(await write([us])), ...(await write([ap])));
    // Of the two regions that live one decides now, and the other leads to it.
    expect(refusals).toContain('unavailable');
    expect(refusals).toContain('not-leader');
    await until('all that was written after', allSeen);
    for (const [name, { ids, drops }] of followed) {
      const [library = ''] = name.split(' ');
      expect({ name, ids }).toEqual({ name, ids: written.get(library) });
      // What is followed at regions that live goes on as if nothing had happened.
      if (name.endsWith('eu')) expect(drops.length).toBeGreaterThan(0);
      else expect({ name, drops }).toEqual({ name, drops: [] });
    }
    for (const library of libraries) {
      for (const at of [us, ap]) {
        const read = await clients.get(library)?.read(at, streamOf(library));
        expect(read).toEqual(written.get(library));
      }
    }
  }, 240_000);
});
