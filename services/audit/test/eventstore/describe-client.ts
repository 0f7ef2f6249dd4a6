import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, temporaryFolder } from '@meridian/testing';
import { developmentTopology, ensureCertificates } from '@meridian/topology';
import { Stage, tokenOf } from './stage.ts';

interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

interface SeenEvent {
  readonly streamId: string;
  readonly revision: bigint;
  readonly type: string;
  readonly id: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly created: Date;
  readonly isJson: boolean;
  readonly position?: Position;
}

export interface Resolved {
  readonly event?: SeenEvent;
  readonly link?: SeenEvent;
}

interface Subscription {
  on(event: 'data', listener: (resolved: Resolved) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'caughtUp' | 'confirmation', listener: () => void): this;
  unsubscribe(): Promise<void>;
}

/** What both official clients have in common, as far as it is tried here. */
export interface Client {
  readStream(name: string, options?: object): AsyncIterable<Resolved>;
  readAll(options?: object): AsyncIterable<Resolved>;
  subscribeToStream(name: string, options?: object): Subscription;
  subscribeToAll(options?: object): Subscription;
  appendToStream(
    name: string,
    events: readonly object[] | object,
    options?: object,
  ): Promise<{ nextExpectedRevision: bigint; position?: Position | undefined }>;
  deleteStream(name: string): Promise<unknown>;
  getStreamMetadata(name: string): Promise<{ metadata?: object }>;
  dispose(): Promise<void>;
}

export interface Driver {
  readonly name: string;
  /** Of its connection strings. */
  readonly scheme: string;
  connect(address: string): Client;
  jsonEvent(event: object): object;
  binaryEvent(event: object): object;
  streamNameFilter(options: object): object;
  eventTypeFilter(options: object): object;
  /** The options of an append that expects something of its stream. */
  expecting(revision: bigint | string): object;
  /** Whether its reads of `$all` take a filter. */
  readonly filtersReads: boolean;
}

const initiated = 'meridian.contact.initiated.v1';
const queued = 'meridian.contact.queued.v1';

const places = async (read: AsyncIterable<Resolved>): Promise<string[]> => {
  const seen: string[] = [];
  for await (const { event } of read) seen.push(`${event!.streamId}@${event!.revision}`);
  return seen;
};

/** Waits for what a subscription brings, however slow the machine is. */
const until = (condition: () => boolean): Promise<unknown> =>
  eventually(String(condition), condition, { timeoutMs: 50_000 });

async function refusal(work: () => Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('it was not refused');
}

/** Follows until it is closed; what it saw, was told of, and failed with. */
function watch(subscription: Subscription) {
  const seen: Resolved[] = [];
  const errors: Error[] = [];
  const told = { caughtUp: 0 };
  subscription.on('data', (resolved) => seen.push(resolved));
  subscription.on('error', (error) => errors.push(error));
  subscription.on('caughtUp', () => {
    told.caughtUp += 1;
  });
  return {
    errors,
    told,
    events: seen,
    places: () => seen.map(({ event }) => `${event!.streamId}@${event!.revision}`),
    close: () => subscription.unsubscribe(),
  };
}

/** What the official clients do, unpatched, over TLS with an API key. */
export function describeClient(driver: Driver): void {
  describe(driver.name, () => {
    const folder = temporaryFolder();
    const stage = new Stage();
    const clients: Client[] = [];
    const tls = { certificate: Buffer.alloc(0), key: Buffer.alloc(0) };
    const connect = (key: string, token = tokenOf(key)): Client => {
      const query = `tls=true&tlsCAFile=${join(folder.path, 'ca.pem')}`;
      const { port } = stage.gateway;
      const client = driver.connect(
        `${driver.scheme}://${key}:${token}@127.0.0.1:${port}?${query}`,
      );
      clients.push(client);
      return client;
    };
    let client: Client;

    beforeAll(async () => {
      await ensureCertificates(
        await developmentTopology(['eu'], { freePort: () => Promise.resolve(1) }),
        folder.path,
      );
      tls.certificate = readFileSync(join(folder.path, 'eu/tls/eu-1.pem'));
      tls.key = readFileSync(join(folder.path, 'eu/tls/eu-1-key.pem'));
      await stage.ask('c1');
      await stage.decide('c1', [initiated, 'meridian.contact.connected_to_system.v1']);
      await stage.decide('c2', [initiated], { region: 'us' });
      await stage.decide('x1', [initiated], { tenant: 'acme' });
      await stage.decide('c1', ['meridian.contact.ivr_ended.v1', queued]);
      // Home us was failed over to eu: this gateway decides for both.
      const seals = [{ epoch: 1, owner: 'us', upTo: 1 }];
      stage.ledger.take({ home: 'us', epoch: 2, owner: 'eu', seals });
      stage.order.extend();
      await stage.open(undefined, {
        tls,
        gatewayOf: () => ({ host: '127.0.0.1', port: stage.gateway.port }),
      });
      client = connect('demo');
    });
    afterAll(async () => {
      for (const each of clients) await each.dispose();
      await stage.gateway.close();
      folder.remove();
    });

    it('reads a stream in both directions, from a revision, so many', async () => {
      expect(await places(client.readStream('contact-c1'))).toEqual(
        [0, 1, 2, 3].map((revision) => `contact-c1@${revision}`),
      );
      const last = { direction: 'backwards', fromRevision: 'end', maxCount: 2 };
      expect(await places(client.readStream('contact-c1', last))).toEqual([
        'contact-c1@3',
        'contact-c1@2',
      ]);
      expect(await places(client.readStream('contact-c1', { fromRevision: 3n }))).toEqual([
        'contact-c1@3',
      ]);
      const down = { direction: 'backwards', fromRevision: 1n };
      expect(await places(client.readStream('contact-c1', down))).toEqual([
        'contact-c1@1',
        'contact-c1@0',
      ]);
      expect(await places(client.readStream('intake-eu'))).toEqual(['intake-eu@0']);
      expect((await client.getStreamMetadata('contact-c1')).metadata).toBeUndefined();
    });

    it('gives the whole event: data, envelope, exact time, cause', async () => {
      for await (const { event } of client.readStream('contact-c1', { maxCount: 1 })) {
        expect(event).toMatchObject({
          type: initiated,
          isJson: true,
          data: { channel: 'VOICE', initiationMethod: 'INBOUND' },
          metadata: {
            id: 'demo.contact.c1.0',
            tenant: 'demo',
            place: 'EV_eu:1.0',
            time: '2026-01-31T08:15:00.124Z',
            $causationId: '/pbx#c1',
          },
        });
        expect(Math.trunc(event!.created.getTime() / 1_000)).toBe(1_769_847_300);
      }
    });

    it('reads $all with positions, and only what the key may see', async () => {
      const all: Resolved[] = [];
      for await (const resolved of client.readAll()) all.push(resolved);
      const positions = all.map(({ event }) => event!.position!.commit);
      expect(all.map(({ event }) => event!.streamId)).toEqual([
        'intake-eu',
        ...Array.from({ length: 4 }, () => 'contact-c1'),
        'contact-c2',
      ]);
      expect(positions).toEqual([0n, 1024n, 1025n, 3072n, 3073n, 4096n]);
      const fromPosition = { commit: 3073n, prepare: 3073n };
      expect(await places(client.readAll({ fromPosition }))).toEqual([
        'contact-c1@3',
        'contact-c2@0',
      ]);
      const down = { direction: 'backwards', fromPosition, maxCount: 2 };
      expect(await places(client.readAll(down))).toEqual(['contact-c1@2', 'contact-c1@1']);
      const operators = await places(connect('operator').readAll());
      expect(operators).toContain('acme~contact-x1@0');
      expect(operators).toContain('demo~contact-c2@0');
    });

    it('reads categories, links resolved', async () => {
      const found: Resolved[] = [];
      for await (const one of client.readStream('$ce-contact', { resolveLinkTos: true })) {
        found.push(one);
      }
      expect(found.map(({ event, link }) => `${link!.streamId}>${event!.streamId}`)).toEqual([
        ...Array.from({ length: 4 }, () => '$ce-contact>contact-c1'),
        '$ce-contact>contact-c2',
      ]);
      // A link's revision is where to go on.
      const fromRevision = found[3]!.link!.revision + 1n;
      expect(
        await places(client.readStream('$ce-contact', { fromRevision, resolveLinkTos: true })),
      ).toEqual(['contact-c2@0']);
    });

    it('is refused as it expects', async () => {
      const read = (name: string, by = client) => refusal(() => places(by.readStream(name)));
      expect(await read('contact-none')).toMatchObject({ type: 'stream-not-found' });
      expect(await read('acme~contact-x1')).toMatchObject({ type: 'access-denied' });
      expect(await read('contact-c1', connect('other'))).toMatchObject({
        type: 'stream-not-found',
      });
      expect(await read('contact-c1', connect('demo', 'mk_wrong'))).toMatchObject({
        type: 'access-denied',
      });
      const event = driver.jsonEvent({ type: 'noted', data: {} });
      const append = (name: string, by = client) => refusal(() => by.appendToStream(name, event));
      expect(await append('contact-c1')).toMatchObject({ type: 'access-denied' });
      expect(await append('$$custom-a')).toMatchObject({ type: 'access-denied' });
      expect(await append('custom-a', connect('reader'))).toMatchObject({
        type: 'access-denied',
      });
      expect(await refusal(() => client.deleteStream('custom-a'))).toMatchObject({
        type: 'access-denied',
      });
    });

    it('appends to a stream of its own, as expected, once', async () => {
      const events = [
        driver.jsonEvent({
          id: randomUUID(),
          type: 'noted',
          data: { text: 'grüße' },
          metadata: { $correlationId: 'c1' },
        }),
        driver.binaryEvent({ id: randomUUID(), type: 'scanned', data: Buffer.from([0, 255, 123]) }),
      ];
      const first = await client.appendToStream('custom-a2', events, driver.expecting('no_stream'));
      expect(first.nextExpectedRevision).toBe(1n);
      expect(first.position!.commit).toBeGreaterThan(0n);
      const again = await client.appendToStream('custom-a2', events, driver.expecting('no_stream'));
      expect([again.nextExpectedRevision, again.position]).toEqual([1n, first.position]);
      const read: Resolved[] = [];
      for await (const one of client.readStream('custom-a2')) read.push(one);
      expect(read.map(({ event }) => event)).toMatchObject([
        { type: 'noted', data: { text: 'grüße' }, metadata: { $correlationId: 'c1' } },
        { type: 'scanned', isJson: false, position: first.position },
      ]);
      expect(Buffer.from(read[1]!.event!.data as Uint8Array)).toEqual(Buffer.from([0, 255, 123]));
      const one = driver.jsonEvent({ type: 'noted', data: { n: 1 } });
      const wrong = await refusal(() =>
        client.appendToStream('custom-a2', one, driver.expecting(5n)),
      );
      expect(wrong).toMatchObject({ type: 'wrong-expected-version', streamName: 'custom-a2' });
      expect([wrong['actualState'] ?? wrong['actualVersion']]).toEqual([1n]);
      // Credentials of the call's own go by Append, all else by BatchAppend.
      const credentials = { username: 'demo', password: tokenOf('demo') };
      const alone = { ...driver.expecting(1n), credentials };
      const next = await client.appendToStream('custom-a2', one, alone);
      expect(next.nextExpectedRevision).toBe(2n);
      const other = driver.jsonEvent({ type: 'noted', data: { n: 2 } });
      expect(await refusal(() => client.appendToStream('custom-a2', other, alone))).toMatchObject({
        type: 'wrong-expected-version',
      });
      const missing = driver.expecting('stream_exists');
      expect(await refusal(() => client.appendToStream('custom-none', one, missing))).toMatchObject(
        { type: 'wrong-expected-version' },
      );
    });

    it('appends many at once, each stream in order', async () => {
      const each = await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          client.appendToStream(
            `custom-many${n % 2}`,
            driver.jsonEvent({ type: 'n', data: { n } }),
          ),
        ),
      );
      expect(each).toHaveLength(40);
      const read = await places(client.readStream('custom-many1'));
      expect(read).toEqual(Array.from({ length: 20 }, (_, n) => `custom-many1@${n}`));
    });

    it('follows $all by a filter, with checkpoints, and goes on where it was', async () => {
      const checkpoints: Position[] = [];
      const filter = driver.streamNameFilter({
        regex: '^contact-s[0-9]',
        checkpointInterval: 1,
        checkpointReached: async (_: unknown, position: Position) => {
          checkpoints.push(position);
        },
      });
      const first = watch(client.subscribeToAll({ filter }));
      await until(() => first.told.caughtUp === 1);
      for (let n = 0; n < 40; n += 1) await stage.decide(`s${n}`, [initiated]);
      for (let n = 0; n < 40; n += 1) await stage.decide(`t${n}`, [initiated]);
      stage.order.extend();
      await until(() => first.events.length === 40);
      await until(() => checkpoints.length >= 2);
      await first.close();
      const last = checkpoints.at(-1)!;
      const fromPosition = first.events[9]!.event!.position!;
      const second = watch(client.subscribeToAll({ filter, fromPosition }));
      const third = watch(client.subscribeToAll({ fromPosition: last }));
      await until(() => second.events.length === 30);
      expect(second.places()).toEqual(first.places().slice(10));
      await until(() => third.told.caughtUp === 1);
      expect(third.events.every(({ event }) => event!.position!.commit > last.commit)).toBe(true);
      await Promise.all([second.close(), third.close()]);
      expect([...first.errors, ...second.errors, ...third.errors]).toEqual([]);
    });

    it('follows a stream and a category', async () => {
      const stream = watch(client.subscribeToStream('contact-c1', { fromRevision: 2n }));
      const later = watch(client.subscribeToStream('contact-later'));
      const category = watch(
        client.subscribeToStream('$ce-contact', { fromRevision: 'end', resolveLinkTos: true }),
      );
      const all = [stream, later, category];
      for (const { told } of all) await until(() => told.caughtUp === 1);
      await stage.decide('c1', ['meridian.contact.dequeued.v1']);
      await stage.decide('later', [initiated, queued]);
      stage.order.extend();
      await until(() => category.events.length === 3);
      await until(() => later.events.length === 2);
      expect(stream.places()).toEqual(['contact-c1@3', 'contact-c1@4']);
      expect(later.places()).toEqual(['contact-later@0', 'contact-later@1']);
      expect(category.events[0]!.link!.streamId).toBe('$ce-contact');
      for (const each of all) await each.close();
      await until(() => stage.gateway.underWay.subscriptions === 0);
      expect(stage.faults).toEqual([]);
    });

    if (driver.filtersReads) {
      it('reads $all by a filter', async () => {
        const filter = driver.eventTypeFilter({ prefixes: ['meridian.contact.ivr'] });
        expect(await places(client.readAll({ filter }))).toEqual(['contact-c1@2']);
      });
    }

    it('is told which region decides for a stream of another home', async () => {
      stage.ledger.take({
        home: 'us',
        epoch: 3,
        owner: 'us',
        seals: [
          { epoch: 1, owner: 'us', upTo: 1 },
          { epoch: 2, owner: 'eu', upTo: 1_000 },
        ],
      });
      const one = driver.jsonEvent({ type: 'noted', data: {} });
      const refused = new Set<unknown>();
      for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8']) {
        try {
          await connect('demo').appendToStream(`custom-${name}`, one);
        } catch (error) {
          const { type, leader } = error as { type: string; leader: { port: number } };
          refused.add(`${type} ${leader.port}`);
        }
      }
      expect([...refused]).toEqual([`not-leader ${stage.gateway.port}`]);
    });
  });
}
