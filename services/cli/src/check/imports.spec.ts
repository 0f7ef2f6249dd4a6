import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
);

/** What a source names in `from '…'`, `import '…'` and `import('…')`. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"`])([^'"`]+)\1/g)].map(
    (match) => match[2]!,
  );
}

describe('the imports of the check', () => {
  it('are its own files and built-ins: it shares no code with those it judges', () => {
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      const foreign = importsOf(readFileSync(join(folder, file), 'utf8')).filter(
        (name) => !(name.startsWith('node:') && isBuiltin(name)) && !/^\.\/[\w-]+\.ts$/.test(name),
      );
      expect({ file, foreign }).toEqual({ file, foreign: [] });
    }
  });

  it('are all seen', () => {
    expect(
      importsOf("import 'a';\nimport { b } from \"b\";\nexport * from 'c';\nawait import('d');"),
    ).toEqual(['a', 'b', 'c', 'd']);
  });
});
