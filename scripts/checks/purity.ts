/**
 * The functional core imports no framework and no I/O, and reads no clock.
 * Run: node scripts/checks/purity.ts
 */
import { posix } from 'node:path';
import { imports, tokens } from './tokens.ts';
import {
  isSource,
  isSpec,
  listFiles,
  readFiles,
  report,
  type Problem,
  type SourceFile,
} from './workspace.ts';

const PURE_FOLDER = /^(services\/[^/]+\/src\/domain|libs\/core\/src)\//;

// Also unknown to the types of tsconfig.domain.json, except those of the language itself.
const WORLD = new Set([
  'process',
  'console',
  'fetch',
  'crypto',
  'performance',
  'Buffer',
  'globalThis',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'eval',
]);
const DECLARES = new Set([
  'const',
  'let',
  'var',
  'function',
  'class',
  'type',
  'interface',
  'readonly',
]);

export const isPure = (path: string): boolean =>
  PURE_FOLDER.test(path) && isSource(path) && !isSpec(path);

function importProblem(path: string, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier.startsWith('.')) {
    const folder = PURE_FOLDER.exec(path)?.[0] ?? '';
    const target = posix.join(posix.dirname(path), specifier);
    return target.startsWith(folder) ? undefined : `imports ${specifier}, outside ${folder}`;
  }
  if (specifier === '@meridian/core') return undefined;
  if (specifier === '@meridian/wire') {
    return typeOnly ? undefined : 'imports values of @meridian/wire; only `import type` is pure';
  }
  return `imports ${specifier}; the core knows neither frameworks nor I/O`;
}

function worldProblems(file: SourceFile): Problem[] {
  const all = tokens(file.text).filter(({ kind }) => kind !== 'template');
  const text = (at: number): string | undefined =>
    all[at]?.kind === 'string' ? undefined : all[at]?.text;
  return all.flatMap((token, at) => {
    const judge = (): string | undefined => {
      if (token.kind !== 'word') return undefined;
      // `Date.now` or `Date?.now`: the name read from this one.
      const dot = text(at + 1) === '?' ? at + 2 : at + 1;
      const reads = text(dot) === '.' ? text(dot + 1) : undefined;
      if (text(at - 1) === '.' && text(at - 2) !== '.') return undefined;
      if (token.text === 'Date' && reads === 'now') {
        return 'reads the clock (Date.now); time is in the context';
      }
      if (token.text === 'Math' && reads === 'random') {
        return 'draws at random (Math.random); randomness is in the context';
      }
      if (token.text === 'Date') {
        const bare = text(at + 1) !== '(' || text(at + 2) === ')';
        if (text(at - 1) === 'new' && bare) {
          return 'reads the clock (new Date()); time is in the context';
        }
        if (text(at - 1) !== 'new' && text(at + 1) === '(') {
          return 'reads the clock (Date()); time is in the context';
        }
      }
      const isName = text(at + 1) === ':' || DECLARES.has(text(at - 1) ?? '');
      if (WORLD.has(token.text) && !isName) {
        return `touches ${token.text}; what it gives belongs in the context`;
      }
      return undefined;
    };
    const what = judge();
    return what === undefined ? [] : [{ where: `${file.path}:${token.line}`, what }];
  });
}

export function purityProblems(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => isPure(path))
    .flatMap((file) => {
      const imported = imports(file.text).flatMap(({ specifier, typeOnly, dynamic, line }) => {
        const what = dynamic
          ? `imports ${specifier} while running`
          : importProblem(file.path, specifier, typeOnly);
        return what === undefined ? [] : [{ where: `${file.path}:${line}`, what }];
      });
      return [...imported, ...worldProblems(file)];
    });
}

if (import.meta.main) {
  const files = readFiles(listFiles().filter((path) => isPure(path)));
  report('purity', purityProblems(files), `${files.length} files`);
}
