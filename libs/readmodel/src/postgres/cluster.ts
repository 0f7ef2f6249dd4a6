import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { give, launchAs, type Account } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';
import { finishCluster, type DataFolder } from './data-folder.ts';
import { ended, spawnQuietly } from './spawn.ts';

export const SUPERUSER = 'meridian';

/** Makes the cluster of a folder that has none. @throws Error with what initdb said */
export async function makeCluster(
  binaries: PostgresBinaries,
  account: Account | undefined,
  folder: DataFolder,
): Promise<void> {
  const { unfinished } = folder;
  const passwordFile = join(folder.path, 'initial-password');
  rmSync(folder.cluster, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, `${folder.password}\n`, { mode: 0o600 });
  give(unfinished, account);
  give(passwordFile, account);
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--lc-collate=C',
    '--lc-ctype=C',
    '--lc-messages=C',
    '--lc-monetary=C',
    '--lc-numeric=C',
    '--lc-time=C',
    '--no-sync',
    '--no-instructions',
  ];
  try {
    const launch = launchAs(account, binaries.initdb, args, [unfinished]);
    const lines: string[] = [];
    const child = spawnQuietly(launch, folder.path, (line) => lines.push(line));
    const code = await ended(child);
    if (code !== 0) {
      const last = lines.slice(-12).join('\n');
      throw new Error(
        `initdb could not make a Postgres cluster in ${folder.path} (${code}):\n${last}`,
      );
    }
  } finally {
    rmSync(passwordFile, { force: true });
  }
  finishCluster(folder);
}

/** @throws Error when the cluster is of another version than the programs */
export function checkVersion({ folder: native }: PostgresBinaries, folder: DataFolder): void {
  const found = readFileSync(join(folder.cluster, 'PG_VERSION'), 'utf8').trim();
  const { version } = JSON.parse(readFileSync(join(native, 'package.json'), 'utf8')) as {
    version: string;
  };
  const wanted = version.split('.')[0];
  if (found === wanted) return;
  throw new Error(
    `The Postgres folder ${folder.path} is of version ${found}; this Meridian brings ${wanted}.\n` +
      'Delete the folder: read models are built again from the log.',
  );
}
