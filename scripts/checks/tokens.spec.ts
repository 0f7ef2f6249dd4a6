import { describe, expect, it } from '@jest/globals';
import { imports, tokens } from './tokens.ts';

const brief = (source: string) =>
  imports(source).map(({ specifier, typeOnly, dynamic }) =>
    [dynamic && 'dynamic', typeOnly && 'type', specifier].filter(Boolean).join(' '),
  );

describe('imports', () => {
  it.each([
    [`import a from 'x'`, ['x']],
    [`import * as a from "x"`, ['x']],
    [`import a, { type B, c as d } from 'x'`, ['x']],
    [`import 'x'`, ['x']],
    [`import type { A } from 'x'`, ['type x']],
    [`import type A from 'x'`, ['type x']],
    [`import type from 'x'`, ['x']],
    [`import { type A } from 'x'`, ['x']],
    [`export { a } from 'x'; export { b };`, ['x']],
    [`export * from 'x'`, ['x']],
    [`export type { A } from 'x'`, ['type x']],
    [`export type A = typeof import('x')`, ['dynamic x']],
    [`const a = await import('x')`, ['dynamic x']],
    [`const a = require('x')`, ['dynamic x']],
    [`import.meta.url; const from = 'x'`, []],
    [`export const a = 1; const b = { import: 'x' }`, []],
    ['// import a from "x"\n/* import b from "y" */', []],
    [`const text = "import a from 'x'"`, []],
    [
      'const text = `import a from "x" ${ { b: `${1}` } } import c from "y"`; import d from "z"',
      ['z'],
    ],
    [`const pattern = /import a from 'x'/; import b from 'y'`, ['y']],
    [`const half = a / b; import c from 'x'; const d = e / f`, ['x']],
  ])('%s', (source, expected) => {
    expect(brief(source)).toEqual(expected);
  });

  it('counts lines through comments, strings and templates', () => {
    const found = imports('/*\n\n*/\nconst a = `\n`;\n\nimport b from "x"');
    expect(found).toEqual([{ specifier: 'x', typeOnly: false, dynamic: false, line: 7 }]);
  });

  it('reads decorators, private names and an unfinished string', () => {
    expect(tokens(`@A() class B { #c = 'd }\ne`).map(({ text }) => text)).toEqual([
      '@A',
      '(',
      ')',
      'class',
      'B',
      '{',
      '#c',
      '=',
      'd ',
      'e',
    ]);
  });
});
