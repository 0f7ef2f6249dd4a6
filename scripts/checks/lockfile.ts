/**
 * The lock file works on every machine: it names no registry's host, pins every package by its
 * hash, and lists the optional packages of all platforms, so that `npm ci` finds none missing.
 * Run: node scripts/checks/lockfile.ts [--fix]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { report, ROOT, type Problem } from './workspace.ts';

export interface LockEntry {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  cpu?: string[];
  os?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

export interface Lock {
  packages: Record<string, LockEntry>;
}

const WHERE = 'package-lock.json';
const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;

/** The places where Node looks for `name` from the package at `from`, nearest first. */
function candidates(from: string, name: string): string[] {
  const places: string[] = [];
  for (let base = from; ;) {
    places.push(base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`);
    if (base === '') return places;
    const cut = base.lastIndexOf('/node_modules/');
    base = cut < 0 ? '' : base.slice(0, cut);
  }
}

/** What platform a package such as `@x/y-linux-arm64-musl` is for, from its name. */
export function platformOf(name: string): Pick<LockEntry, 'cpu' | 'os' | 'libc'> {
  const words = name.split(/[-/@.]/).map((word) => (word.startsWith('armv') ? 'arm' : word));
  const os = OS.filter((one) => words.includes(one));
  const cpu = CPU.filter((one) => words.includes(one));
  const musl = words.some((word) => word.startsWith('musl'));
  return {
    ...(cpu.length > 0 && { cpu }),
    ...(os.length > 0 && { os }),
    ...(musl && { libc: ['musl'] }),
  };
}

/** Optional packages that the lock file names but does not list, and where each belongs. */
function missing(lock: Lock): { path: string; name: string; version: string; dev: boolean }[] {
  return Object.entries(lock.packages).flatMap(
    ([from, { optionalDependencies = {}, dev = false }]) =>
      Object.entries(optionalDependencies).flatMap(([name, version]) => {
        const places = candidates(from, name);
        const path = places.at(-1);
        const listed = places.some((place) => lock.packages[place] !== undefined);
        return listed || path === undefined ? [] : [{ path, name, version, dev }];
      }),
  );
}

export function lockProblems(lock: Lock): Problem[] {
  const problems: Problem[] = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path.includes('node_modules/') || entry.link) continue;
    if (entry.resolved !== undefined) {
      problems.push({ where: WHERE, what: `${path} names where it came from` });
    }
    const foreign = entry.optional && entry.os !== undefined && !entry.os.includes('linux');
    const unpinned =
      entry.integrity === undefined && !foreign && !(entry.optional && entry.cpu !== undefined);
    if (unpinned) problems.push({ where: WHERE, what: `${path} has no integrity hash` });
  }
  for (const { name, version } of missing(lock)) {
    problems.push({
      where: WHERE,
      what: `the optional ${name}@${version} is not listed; run with --fix`,
    });
  }
  return problems;
}

export function completeLock(lock: Lock): Lock {
  const packages = Object.entries(lock.packages).map(([path, entry]): [string, LockEntry] => {
    if (entry.link) return [path, entry];
    const { resolved: _, ...rest } = entry;
    return [path, rest];
  });
  const added = missing(lock)
    // A range or an unknown platform is for npm to resolve.
    .filter(({ name, version }) => EXACT.test(version) && Object.keys(platformOf(name)).length > 0)
    .map(({ path, name, version, dev }): [string, LockEntry] => {
      const { cpu, os, libc } = platformOf(name);
      const platform = { ...(cpu && { cpu }), ...(libc && { libc }), ...(os && { os }) };
      return [path, { version, ...(dev && { dev }), optional: true, ...platform }];
    });
  const order = ([a]: [string, unknown], [b]: [string, unknown]): number =>
    a.localeCompare(b, 'en');
  return { ...lock, packages: Object.fromEntries([...packages, ...added].toSorted(order)) };
}

if (import.meta.main) {
  const path = join(ROOT, WHERE);
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  const fixed = process.argv.includes('--fix') ? completeLock(lock) : lock;
  if (fixed !== lock) writeFileSync(path, `${JSON.stringify(fixed, null, 2)}\n`);
  report('lockfile', lockProblems(fixed), `${Object.keys(fixed.packages).length} packages`);
}
