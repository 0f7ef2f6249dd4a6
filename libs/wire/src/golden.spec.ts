import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@bufbuild/protobuf';
import {
  acceptIntake,
  contractOf,
  contracts,
  dataFromProtobuf,
  dataToProtobuf,
  validateData,
  type Contract,
} from './index.ts';
import { shapes } from './gen/contracts.ts';

const golden = new URL('../../../proto/golden/', import.meta.url);
/** The frozen files, as `v1/<type>`. */
const frozen = readdirSync(golden)
  .toSorted()
  .flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, golden))
      .toSorted()
      .map((file) => `${folder}/${file}`),
  );
const messages = frozen
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));
const typeOf = (message: string): string => message.slice(message.indexOf('/') + 1);
const json = (message: string): JsonValue =>
  JSON.parse(readFileSync(new URL(`${message}.json`, golden), 'utf8')) as JsonValue;
const bytes = (message: string): Buffer => readFileSync(new URL(`${message}.bin`, golden));

/** The fields that no message of this kind in `data` has, by their paths. */
function unset(message: string, data: unknown, at: string): string[] {
  return (shapes[message] ?? []).flatMap((shape) => {
    const path = `${at}/${shape.name}`;
    const value = (data as Record<string, unknown>)[shape.name];
    if (value === undefined) return [path];
    if (shape.kind !== 'message') {
      return typeof value === 'object' && Object.keys(value as object).length === 0 ? [path] : [];
    }
    const items = shape.repeated ? (value as unknown[]) : [value];
    return items.length === 0
      ? [path]
      : items.flatMap((item) => unset(shape.of as string, item, path));
  });
}

describe('frozen messages', () => {
  test('are those of the contracts, each as JSON and as bytes', () => {
    expect(frozen).toEqual(messages.flatMap((message) => [`${message}.bin`, `${message}.json`]));
    expect(new Set(messages.map(typeOf))).toEqual(new Set(contracts.map(({ type }) => type)));
  });

  test.each(contracts.map((contract) => [contract.type, contract] as const))(
    '%s has every field',
    (type, contract) => {
      const lacking = messages
        .filter((message) => typeOf(message) === type)
        .map((message) => unset(contract.message, json(message), ''));
      expect(lacking.reduce((both, more) => both.filter((path) => more.includes(path)))).toEqual(
        [],
      );
    },
  );

  describe.each(messages)('%s', (message) => {
    const type = typeOf(message);
    const contract = contractOf(type) as Contract;

    test('keeps the contract', () => {
      expect(validateData(contract, json(message))).toEqual([]);
    });

    test('its JSON gives the frozen bytes', () => {
      expect(Buffer.from(dataToProtobuf(contract, json(message))).toString('hex')).toBe(
        bytes(message).toString('hex'),
      );
    });

    test('its frozen bytes give the JSON', () => {
      const read = dataFromProtobuf(contract, bytes(message)) as Record<string, JsonValue>;
      const frozenJson = json(message) as object;
      // A list or map that came later is empty.
      const later = Object.entries(read).filter(
        ([name, value]) =>
          !Object.hasOwn(frozenJson, name) && Object.keys(Object(value) as object).length === 0,
      );
      expect(read).toStrictEqual({ ...Object.fromEntries(later), ...frozenJson });
    });

    test('is accepted from outside when it is a request, refused when it is a decision', () => {
      const event = {
        specversion: '1.0',
        id: '1',
        source: '/golden',
        type,
        subject: 's1',
        data: json(message),
      };
      const result = acceptIntake(event, { tenant: 'demo', now: '2026-01-31T08:15:00.000Z' });
      if (contract.kind === 'COMMAND') {
        expect(result).toMatchObject({ ok: true, event: { data: json(message) } });
      } else {
        expect(result).toMatchObject({
          ok: false,
          problems: [{ pointer: '/type', code: 'not_allowed' }],
        });
      }
    });
  });
});
