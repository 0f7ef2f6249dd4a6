import { describe, expect, it } from '@jest/globals';
import { completeLock, lockProblems, platformOf, type Lock } from './lockfile.ts';

const lock = (): Lock => ({
  packages: {
    '': {},
    'libs/core': { version: '0.1.0' },
    'node_modules/@meridian/core': { resolved: 'libs/core', link: true },
    'node_modules/tool': {
      version: '1.0.0',
      integrity: 'sha512-a',
      dev: true,
      optionalDependencies: { 'tool-linux-x64': '1.0.0', 'tool-darwin-arm64': '1.0.0' },
    },
    'node_modules/tool-linux-x64': {
      version: '1.0.0',
      integrity: 'sha512-b',
      cpu: ['x64'],
      os: ['linux'],
      optional: true,
    },
  },
});

describe('lockfile', () => {
  it('reports an optional package that is not listed, and completes it', () => {
    expect(lockProblems(lock()).map(({ what }) => what)).toEqual([
      'the optional tool-darwin-arm64@1.0.0 is not listed; run with --fix',
    ]);
    const fixed = completeLock(lock());
    expect(fixed.packages['node_modules/tool-darwin-arm64']).toEqual({
      version: '1.0.0',
      dev: true,
      optional: true,
      cpu: ['arm64'],
      os: ['darwin'],
    });
    expect(lockProblems(fixed)).toEqual([]);
    expect(completeLock(fixed)).toEqual(fixed);
  });

  it('reports where a package came from and a missing hash', () => {
    const broken = completeLock(lock());
    broken.packages['node_modules/tool'] = {
      version: '1.0.0',
      resolved: 'https://example.org/tool.tgz',
    };
    expect(lockProblems(broken).map(({ what }) => what)).toEqual([
      'node_modules/tool names where it came from',
      'node_modules/tool has no integrity hash',
    ]);
  });

  it('reads the platform from a name', () => {
    expect(platformOf('@x/y-linux-arm64-musl')).toEqual({
      cpu: ['arm64'],
      os: ['linux'],
      libc: ['musl'],
    });
    expect(platformOf('@x/y-win32-ia32-msvc')).toEqual({ cpu: ['ia32'], os: ['win32'] });
    expect(platformOf('@x/y-linux-arm-gnueabihf')).toEqual({ cpu: ['arm'], os: ['linux'] });
    expect(platformOf('@x/y-wasm')).toEqual({});
  });
});
