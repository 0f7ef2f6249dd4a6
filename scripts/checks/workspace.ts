/** What the checks look at: the tracked and new files of the repository, and its packages. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Problem {
  readonly where: string;
  readonly what: string;
}

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Package {
  readonly name: string;
  /** `libs/core`; the root itself is `.`. */
  readonly folder: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** Folders of the packages that its tsconfig references. */
  readonly references: readonly string[];
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const GENERATED = /(^|\/)(gen|dist|drizzle|migrations)\//;

export const isSpec = (path: string): boolean => /\.spec\.tsx?$|(^|\/)(test|bench)\//.test(path);
export const isGenerated = (path: string): boolean => GENERATED.test(path);
export const isSource = (path: string): boolean =>
  /\.(ts|tsx|mts)$/.test(path) && !path.endsWith('.d.ts');

/** Files that git knows or would add, without those deleted and not yet committed. */
export function listFiles(root = ROOT): string[] {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], options);
  const paths = new Set<string>(listed.split('\0').filter((path) => path !== ''));
  return [...paths]
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .toSorted();
}

export function readFiles(paths: readonly string[], root = ROOT): SourceFile[] {
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function readJson(path: string): Record<string, unknown> {
  const text = readFileSync(path, 'utf8').replaceAll(/^\s*\/\/.*$/gm, '');
  return JSON.parse(text) as Record<string, unknown>;
}

export function readPackage(folder: string, root = ROOT): Package {
  const manifest = readJson(join(root, folder, 'package.json'));
  const config = join(root, folder, 'tsconfig.json');
  const references = existsSync(config)
    ? ((readJson(config)['references'] ?? []) as { path: string }[])
    : [];
  return {
    name: String(manifest['name']),
    folder,
    dependencies: (manifest['dependencies'] ?? {}) as Record<string, string>,
    devDependencies: (manifest['devDependencies'] ?? {}) as Record<string, string>,
    references: references.map((reference) => posix.join(folder, reference.path)),
  };
}

export function readPackages(files: readonly string[], root = ROOT): Package[] {
  const folders = files.filter((path) => /^(libs|services)\/[^/]+\/package\.json$/.test(path));
  return ['.', ...folders.map((path) => posix.dirname(path))].map((folder) =>
    readPackage(folder, root),
  );
}

/** Prints the problems and sets the exit code; the last step of each check's main. */
export function report(check: string, problems: readonly Problem[], looked: string): void {
  for (const { where, what } of problems) console.error(`${where}: ${what}`);
  if (problems.length === 0) console.log(`${check}: ok (${looked})`);
  else console.error(`${check}: ${problems.length} problem(s) (${looked})`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
