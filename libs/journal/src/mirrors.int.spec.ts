import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { nkeyAuthenticator, type NatsConnection } from '@nats-io/nats-core';
import { eventually, startMesh, startNatsServer, type Mesh } from '@meridian/testing';
import {
  connectNats,
  ensureMirrors,
  ensureStreams,
  ensureVaultMirrors,
  keepMirrors,
  LogUnavailable,
  mirrorState,
  remakeMirror,
} from './index.ts';

const development = { development: true };
const regions = ['eu', 'us', 'ap'];
let mesh: Mesh;
const connections = new Map<string, NatsConnection>();
const of = (region: string): NatsConnection => connections.get(region) as NatsConnection;

async function store(region: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await jetstream(of(region)).publish(`ev.${region}.${region}.demo.contact.c${i}`, `${i}`);
  }
}

const lastSequence = async (region: string, stream: string): Promise<number> =>
  (await (await jetstreamManager(of(region))).streams.info(stream)).state.last_seq;

/** Sequence, subject, time and data of a stream's messages as `region` holds them. */
async function contents(region: string, stream: string): Promise<string[]> {
  const manager = await jetstreamManager(of(region));
  const batch = await manager.direct.getBatch(stream, { seq: 1, batch: 10_000 });
  const lines: string[] = [];
  for await (const { seq, subject, time, string } of iterate(batch)) {
    lines.push(`${seq} ${subject} ${time.toISOString()} ${string}`);
  }
  return lines;
}

async function* iterate(
  batch: AsyncIterable<{ seq: number; subject: string; time: Date; string(): string }>,
): AsyncGenerator<{ seq: number; subject: string; time: Date; string: string }> {
  for await (const message of batch) {
    const { seq, subject, time } = message;
    yield { seq, subject, time, string: message.string() };
  }
}

async function allHold(stream: string): Promise<void> {
  const origin = stream.slice('EV_'.length);
  const wanted = await lastSequence(origin, stream);
  for (const region of regions) {
    await eventually(
      `${stream} in ${region} at ${wanted}`,
      async () => (await lastSequence(region, stream)) === wanted,
      { timeoutMs: 60_000, pauseMs: 20 },
    );
  }
}

beforeAll(async () => {
  mesh = await startMesh({ regions, tls: true });
  for (const name of regions) {
    connections.set(name, await mesh.region(name).connect());
    await ensureStreams(of(name), name, development);
  }
  for (const name of regions) await ensureMirrors(of(name), name, regions, development);
}, 60_000);

afterAll(async () => {
  await Promise.all([...connections.values()].map((connection) => connection.close()));
  await mesh.stop();
});

describe('mirrors between regions', () => {
  it('hold what the other regions store, with the same sequences and times', async () => {
    await Promise.all(regions.map((region, index) => store(region, 20 + index)));
    for (const origin of regions) {
      await allHold(`EV_${origin}`);
      const original = await contents(origin, `EV_${origin}`);
      expect(original).toHaveLength(20 + regions.indexOf(origin));
      for (const region of regions) {
        expect(await contents(region, `EV_${origin}`)).toEqual(original);
      }
    }
  });

  it('are made once, compared after that, and tell how they do', async () => {
    const again = await ensureMirrors(of('eu'), 'eu', regions, development);
    expect(again.map(({ stream, created, consumer }) => [stream, created, consumer])).toEqual([
      ['IN_us', false, 'present'],
      ['EV_us', false, 'present'],
      ['IN_ap', false, 'present'],
      ['EV_ap', false, 'present'],
      ['KV_KEYS_us', false, 'present'],
      ['KV_KEYS_ap', false, 'present'],
    ]);
    const states = await mirrorState(of('eu'), 'eu', regions);
    expect(states.map(({ stream, source }) => `${stream} of ${source}`)).toEqual([
      'IN_us of us',
      'EV_us of us',
      'IN_ap of ap',
      'EV_ap of ap',
    ]);
    expect(states[1]?.lastSequence).toBe(await lastSequence('us', 'EV_us'));
    expect(states[1]?.activeMs).toBeGreaterThanOrEqual(0);
    expect(states[1]).not.toHaveProperty('error');
    await jetstreamManager(of('eu')).then(({ streams }) => streams.add({ name: 'IN_asia' }));
    await expect(
      ensureMirrors(of('eu'), 'eu', [...regions, 'asia'], development),
    ).rejects.toMatchObject({
      name: 'StreamDiffers',
      differences: expect.arrayContaining([
        'IN_asia: mirror is absent, expected IN_asia of $JS.asia.API by mirror_eu',
      ]),
    });
    await jetstreamManager(of('eu')).then(({ streams }) => streams.delete('IN_asia'));
  });

  it('hold the API keys, the last state of each', async () => {
    const change = async (id: string, text: string): Promise<unknown> =>
      jetstream(of('us')).publish(`$KV.KEYS_us.${id}`, text);
    await change('k1', 'made');
    await change('k2', 'made');
    await change('k1', 'revoked');
    await eventually('the keys', async () => (await lastSequence('eu', 'KV_KEYS_us')) === 3);
    const streams = (await jetstreamManager(of('eu'))).streams;
    const held = ['k1', 'k2'].map((id) =>
      streams.getMessage('KV_KEYS_us', { last_by_subj: `$KV.KEYS_us.${id}` }),
    );
    expect((await Promise.all(held)).map((one) => one?.string())).toEqual(['revoked', 'made']);
    expect((await streams.info('KV_KEYS_us')).state.messages).toBe(2);
  });

  it('get their durable consumer back when it was lost', async () => {
    const manager = await jetstreamManager(of('us'));
    await manager.consumers.delete('EV_us', 'mirror_eu');
    await store('us', 3);
    // The mirror itself may notice too and have it made; either way it goes on.
    await ensureMirrors(of('eu'), 'eu', regions, development);
    await allHold('EV_us');
    expect((await manager.consumers.info('EV_us', 'mirror_eu')).config.deliver_subject).toBe(
      'repl.eu.us.EV_us',
    );
  });

  it('can be made anew, from the origin or from another region', async () => {
    await allHold('EV_us');
    const original = await contents('us', 'EV_us');
    await remakeMirror(of('eu'), 'eu', 'EV_us', { ...development, from: 'ap' });
    await allHold('EV_us');
    expect(await contents('eu', 'EV_us')).toEqual(original);
    await store('us', 2);
    await allHold('EV_us');
    const ensured = await ensureMirrors(of('eu'), 'eu', regions, development);
    expect(ensured.find(({ stream }) => stream === 'EV_us')).toMatchObject({
      source: 'ap',
      consumer: 'present',
    });
    await remakeMirror(of('eu'), 'eu', 'EV_us', development);
    await allHold('EV_us');
    expect((await mirrorState(of('eu'), 'eu', ['us']))[1]?.source).toBe('us');
    await expect(remakeMirror(of('eu'), 'eu', 'EV_eu')).rejects.toThrow(/no mirror/);
  });
});

/** What the client says when nobody takes a request, or nobody answers it. */
const refused = /jetstream is not enabled|timeout/;

describe('a link between regions', () => {
  it('lets no stream be deleted, purged or written from the other side', async () => {
    const peer = await jetstreamManager(of('eu'), { domain: 'us', checkAPI: false });
    expect((await peer.streams.info('EV_us')).config.name).toBe('EV_us');
    await expect(peer.streams.delete('EV_us')).rejects.toThrow(refused);
    await expect(peer.streams.purge('ASIDE_us')).rejects.toThrow(refused);
    await expect(peer.consumers.add('EV_us', { durable_name: 'spy' })).rejects.toThrow(refused);
    const before = await lastSequence('us', 'EV_us');
    of('eu').publish('ev.us.us.demo.contact.forged', 'x');
    await of('eu').flush();
    await store('us', 1);
    expect(await lastSequence('us', 'EV_us')).toBe(before + 1);
  });

  it('is as narrow for a server that dials with a configuration of its own', async () => {
    const keys = join(mesh.folder, 'eu', 'keys');
    const tls = join(mesh.folder, 'eu', 'tls');
    const port = mesh.links.link('eu', 'us').port;
    const rogue = await startNatsServer({
      config: `accounts {
        LINK { exports: [{ service: "$JS.us.API.>", response_type: stream }, { service: "ev.us.>" }] }
        ROGUE {
          users: [{ user: rogue, password: rogue }]
          imports: [
            { service: { account: LINK, subject: "$JS.us.API.>" } }
            { service: { account: LINK, subject: "ev.us.>" } }
          ]
        }
      }
      leafnodes { remotes: [{
        account: LINK
        urls: ["tls://127.0.0.1:${port}"]
        nkey: ${readFileSync(join(keys, 'link-us.seed'), 'utf8').trim()}
        tls { ca_file: "${tls}/ca.pem", cert_file: "${tls}/eu-1.pem", key_file: "${tls}/eu-1-key.pem" }
      }] }`,
    });
    const connection = await connectNats({ servers: rogue.url, user: 'rogue', pass: 'rogue' });
    try {
      const peer = await jetstreamManager(connection, {
        domain: 'us',
        checkAPI: false,
        timeout: 1_000,
      });
      const read = await eventually('the link', () => peer.streams.info('EV_us'));
      expect(read.config.name).toBe('EV_us');
      await expect(peer.streams.delete('EV_us')).rejects.toThrow(refused);
      await expect(peer.streams.purge('ASIDE_us')).rejects.toThrow(refused);
      await expect(peer.streams.info('ASIDE_us')).rejects.toThrow(refused);
      await expect(peer.consumers.add('EV_us', { durable_name: 'spy' })).rejects.toThrow(refused);
      const before = await lastSequence('us', 'EV_us');
      connection.publish('ev.us.us.demo.contact.forged', 'x');
      await connection.flush();
      expect((await peer.streams.info('EV_us')).state.last_seq).toBe(before);
    } finally {
      await connection.close();
      await rogue.stop();
    }
  });

  it("takes no client under a link's key, and no key that is not its own", async () => {
    const seed = readFileSync(join(mesh.folder, 'eu', 'keys', 'link-us.seed'));
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed.toString().trim()));
    await expect(
      connectNats({ servers: mesh.region('us').server.url, authenticator, reconnect: false }),
    ).rejects.toBeInstanceOf(LogUnavailable);
    await expect(
      mesh.region('us').connect({ seedFile: mesh.region('eu').seeds.services, reconnect: false }),
    ).rejects.toBeInstanceOf(LogUnavailable);
  });

  it.each([{ by: 'reset' }, { by: 'black hole' }] as const)(
    'carries everything again after a cut by $by',
    async (cut) => {
      mesh.links.cut(['eu'], ['us', 'ap'], cut);
      const before = await lastSequence('us', 'EV_eu');
      await Promise.all(regions.map((region) => store(region, 30)));
      expect(await lastSequence('us', 'EV_eu')).toBeLessThanOrEqual(before + 1);
      // What is not cut goes on.
      const wanted = await lastSequence('us', 'EV_us');
      await eventually('us in ap', async () => (await lastSequence('ap', 'EV_us')) === wanted);
      mesh.links.heal();
      for (const origin of regions) await allHold(`EV_${origin}`);
    },
    120_000,
  );

  it('carries everything again after the origin was killed and started again', async () => {
    await store('us', 10);
    const written = await lastSequence('us', 'EV_us');
    await mesh.region('us').kill();
    await mesh.region('us').start();
    await eventually('us back', async () => (await lastSequence('us', 'EV_us')) === written);
    await store('us', 10);
    await store('eu', 10);
    for (const origin of regions) await allHold(`EV_${origin}`);
  }, 120_000);

  it('does not matter to a region that starts alone', async () => {
    const lonely = await startMesh({ regions: ['eu', 'us'], started: ['eu'] });
    const eu = await lonely.region('eu').connect();
    await ensureStreams(eu, 'eu', development);
    const changes: string[] = [];
    const kept = await keepMirrors(eu, 'eu', ['eu', 'us'], {
      ...development,
      onChange: (mirrors) => changes.push(mirrors.map(({ consumer }) => consumer).join(' ')),
    });
    expect(kept.mirrors.map(({ created, consumer }) => [created, consumer])).toEqual([
      [true, 'away'],
      [true, 'away'],
      [true, 'away'],
      [true, 'away'],
    ]);
    await lonely.region('us').start();
    const us = await lonely.region('us').connect();
    await ensureStreams(us, 'us', development);
    // What the mirror of a vault reads by, its origin makes.
    await ensureVaultMirrors(us, 'us', ['eu', 'us'], development);
    await jetstream(us).publish('ev.us.us.demo.contact.c', 'x');
    await eventually(
      'the copy',
      async () => (await mirrorState(eu, 'eu', ['us']))[1]?.lastSequence === 1,
      { timeoutMs: 60_000 },
    );
    await eventually(
      'that nothing is away',
      () => changes.length > 0 && !changes.at(-1)?.includes('away'),
      { timeoutMs: 60_000 },
    );
    kept.stop();
    await Promise.all([eu.close(), us.close()]);
    await lonely.stop();
  }, 120_000);
});
