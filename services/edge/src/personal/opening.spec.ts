import { describe, expect, it } from '@jest/globals';
import type { ApiKey, Scope } from '@meridian/keys';
import { memoryVaults, type Vault } from '@meridian/vault';
import { readQuery } from '../domain/query.ts';
import { Refusal } from '../domain/problem.ts';
import type { Call } from '../http/route.ts';
import { checkMayOpen, Opening, personalParameter } from './opening.ts';
import { personalRoutes } from './routes.ts';

const regions = ['eu', 'us'];
const vaults = memoryVaults(regions);
const [eu, us] = regions.map((region) => vaults.get(region) as Vault) as [Vault, Vault];
const recorded: string[] = [];
let erased: string[] = [];
const openingIn = (vault: Vault, residency = regions): Opening =>
  new Opening({
    vault,
    residencyOf: () => residency,
    erasedKeys: () => erased,
    erasedKnown: () => Promise.resolve(),
    recordAccess: ({ key }, kind, what) => {
      recorded.push(`${key.id} ${kind} ${what}`);
      return Promise.resolve();
    },
  });
const call = (query: object, body?: unknown, scopes: Scope[] = ['read', 'personal']): Call =>
  ({
    key: { id: 'k1', tenant: 'demo', scopes } as unknown as ApiKey,
    query: readQuery({ ...query }, personalParameter),
    request: { url: '/v1/x?personal=open', headers: { 'content-type': 'application/json' } },
    body: Buffer.from(JSON.stringify(body ?? null)),
  }) as unknown as Call;
const [route] = personalRoutes(openingIn(eu));
const open = (values: unknown): Promise<unknown> =>
  Promise.resolve().then(() =>
    (route as { handle(call: Call): unknown }).handle(call({}, { values })),
  );

describe('opening', () => {
  it('gives each value its clear text, or says why not, in their order', async () => {
    const [anna, gone] = [
      await eu.keyFor('demo', 'Anna', regions),
      await eu.keyFor('demo', 'Berta', regions),
    ];
    const there = await us.keyFor('demo', 'Carla', regions);
    const foreign = await eu.keyFor('acme', 'Anna', regions);
    const [one, other] = [anna.seal('Anna'), gone.seal('Berta')];
    await eu.destroy('demo', [gone.keyId]);
    const damaged = `${one.slice(0, -20)}${'A'.repeat(20)}`;
    expect(
      await open([one, other, there.seal('Carla'), foreign.seal('x'), damaged, 'Anna', one]),
    ).toEqual({
      values: [
        { text: 'Anna' },
        { reason: 'NO_SUCH_KEY' },
        { text: 'Carla' },
        { reason: 'NO_SUCH_KEY' },
        { reason: 'DAMAGED' },
        { reason: 'NOT_SEALED' },
        { text: 'Anna' },
      ],
    });
    expect(recorded.pop()).toBe('k1 OPENING /v1/x');
    erased = [anna.keyId];
    expect(await open([one])).toEqual({ values: [{ reason: 'ERASED' }] });
    erased = [];
  });

  it('says that a region outside does not hold the keys', async () => {
    const key = await eu.keyFor('demo', 'Emil', ['eu']);
    const value = key.seal('Emil');
    expect(await openingIn(us, ['eu']).values(call({}), [value])).toEqual([
      { reason: 'NOT_HELD_HERE' },
    ]);
  });

  it.each([undefined, [], 'a', ['a', 1], Array.from({ length: 1_001 }, () => 'a')])(
    'refuses %j as values',
    async (values) => {
      await expect(open(values)).rejects.toBeInstanceOf(Refusal);
    },
  );

  it('of a read shows its sealed texts in the clear, and names those that stay sealed', async () => {
    const key = await eu.keyFor('demo', 'Frieda', regions);
    const lost = `sealed:1:${'0f'.repeat(16)}:${'A'.repeat(38)}`;
    const view = {
      id: 'c1',
      at: new Date(0),
      timeline: [{ event: { data: { customer: key.seal('Frieda'), more: [lost, 'plain'] } } }],
    };
    const opening = openingIn(eu);
    expect(await opening.view(call({}), view)).toBe(view);
    expect(await opening.view(call({ personal: 'open' }), view)).toEqual({
      id: 'c1',
      at: '1970-01-01T00:00:00.000Z',
      timeline: [{ event: { data: { customer: 'Frieda', more: [lost, 'plain'] } } }],
      personal: { opened: 1, notOpened: [{ value: lost, reason: 'NO_SUCH_KEY' }] },
    });
  });

  it('needs the scope personal, which admin does not imply', () => {
    const asked = (scopes: Scope[], query: object) => (): void =>
      checkMayOpen(call(query, undefined, scopes));
    expect(asked(['read'], {})).not.toThrow();
    expect(asked(['read', 'personal'], { personal: 'open' })).not.toThrow();
    expect(asked(['read', 'admin'], { personal: 'open' })).toThrow(
      /needs a key of the scope personal/,
    );
    expect(asked(['personal'], { personal: 'close' })).toThrow(/must be one of open/);
  });
});
