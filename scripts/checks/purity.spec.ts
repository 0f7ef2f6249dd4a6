import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isPure, purityProblems } from './purity.ts';
import { ROOT } from './workspace.ts';

const DOMAIN = 'services/routing/src/domain/match.ts';
const problems = (text: string, path = DOMAIN) =>
  purityProblems([{ path, text }]).map(({ what }) => what);

describe('purity', () => {
  it('knows what belongs to the core', () => {
    expect(['libs/core/src/a.ts', DOMAIN].every(isPure)).toBe(true);
    const others = [
      'libs/core/src/a.spec.ts',
      'services/routing/src/handlers.ts',
      'libs/wire/src/a.ts',
    ];
    expect(others.some(isPure)).toBe(false);
  });

  it.each([
    `import { unreachable } from '@meridian/core';`,
    `import type { ContactQueued } from '@meridian/wire';`,
    `import { limit } from './limits.ts';`,
    `const at = new Date(context.nowMs); const day = Date.UTC(2026, 1); const high = Math.max(1, 2);`,
    `const random = context.random(); const now = clock.now(); const text = 'Date.now()';`,
    `const a = { process: 1, console: 2 }; const b = a.process;`,
    '// new Date() and Math.random() in a comment\nexport const c = `Date.now()`;',
  ])('allows %s', (text) => {
    expect(problems(text)).toEqual([]);
  });

  it.each([
    [
      `import { readFile } from 'node:fs';`,
      'imports node:fs; the core knows neither frameworks nor I/O',
    ],
    [
      `import { Injectable } from '@nestjs/common';`,
      'imports @nestjs/common; the core knows neither',
    ],
    [
      `import type { Journal } from '@meridian/journal';`,
      'imports @meridian/journal; the core knows neither',
    ],
    [`import { decode } from '@meridian/wire';`, 'imports values of @meridian/wire'],
    [`import { type A } from '@meridian/wire';`, 'imports values of @meridian/wire'],
    [
      `import { handle } from '../handlers.ts';`,
      'imports ../handlers.ts, outside services/routing/src/domain/',
    ],
    [`const fs = await import('./limits.ts');`, 'imports ./limits.ts while running'],
    [`const t = Date.now();`, 'reads the clock (Date.now)'],
    [`const t = Date?.now();`, 'reads the clock (Date.now)'],
    [`const { now } = Date; const t = [...Date.now()];`, 'reads the clock (Date.now)'],
    [`const t = new Date();`, 'reads the clock (new Date())'],
    [`const t = new Date;`, 'reads the clock (new Date())'],
    [`const t = Date();`, 'reads the clock (Date())'],
    [`const r = Math.random();`, 'draws at random (Math.random)'],
    [`process.exit(1);`, 'touches process'],
    [`console.log(1);`, 'touches console'],
    [`setTimeout(f, 1);`, 'touches setTimeout'],
    [`fetch('x');`, 'touches fetch'],
    [`crypto.randomUUID();`, 'touches crypto'],
    [`const t = performance.now();`, 'touches performance'],
    [`globalThis.Date.now();`, 'touches globalThis'],
  ])('refuses %s', (text, expected) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('refuses in libs/core what it refuses in a domain', () => {
    expect(problems('Date.now();', 'libs/core/src/deep/context.ts')).toHaveLength(1);
  });
});

// The two other guards of the same border, with the settings that the build uses.
describe('the compiler and the linter', () => {
  let folder: string;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const run = (program: string, ...args: string[]): string => {
    const options = { cwd: folder, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, [join(ROOT, 'node_modules', program), ...args], options)
      .stdout;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'meridian-purity-'));
    for (const name of ['tsconfig.base.json', 'tsconfig.domain.json', '.oxlintrc.json']) {
      write(name, readFileSync(join(ROOT, name), 'utf8'));
    }
    write('package.json', '{ "type": "module" }');
    write('libs/core/src/clean.ts', 'export const double = (x: number): number => 2 * x;\n');
    write(
      DOMAIN,
      [
        'process.exit();',
        'console.log();',
        'setTimeout(() => {}, 1);',
        'fetch("x");',
        'crypto.randomUUID();',
        'performance.now();',
        'Buffer.from("x");',
        'Date.now();',
        'Math.random();',
        'export {};',
        '',
      ].join('\n'),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('tsconfig.domain.json knows no world', () => {
    const unknown = run('typescript/bin/tsc', '-p', 'tsconfig.domain.json', '--pretty', 'false')
      .trim()
      .split('\n');
    const lines = unknown.map((line) => /^(.*)\((\d+),/.exec(line)?.slice(1, 3).join(':'));
    expect(lines).toEqual([1, 2, 3, 4, 5, 6, 7].map((line) => `${DOMAIN}:${line}`));
  });

  it('oxlint refuses the same, the clock and chance', () => {
    const { diagnostics } = JSON.parse(run('oxlint/bin/oxlint', '--format', 'json')) as {
      diagnostics: { severity: string; labels: { span: { line: number } }[] }[];
    };
    const lines = new Set(diagnostics.map(({ labels }) => labels[0]?.span.line));
    expect(lines).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]));
    expect(new Set(diagnostics.map(({ severity }) => severity))).toEqual(new Set(['error']));
  });
});
