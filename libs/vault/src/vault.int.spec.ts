import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { ensureStreams, ensureVaultMirrors, LogUnavailable } from '@meridian/journal';
import { eventually, startMesh, type Mesh } from '@meridian/testing';
import { openVault, type Vault } from './index.ts';

const regions = ['eu', 'us'];
const development = { development: true };
const patient = { timeoutMs: 60_000, pauseMs: 20 };
const opened: { close(): Promise<unknown> }[] = [];
let mesh: Mesh;

const connect = async (region: string): Promise<NatsConnection> => {
  const connection = await mesh.region(region).connect();
  opened.push(connection);
  return connection;
};

async function vaultOf(region: string, nats: NatsConnection): Promise<Vault> {
  const vault = await openVault({ nats, region, regions });
  opened.unshift(vault);
  return vault;
}

async function ensure(region: string, nats: NatsConnection): Promise<void> {
  await ensureStreams(nats, region, development);
  await ensureVaultMirrors(nats, region, regions, development);
}

/** The files of a region's store that hold some bytes. */
function filesWith(region: string, text: string): string[] {
  const root = mesh.region(region).server.storeDir;
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => bytesOf(path).includes(text));
}

/** None for a folder, or a file that the server took away meanwhile. */
function bytesOf(path: string): Buffer {
  try {
    return statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}

/** What the message of a key holds: the key in base64url. */
async function storedKey(nats: NatsConnection, keyId: string): Promise<string> {
  const { direct } = await jetstreamManager(nats);
  const filter = `vault.eu.*.demo.*.${keyId}`;
  const message = await direct.getMessage('VAULT_eu', { seq: 1, next_by_subj: filter });
  return (JSON.parse(message?.string() ?? '{}') as { key: string }).key;
}

let eu: NatsConnection;
let us: NatsConnection;
let inEu: Vault;
let inUs: Vault;

beforeAll(async () => {
  mesh = await startMesh({ regions });
  [eu, us] = [await connect('eu'), await connect('us')];
  // The consumers of one are made before the mirrors of the other ask for them, or after.
  await ensure('eu', eu);
  await ensure('us', us);
  await ensure('eu', eu);
  [inEu, inUs] = [await vaultOf('eu', eu), await vaultOf('us', us)];
}, 60_000);

afterAll(async () => {
  for (const one of opened) await one.close();
  await mesh.stop();
});

describe('the vault of a region', () => {
  it('ends with one key, whoever asks at the same time and in whatever process', async () => {
    const second = await vaultOf('eu', await connect('eu'));
    const asked = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? inEu : second).keyFor(
          'demo',
          index % 3 === 0 ? 'Anna' : ' anna',
          regions,
        ),
      ),
    );
    expect(new Set(asked.map(({ keyId }) => keyId)).size).toBe(1);
    const [key] = await second.keysOf('demo', 'ANNA');
    expect(key?.toJSON()).toEqual(asked[0]?.toJSON());
    expect(key?.open(asked[0]?.seal('Anna') ?? '')).toEqual({ ok: true, text: 'Anna' });
    expect(await inEu.keysOf('acme', 'anna')).toEqual([]);
    expect(await inEu.keyById('acme', key?.keyId ?? '')).toBeUndefined();
    expect(await inEu.keyById('demo', '*')).toBeUndefined();
    // Nothing tells whose key it is: neither the name nor a hash that a guess could be tested on.
    expect(filesWith('eu', 'anna')).toEqual([]);
    await expect(inEu.keyFor('demo', 'anna', ['us'])).rejects.toThrow(
      'Keys of demo may be held in us only, not in eu.',
    );
    await expect(inEu.keyFor('demo.*', 'anna', ['eu'])).rejects.toThrow(RangeError);
  });

  it('is mirrored where residency lets its keys go, and nowhere else', async () => {
    const [local, travelling] = [
      await inEu.keyFor('demo', 'stays', ['eu']),
      await inEu.keyFor('demo', 'travels', regions),
    ];
    await eventually(
      'the key in us',
      async () => (await inUs.keyById('demo', travelling.keyId)) !== undefined,
      patient,
    );
    const there = await inUs.keysOf('demo', 'travels');
    expect(there.map(({ keyId, region }) => [keyId, region])).toEqual([[travelling.keyId, 'eu']]);
    expect(await inUs.keysOf('demo', 'stays')).toEqual([]);
    const secret = await storedKey(eu, local.keyId);
    expect(filesWith('eu', secret)).not.toEqual([]);
    expect(filesWith('us', secret)).toEqual([]);
    expect(filesWith('us', local.keyId)).toEqual([]);
  });

  it('destroys keys here and in mirrors: their bytes are gone, and they do not come back', async () => {
    const key = await inEu.keyFor('demo', 'berta', regions);
    const other = await inEu.keyFor('demo', 'carla', regions);
    await eventually(
      'the keys in us',
      async () => (await inUs.keyById('demo', other.keyId)) !== undefined,
      patient,
    );
    const [secret, kept] = [await storedKey(eu, key.keyId), await storedKey(eu, other.keyId)];
    const second = await vaultOf('us', await connect('us'));
    expect(await second.keyById('demo', key.keyId)).toBeDefined();
    // The mirror first, while the origin still has it.
    expect(await inUs.destroy('demo', [key.keyId])).toEqual([
      { keyId: key.keyId, stream: 'VAULT_us', wasThere: false, isGone: true },
      { keyId: key.keyId, stream: 'VAULT_eu', wasThere: true, isGone: true },
    ]);
    await eventually(
      'the other process forgot it',
      async () => (await second.keyById('demo', key.keyId)) === undefined,
      patient,
    );
    expect(filesWith('us', secret)).toEqual([]);
    expect(filesWith('eu', secret)).not.toEqual([]);
    await mesh.region('us').server.restart();
    await eventually(
      'what comes after it in us',
      async () => {
        await ensureVaultMirrors(us, 'us', regions, development);
        const later = await inEu.keyFor('demo', 'dora', regions);
        return (await inUs.keyById('demo', later.keyId)) !== undefined;
      },
      patient,
    );
    expect(await inUs.keyById('demo', key.keyId)).toBeUndefined();
    expect(filesWith('us', secret)).toEqual([]);
    expect(filesWith('us', kept)).not.toEqual([]);
    const [own] = await inEu.destroy('demo', [key.keyId]);
    expect(own).toEqual({ keyId: key.keyId, stream: 'VAULT_eu', wasThere: true, isGone: true });
    expect(filesWith('eu', secret)).toEqual([]);
    expect(await inEu.keysOf('demo', 'berta')).toEqual([]);
    expect(await inEu.destroy('demo', [key.keyId])).toContainEqual({
      ...own,
      wasThere: false,
    });
    expect((await inEu.keyFor('demo', 'berta', regions)).keyId).not.toBe(key.keyId);
  }, 120_000);

  it('gives a mirror that was lost everything again', async () => {
    const key = await inEu.keyFor('demo', 'emil', regions);
    const held = async (): Promise<boolean> =>
      (await inUs.keyById('demo', key.keyId)) !== undefined;
    await eventually('the key in us', held, patient);
    await eventually(
      'that eu knows what us has',
      async () => {
        const { consumers } = await jetstreamManager(eu);
        return (await consumers.info('VAULT_eu', 'mirror_us')).ack_floor.stream_seq > 1;
      },
      patient,
    );
    await (await jetstreamManager(us)).streams.delete('VAULT_eu');
    inUs.forget([key.keyId]);
    expect(await held()).toBe(false);
    await ensureVaultMirrors(us, 'us', regions, development);
    await eventually('the key in us again', held, patient);
  }, 120_000);

  it('is closed to peers but for what its mirror needs', async () => {
    const peer = await jetstreamManager(us, { domain: 'eu', checkAPI: false, timeout: 300 });
    // What the client says when nobody takes a request, or nobody answers it.
    const refused = /no responders|jetstream is not enabled|timeout/;
    const consumer = { durable_name: 'mirror_us', ack_policy: AckPolicy.None };
    await expect(peer.direct.getMessage('VAULT_eu', { seq: 1 })).rejects.toThrow(refused);
    await expect(peer.streams.getMessage('VAULT_eu', { seq: 1 })).rejects.toThrow(refused);
    await expect(peer.streams.info('VAULT_eu')).rejects.toThrow(refused);
    await expect(peer.consumers.add('VAULT_eu', consumer)).rejects.toThrow(refused);
    await expect(peer.consumers.delete('VAULT_eu', 'mirror_us')).rejects.toThrow(refused);
    await expect(peer.consumers.info('VAULT_eu', 'mirror_us')).resolves.toMatchObject({
      config: { filter_subjects: ['vault.eu.eu-us.>'] },
    });
  });

  it('says when it does not answer', async () => {
    const nats = await connect('us');
    const vault = await vaultOf('us', nats);
    await nats.close();
    await expect(vault.keyFor('demo', 'frieda', regions)).rejects.toBeInstanceOf(LogUnavailable);
    await expect(vault.destroy('demo', ['0'.repeat(32)])).rejects.toBeDefined();
  });
});
