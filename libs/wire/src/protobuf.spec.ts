import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@bufbuild/protobuf';
import { seeded } from '@meridian/core';
import { arbitraryData } from '@meridian/testing';
import type { Contract } from './contract.ts';
import { contracts } from './gen/contracts.ts';
import { dataFromProtobuf, dataToProtobuf } from './protobuf.ts';
import { contractOf, validateData } from './validate.ts';

const each = contracts.map((contract) => [contract.type, contract] as const);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(each)('%s', (type, contract) => {
  test('JSON and protobuf carry the same', () => {
    const random = seeded(`protobuf ${type}`);
    for (let round = 0; round < 30; round += 1) {
      const data = arbitraryData(contract, random) as JsonValue;
      const bytes = dataToProtobuf(contract, data);
      const back = dataFromProtobuf(contract, bytes);
      expect(hex(dataToProtobuf(contract, back))).toBe(hex(bytes));
      expect(sameTimes(back)).toMatchObject(sameTimes(data) as object);
      // What the contract allows it still allows after the crossing.
      const problems = validateData(contract, back).filter(
        ({ detail }) => !/_UNSPECIFIED/.test(detail),
      );
      expect(problems).toEqual([]);
    }
  });
});

/** Timestamps with trailing zeros are written shorter by protobuf. */
function sameTimes(data: JsonValue): unknown {
  return JSON.parse(
    JSON.stringify(data, (_, value: unknown) =>
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)
        ? Date.parse(value)
        : value,
    ),
  );
}

test('what is required and empty is still there', () => {
  const contract = contractOf('meridian.contact.update_attributes.v1') as Contract;
  expect(dataFromProtobuf(contract, dataToProtobuf(contract, { attributes: {} }))).toStrictEqual({
    attributes: {},
  });
});

test('an unset text or enumeration is no value that a contract takes', () => {
  const contract = contractOf('meridian.contact.hang_up.v1') as Contract;
  const data = dataFromProtobuf(contract, new Uint8Array());
  expect(validateData(contract, data)).toMatchObject([
    { pointer: '/data/by', code: 'not_allowed' },
  ]);
  const enter = contractOf('meridian.contact.enter_queue.v1') as Contract;
  expect(validateData(enter, dataFromProtobuf(enter, new Uint8Array()))).toMatchObject([
    { pointer: '/data/queueId', code: 'missing' },
  ]);
});

test('bytes that are no such message are refused', () => {
  const contract = contractOf('meridian.contact.hang_up.v1') as Contract;
  expect(() => dataFromProtobuf(contract, new Uint8Array([0xff, 0xff]))).toThrow(Error);
  // Field 15, a varint: the message has none.
  expect(() => dataFromProtobuf(contract, new Uint8Array([0x08, 0x01, 0x78, 0x01]))).toThrow(
    /field 15/,
  );
  const nested = contractOf('meridian.queue.configure.v1') as Contract;
  expect(() => dataFromProtobuf(nested, new Uint8Array([0x0a, 0x02, 0x78, 0x01]))).toThrow(
    /field 15/,
  );
});
