import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvent, jsonEvent, KurrentDBClient } from '@kurrent/kurrentdb-client';
import { sealedTexts } from '@meridian/vault';
import { status } from '@grpc/grpc-js';
import { memoryVaults, type Vault } from '@meridian/vault';
import { CallRefused } from '../../src/eventstore/faults.ts';
import { SealedContent } from '../../src/eventstore/writing/sealed-content.ts';
import { regions, Stage } from './stage.ts';

const stage = new Stage();
/** A second gateway over the same log, whose clients are an operator's. */
const beside = new Stage();
let client: KurrentDBClient;
let operator: KurrentDBClient;

interface Seen {
  readonly data: unknown;
  readonly metadata: unknown;
}

/** Data and metadata of a stream's events; bytes as hexadecimal. */
async function read(from: KurrentDBClient, stream: string): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { event } of from.readStream(stream)) {
    const { data, metadata } = event as { readonly data: unknown; readonly metadata: unknown };
    const shown = data instanceof Uint8Array ? Buffer.from(data).toString('hex') : data;
    seen.push({ data: shown, metadata });
  }
  return seen;
}

const stored = (): string =>
  stage.log
    .messages('EV_eu')
    .map(({ data }) => Buffer.from(data).toString())
    .join('\n');

beforeAll(async () => {
  const { port } = await stage.open('demo');
  client = KurrentDBClient.connectionString(`kurrentdb://127.0.0.1:${port}?tls=false`);
  Object.assign(beside, { log: stage.log, order: stage.order });
  const { port: operatorPort } = await beside.open('operator');
  operator = KurrentDBClient.connectionString(`kurrentdb://127.0.0.1:${operatorPort}?tls=false`);
});

afterAll(async () => {
  await client.dispose();
  await operator.dispose();
  await stage.gateway.close();
  await beside.gateway.close();
});

describe('what clients append', () => {
  it('is sealed in the log, and read by its tenant as it was appended', async () => {
    const metadata = { dataSubject: 'Anna Berg', why: 'call' };
    await client.appendToStream('custom-memos', [
      jsonEvent({ type: 'noted', data: { said: 'my cat is ill' }, metadata }),
      binaryEvent({ type: 'sketched', data: Buffer.from([0, 255, 1]) }),
    ]);
    for (const clear of [
      'Anna Berg',
      'my cat',
      'call',
      Buffer.from([0, 255, 1]).toString('base64'),
    ]) {
      expect(stored()).not.toContain(clear);
    }
    expect(sealedTexts(stored())).toHaveLength(3);
    expect(await read(client, 'custom-memos')).toEqual([
      { data: { said: 'my cat is ill' }, metadata },
      { data: '00ff01', metadata: undefined },
    ]);
  });

  it('stays sealed for others', async () => {
    const [first] = await read(operator, 'demo~custom-memos');
    const [content, metadata] = sealedTexts(stored());
    expect(first).toEqual({ data: { sealed: content }, metadata: { sealed: metadata } });
  });

  it('belongs to whom its metadata names, and to its stream where it names nobody', async () => {
    const [anna] = await stage.vault.keysOf('demo', 'anna berg');
    const [own] = await stage.vault.keysOf('demo', 'custom:memos');
    const [content = '', , sketched = ''] = sealedTexts(stored());
    expect(anna?.open(content)).toMatchObject({ ok: true });
    expect(own?.open(sketched)).toMatchObject({ ok: true });
  });

  it('is an empty object once its key was destroyed, in its place', async () => {
    const [anna] = await stage.vault.keysOf('demo', 'Anna Berg');
    await stage.vault.destroy('demo', [anna!.keyId]);
    stage.erased.add(anna!.keyId);
    expect(await read(client, 'custom-memos')).toEqual([
      { data: {}, metadata: { erased: true } },
      { data: '00ff01', metadata: undefined },
    ]);
  });
});

describe('sealing what clients append', () => {
  const vaults = memoryVaults(regions);
  const sealing = (region: string, residency: readonly string[]): SealedContent =>
    new SealedContent({
      vault: vaults.get(region) as Vault,
      residencyOf: () => residency,
      isErased: () => false,
    });
  const event = { eventId: 'e', eventType: 't', isJson: true, content: '{}' };

  it('is refused where the keys may not be', async () => {
    await expect(sealing('eu', ['us']).seal('demo', 'notes', [event])).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      message: 'Personal data of demo is taken in us only, not in eu.',
    });
  });

  it('takes a sealed text as the name of its subject, while its key is there', async () => {
    const vault = vaults.get('eu') as Vault;
    const key = await vault.keyFor('demo', 'Berta', regions);
    const metadata = JSON.stringify({ dataSubject: key.seal('Berta') });
    const [sealed] = await sealing('eu', regions).seal('demo', 'notes', [{ ...event, metadata }]);
    expect(key.open(sealed?.content ?? '')).toEqual({ ok: true, text: '{}' });
    await vault.destroy('demo', [key.keyId]);
    const again = sealing('eu', regions).seal('demo', 'notes', [{ ...event, metadata }]);
    await expect(again).rejects.toBeInstanceOf(CallRefused);
  });
});
