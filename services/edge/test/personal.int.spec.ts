import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/nats-core';
import { connectNats, ensureStreams, jetstreamLog, type Log } from '@meridian/journal';
import { startNatsServer, type NatsServer } from '@meridian/testing';
import { openVault, sealedTexts, type Vault } from '@meridian/vault';
import { initiate, post } from './edge-under-test.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';

const customer = 'Änne Müller-Łukasiewicz 1979';
const attributes = { city: 'Bad Münstereifel', phone: '+49 2253 900817' };
const data = { method: 'INBOUND', channel: 'VOICE', customer, personalAttributes: attributes };
const call = (id: string, more: object = {}) => initiate(id, id, { data: { ...data, ...more } });

describe('personal fields through an edge on a real server', () => {
  let server: NatsServer;
  let nats: NatsConnection;
  let log: Log;
  let vault: Vault;
  let edge: NestEdge;
  let token = '';

  beforeAll(async () => {
    server = await startNatsServer();
    nats = await connectNats({ servers: server.url });
    await ensureStreams(nats, 'eu', { development: true });
    log = await jetstreamLog({ connection: nats });
    vault = await openVault({ nats, region: 'eu', regions: ['eu'] });
    edge = await startNestEdge({ natsUrl: server.url });
    const made = await post(
      edge.url,
      edge.token,
      { scopes: ['publish', 'personal'] },
      { 'content-type': 'application/json' },
      '/v1/keys',
    );
    token = made.body.token;
  });
  afterAll(async () => {
    await edge.close();
    await vault.close();
    await log.close();
    await nats.close();
    await server.stop();
  });

  const storedText = async (sequence: number): Promise<string> =>
    (await log.get('IN_eu', sequence))?.text() ?? '';
  const open = (values: readonly string[], key = token) =>
    post(edge.url, key, { values }, { 'content-type': 'application/json' }, '/v1/personal/open');
  const filesWith = (text: string): string[] =>
    readdirSync(server.storeDir, { recursive: true, encoding: 'utf8' })
      .map((name) => join(server.storeDir, name))
      .filter((path) => bytesOf(path).includes(text));

  it('are sealed whichever way they come, and no byte of them is in the store', async () => {
    const overHttp = await post(edge.url, token, [call('p1'), call('p2')]);
    expect(overHttp.status).toBe(202);
    const headers = natsHeaders();
    headers.set('Meridian-Key', token);
    headers.set('Content-Type', 'application/cloudevents+json');
    const body = JSON.stringify(call('p3'));
    const overNats = await nats.request('publish.eu.demo', body, { headers, timeout: 20_000 });
    const accepted = [
      ...overHttp.body.accepted,
      ...(JSON.parse(overNats.string()) as { accepted: { sequence: number }[] }).accepted,
    ] as { sequence: number }[];
    expect(accepted).toHaveLength(3);
    const texts = await Promise.all(accepted.map(({ sequence }) => storedText(sequence)));
    const [first = []] = texts.map((text) => sealedTexts(text));
    expect(first).toHaveLength(3);
    for (const text of texts) expect(sealedTexts(text)).toEqual(first);
    for (const clear of [customer, ...Object.values(attributes)]) {
      expect(filesWith(clear)).toEqual([]);
      expect(filesWith(Buffer.from(clear).toString('base64').slice(0, -4))).toEqual([]);
    }
    // What was looked for can be found: the names of the entries are not sealed, nor other texts.
    expect(filesWith('personalAttributes').length).toBeGreaterThan(0);
    const opened = await open([...first, 'plain']);
    expect(opened.body).toEqual({
      values: [
        { text: customer },
        { text: attributes.city },
        { text: attributes.phone },
        { reason: 'NOT_SEALED' },
      ],
    });
    expect((await open(first, edge.token)).status).toBe(403);
  });

  it('make the same request the same, and another one another', async () => {
    const again = await post(edge.url, token, call('p1'));
    expect(again.body.accepted).toMatchObject([{ id: 'p1', duplicate: true }]);
    const other = await post(edge.url, token, call('p1', { customer: 'somebody else' }));
    expect(other.status).toBe(409);
  });

  it('are refused without a customer', async () => {
    const refused = await post(edge.url, token, [call('p4'), call('p5', { customer: '' })]);
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/1/data/customer', code: 'missing' }] },
    });
  });

  it('do not open any more once the key is destroyed', async () => {
    const [stored] = await vault.keysOf('demo', customer.toUpperCase());
    const [accepted] = (await post(edge.url, token, call('p1'))).body.accepted;
    const sealed = sealedTexts(await storedText(accepted.sequence));
    expect((await open(sealed)).body.values[0]).toEqual({ text: customer });
    const [destroyed] = await vault.destroy('demo', [stored!.keyId]);
    expect(destroyed).toMatchObject({ wasThere: true, isGone: true });
    // Another process destroyed it: the edge was told so before it is asked.
    await nats.flush();
    const { body } = await open(sealed);
    expect(body.values).toEqual(sealed.map(() => ({ reason: 'NO_SUCH_KEY' })));
  });
});

/** None for a folder, or a file that the server took away meanwhile. */
function bytesOf(path: string): Buffer {
  try {
    return statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}
