import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryFolder, type TemporaryFolder } from '@meridian/testing';
import {
  breakingProblems,
  differences,
  GENERATED,
  lintProblems,
  PROTO,
  staleFiles,
} from './gen.ts';

let temporary: TemporaryFolder;
let count = 0;

beforeAll(() => {
  temporary = temporaryFolder();
});
afterAll(() => {
  temporary.remove();
});

/** A copy of the contracts in which one text is another. */
function planted(file: string, from: string | RegExp, to: string): string {
  count += 1;
  const folder = join(temporary.path, `proto-${count}`);
  for (const part of ['meridian', 'buf.yaml']) {
    cpSync(join(PROTO, part), join(folder, part), { recursive: true });
  }
  const path = join(folder, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
  return folder;
}

const events = 'meridian/contact/v1/events.proto';

describe('the contracts', () => {
  test('are linted and compatible', () => {
    expect(lintProblems()).toBe('');
    expect(breakingProblems()).toBe('');
  });

  test.each([
    ['a field number changed', events, 'string flow = 1', 'string flow = 7', /field "1"/i],
    ['a field type changed', events, 'uint32 priority = 3', 'string priority = 3', /priority/],
    ['a field renamed', events, 'string flow = 1', 'string stream = 1', /flow|json/i],
    ['an enum value taken away', events, '  TRANSFER = 3;\n', '', /"3"/],
    ['a message taken away', events, /message ContactHeld \{[^}]*\}[^}]*\}\n/, '', /ContactHeld/],
  ])('refuse %s', (_, file, from, to, says) => {
    expect(breakingProblems(planted(file, from, to))).toMatch(says);
  });

  test('take a field that is new', () => {
    const folder = planted(
      events,
      'string flow = 1',
      'optional string language = 2;\n  string flow = 1',
    );
    expect(breakingProblems(folder)).toBe('');
  });

  test('are linted', () => {
    expect(lintProblems(planted(events, 'string flow = 1', 'string FlowName = 1'))).toMatch(
      /FlowName/,
    );
  });

  test('are refused without their baseline', () => {
    expect(breakingProblems(PROTO, join(temporary.path, 'none.binpb'))).toMatch(/is missing/);
  });
});

test('what was generated and changed by hand, lost or left over is found', () => {
  const copy = join(temporary.path, 'gen');
  mkdirSync(join(copy, 'old'), { recursive: true });
  cpSync(GENERATED, copy, { recursive: true });
  writeFileSync(
    join(copy, 'domain.ts'),
    `${readFileSync(join(copy, 'domain.ts'), 'utf8')}// mine\n`,
  );
  writeFileSync(join(copy, 'old/left_pb.ts'), '');
  expect(staleFiles(copy)).toEqual([
    'old/left_pb.ts is not generated any more',
    'domain.ts is not what proto/ says',
  ]);
  expect(differences(join(temporary.path, 'nothing'), copy)).toContain('contracts.ts is missing');
});
