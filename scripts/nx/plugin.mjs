// Gives every package its targets, so that no package.json repeats them: build, lint, test.
// Edges between packages come from their package.json files.
import { dirname } from 'node:path';

const PATTERN = '{libs,services}/*/package.json';

function targetsOf(folder) {
  const run = (command, more) => ({
    executor: 'nx:run-commands',
    options: { command, cwd: '{workspaceRoot}' },
    cache: true,
    ...more,
  });
  return {
    build: run(`node node_modules/typescript/bin/tsc -b ${folder}`, {
      dependsOn: ['^build'],
      inputs: ['sources', '^sources', 'settings'],
      outputs: ['{projectRoot}/dist'],
    }),
    lint: run(`node node_modules/oxlint/bin/oxlint --type-aware ${folder}`, {
      dependsOn: ['build'],
      inputs: ['sources', '^sources', 'settings'],
    }),
    test: run(`scripts/jest ${folder}/`, {
      inputs: ['sources', '^sources', 'settings', '{workspaceRoot}/jest.config.js'],
    }),
  };
}

export const name = 'meridian';

export const createNodesV2 = [
  PATTERN,
  (files) =>
    files.map((file) => {
      const root = dirname(file);
      return [file, { projects: { [root]: { root, targets: targetsOf(root) } } }];
    }),
];
