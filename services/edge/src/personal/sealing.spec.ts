import { describe, expect, it } from '@jest/globals';
import { LogUnavailable } from '@meridian/journal';
import { isSealed, memoryVaults, type Vault } from '@meridian/vault';
import type { IntakeEnvelope } from '@meridian/wire';
import { Refusal, type Problem } from '../domain/problem.ts';
import { Sealing } from './sealing.ts';

const regions = ['eu', 'us'];
const vaults = memoryVaults(regions);
const vault = vaults.get('eu') as Vault;
const known = (): Promise<void> => Promise.resolve();
const sealing = new Sealing({ vault, residencyOf: () => regions, residencyKnown: known });
const request = (data: object, type = 'meridian.contact.initiate.v1'): IntakeEnvelope => ({
  specversion: '1.0',
  id: '1',
  source: '/test',
  type,
  subject: 'c1',
  time: '2026-01-31T08:15:00.000Z',
  tenant: 'demo',
  datacontenttype: 'application/json',
  data,
});
const call = { method: 'INBOUND', channel: 'VOICE' };
const prefix = (place: number): string => `/${place}`;
const sealed = async (data: object): Promise<Record<string, unknown>> => {
  const [event] = await sealing.seal([request(data)], prefix);
  return event?.data as Record<string, unknown>;
};
const refusal = async (work: Promise<unknown>): Promise<Problem> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refusal);
  return (error as Refusal).problem;
};

describe('what is taken in', () => {
  it('is sealed where it is personal, with the key of the customer it names', async () => {
    const personalAttributes = { name: 'Anna', born: '1970', none: '' };
    const data = await sealed({
      ...call,
      customer: '+49 1',
      attributes: { plan: 'gold' },
      personalAttributes,
    });
    const key = await vault.keyFor('demo', '+49 1', regions);
    expect(data).toEqual({
      ...call,
      customer: key.seal('+49 1'),
      attributes: { plan: 'gold' },
      personalAttributes: { name: key.seal('Anna'), born: key.seal('1970'), none: '' },
    });
    expect(await sealed({ ...call, customer: '+49 1' })).toEqual({
      ...call,
      customer: data['customer'],
    });
  });

  it('stays as it is where nothing is personal, or all of it is sealed', async () => {
    const { customer } = await sealed({ ...call, customer: 'Anna' });
    const events = [
      request({ by: 'CUSTOMER' }, 'meridian.contact.hang_up.v1'),
      request(call),
      request({ ...call, customer, personalAttributes: {} }),
    ];
    expect(await sealing.seal(events, prefix)).toBe(events);
  });

  it('can say more of a customer that is named by a sealed text, while the key is there', async () => {
    const { customer } = await sealed({ ...call, customer: 'Berta' });
    const more = { ...call, customer, personalAttributes: { city: 'Bonn' } };
    const key = await vault.keyFor('demo', 'Berta', regions);
    expect(await sealed(more)).toEqual({ ...more, personalAttributes: { city: key.seal('Bonn') } });
    await vault.destroy('demo', [key.keyId]);
    const problem = await refusal(sealing.seal([request(more)], prefix));
    expect(problem).toMatchObject({ status: 400, errors: [{ pointer: '/0/data/customer' }] });
    expect(problem.detail).toContain('not held in eu, or was destroyed');
  });

  it('is refused without a customer, and nothing of the batch is sealed', async () => {
    const events = [
      request({ ...call, customer: 'Anna' }),
      request({ ...call, personalAttributes: { city: 'Bonn' } }),
    ];
    expect(await refusal(sealing.seal(events, prefix))).toMatchObject({
      type: 'urn:meridian:problem:invalid-event',
      errors: [{ pointer: '/1/data/customer', code: 'missing' }],
    });
  });

  it('is refused in a region that may not have the key, and no key is made', async () => {
    const elsewhere = new Sealing({
      vault,
      residencyOf: () => ['us'],
      residencyKnown: known,
    });
    const problem = await refusal(
      elsewhere.seal([request({ ...call, customer: 'Carla' })], prefix),
    );
    expect(problem).toMatchObject({
      status: 421,
      type: 'urn:meridian:problem:outside-residency',
      regions: ['us'],
    });
    expect(problem.detail).not.toContain('Carla');
    expect(await vault.keysOf('demo', 'Carla')).toEqual([]);
    const events = [request(call)];
    expect(await elsewhere.seal(events, prefix)).toBe(events);
  });

  it('waits until residency is known, so that no key is made for a region outside', async () => {
    const learned = Promise.withResolvers<void>();
    let residency = regions;
    const starting = new Sealing({
      vault,
      residencyOf: () => residency,
      residencyKnown: () => learned.promise,
    });
    const events = [request({ ...call, customer: 'Gerda' })];
    const work = refusal(starting.seal(events, prefix));
    residency = ['us'];
    learned.resolve();
    expect((await work).status).toBe(421);
    const away = new LogUnavailable('The log is away.', 'Try again.');
    const failing = new Sealing({
      vault,
      residencyOf: () => regions,
      residencyKnown: () => Promise.reject(away),
    });
    expect(await refusal(failing.seal(events, prefix))).toMatchObject({ status: 503 });
    expect(await vault.keysOf('demo', 'Gerda')).toEqual([]);
  });

  it('has another key in every region', async () => {
    const us = new Sealing({
      vault: vaults.get('us') as Vault,
      residencyOf: () => regions,
      residencyKnown: known,
    });
    const [event] = await us.seal([request({ ...call, customer: 'Dora' })], prefix);
    const here = await sealed({ ...call, customer: 'Dora' });
    const { customer } = Object(event?.data) as { customer: string };
    expect([isSealed(customer), customer === here['customer']]).toEqual([true, false]);
    const held = await vault.keysOf('demo', 'dora');
    expect(held.map(({ region }) => region).toSorted()).toEqual(regions);
  });
});
