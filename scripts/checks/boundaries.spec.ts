import { describe, expect, it } from '@jest/globals';
import { boundaryProblems, findCycle } from './boundaries.ts';
import type { Package } from './workspace.ts';

const make = (folder: string, part: Partial<Package> = {}): Package => ({
  name: folder === '.' ? 'meridian' : `@meridian/${folder.split('/')[1]}`,
  folder,
  dependencies: {},
  devDependencies: {},
  references: [],
  ...part,
});

const root = make('.', { devDependencies: { jest: '30.5.2', '@jest/globals': '30.5.2' } });
const core = make('libs/core');
const wire = make('libs/wire', {
  dependencies: { '@meridian/core': '0.1.0' },
  references: ['libs/core'],
});
const journal = make('libs/journal');
const edge = make('services/edge', {
  dependencies: { '@meridian/core': '0.1.0', '@nestjs/common': '12.5.1' },
  references: ['libs/core'],
});
const region = make('services/region', {
  dependencies: { '@meridian/edge': '0.1.0' },
  references: ['services/edge'],
});
const healthy = [root, core, wire, journal, edge, region];

const file = (path: string, text: string) => boundaryProblems(healthy, [{ path, text }]);
const packages = (...changed: Package[]) =>
  boundaryProblems(
    healthy.map((one) => changed.find(({ folder }) => folder === one.folder) ?? one),
    [],
  );
const whats = (problems: readonly { what: string }[]) => problems.map(({ what }) => what);

describe('boundaries', () => {
  it('finds nothing wrong in a healthy workspace', () => {
    const several = `import { x } from '@meridian/core'; import './b.ts'; import 'node:fs';`;
    expect(file('libs/wire/src/a.ts', several)).toEqual([]);
    expect(file('services/edge/src/a.ts', `import { Module } from '@nestjs/common';`)).toEqual([]);
    expect(file('services/region/src/a.ts', `import { e } from '@meridian/edge';`)).toEqual([]);
    expect(file('libs/core/src/a.spec.ts', `import { it } from '@jest/globals';`)).toEqual([]);
  });

  it.each([
    [
      'an undeclared package',
      'libs/journal/src/a.ts',
      `import { x } from '@meridian/core';`,
      [
        'imports @meridian/core, which libs/journal/package.json does not name',
        'imports @meridian/core, which libs/journal/tsconfig.json does not reference',
      ],
    ],
    [
      'an undeclared package by type only',
      'libs/journal/src/a.ts',
      `import type { X } from 'zod';`,
      ['imports zod, which libs/journal/package.json does not name'],
    ],
    [
      'an undeclared package by re-export',
      'libs/core/src/a.ts',
      `export * from 'zod';`,
      ['imports zod, which libs/core/package.json does not name'],
    ],
    [
      'an undeclared package while running',
      'libs/core/src/a.ts',
      `const z = await import('zod');`,
      ['imports zod, which libs/core/package.json does not name'],
    ],
    [
      'a relative escape',
      'libs/wire/src/a.ts',
      `import { x } from '../../core/src/index.ts';`,
      ['imports ../../core/src/index.ts, outside its package'],
    ],
    [
      'a path past the entry',
      'libs/wire/src/a.ts',
      `import { x } from '@meridian/core/src/x.ts';`,
      ['imports @meridian/core/src/x.ts, past the entry of @meridian/core'],
    ],
    [
      'an unknown package',
      'libs/wire/src/a.ts',
      `import { x } from '@meridian/nothing';`,
      ['imports @meridian/nothing, which is no package of this workspace'],
    ],
    [
      'a builtin without its scheme',
      'libs/wire/src/a.ts',
      `import { x } from 'fs';`,
      ['imports fs without node:'],
    ],
    [
      'Nest outside libs/nest',
      'libs/wire/src/a.ts',
      `import { x } from '@nestjs/common';`,
      [
        'imports @nestjs/common; only libs/nest and services know Nest',
        'imports @nestjs/common, which libs/wire/package.json does not name',
      ],
    ],
  ])('refuses %s', (_, path, text, expected) => {
    expect(whats(file(path, text))).toEqual(expected);
  });

  it('refuses a library that imports a service, and a service that imports another', () => {
    expect(whats(file('libs/wire/src/a.ts', `import { x } from '@meridian/edge';`))[0]).toBe(
      'a library imports the service @meridian/edge',
    );
    expect(whats(file('services/edge/src/a.ts', `import { x } from '@meridian/region';`))[0]).toBe(
      'a service imports the service @meridian/region; only services/region may',
    );
    expect(
      whats(packages(make('libs/journal', { dependencies: { '@meridian/edge': '0.1.0' } }))),
    ).toEqual(['a library imports the service @meridian/edge']);
  });

  it.each(['^1.2.3', '~1.2.3', '1.x', '*', 'latest', '>=1.0.0'])(
    'refuses the pin %s',
    (version) => {
      expect(whats(packages(make('libs/journal', { devDependencies: { zod: version } })))).toEqual([
        `pins zod to "${version}"; write one exact version`,
      ]);
    },
  );

  it('refuses any dependency of libs/core', () => {
    expect(whats(packages(make('libs/core', { dependencies: { zod: '4.6.7' } })))).toEqual([
      'libs/core depends on zod; it depends on nothing',
    ]);
  });

  it('refuses a reference that is no dependency', () => {
    expect(whats(packages(make('libs/journal', { references: ['libs/core'] })))).toEqual([
      'references libs/core, which is no dependency',
    ]);
  });

  it('refuses a cycle and names it', () => {
    const tangled = make('libs/wire', { dependencies: { '@meridian/journal': '0.1.0' } });
    const back = make('libs/journal', { dependencies: { '@meridian/wire': '0.1.0' } });
    expect(whats(packages(tangled, back))).toEqual([
      'a cycle: @meridian/wire -> @meridian/journal -> @meridian/wire',
    ]);
    expect(findCycle(healthy)).toBeUndefined();
  });
});
