// Sources are run as they are written: swc strips the types, and the export condition
// `@meridian/source` resolves workspace packages to their src folders, so no build comes first.
// Start it with scripts/jest, which sets the flag that ESM needs.
const common = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@meridian/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '^.+\\.tsx?$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', tsx: false, decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: true,
            useDefineForClassFields: true,
          },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: [
    '/dist/',
    '<rootDir>/\\.tools/',
    '<rootDir>/\\.nx/',
    '<rootDir>/\\.meridian/',
  ],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/\\.tools/', '/\\.meridian/'],
};

/** @type {import('jest').Config} */
export default {
  // Two workers at most: an integration test owns a nats-server and perhaps a Postgres.
  maxWorkers: 2,
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['**/*.spec.ts'],
      testPathIgnorePatterns: [...common.testPathIgnorePatterns, '\\.int\\.spec\\.ts$'],
    },
    { ...common, displayName: 'integration', testMatch: ['**/*.int.spec.ts'] },
  ],
};
