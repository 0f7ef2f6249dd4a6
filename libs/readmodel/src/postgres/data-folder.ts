import { randomBytes } from 'node:crypto';
import {
  existsSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 20_000;
const STOP_PAUSE_MS = 20;

/**
 * Where an embedded Postgres keeps its things:
 * `data/` is the cluster itself, `password` the superuser's, `owner` the process that runs it.
 */
export interface DataFolder {
  readonly path: string;
  /** The cluster. Missing until the first start has succeeded. */
  readonly cluster: string;
  /** Where a cluster is made before it gets its name, so that a half-made one is never used. */
  readonly unfinished: string;
  readonly password: string;
  /** Gives the folder back. */
  release(): void;
}

/**
 * Makes or opens the folder and claims it for this process. A Postgres that a killed owner left
 * running there is stopped first.
 * @throws Error when another living process uses the folder
 */
export async function claimDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir);
  mkdirSync(path, { recursive: true, mode: 0o711 });
  const ownerFile = join(path, 'owner');
  const owner = existsSync(ownerFile) ? readFileSync(ownerFile, 'utf8').trim() : '';
  const ownerPid = Number(owner.split(' ')[0]);
  if (owner !== '' && owner === identityOf(ownerPid)) {
    throw new Error(
      `The Postgres folder ${path} is in use by process ${ownerPid}.\n` +
        'Stop that process, or choose another data folder.',
    );
  }
  writeFileSync(ownerFile, `${identityOf(process.pid)}\n`);
  const cluster = join(path, 'data');
  await stopOrphan(cluster);
  const unfinished = join(path, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  return {
    path,
    cluster,
    unfinished,
    password: passwordIn(path),
    release: () => {
      if (existsSync(ownerFile)) unlinkSync(ownerFile);
    },
  };
}

/** Gives a cluster that is complete its name. */
export function finishCluster({ unfinished, cluster }: DataFolder): void {
  renameSync(unfinished, cluster);
}

function passwordIn(path: string): string {
  const file = join(path, 'password');
  if (!existsSync(file)) {
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  return readFileSync(file, 'utf8');
}

/**
 * A process by its id and, where the system tells, the moment it began: ids are used again.
 * Empty when there is no such process.
 */
function identityOf(pid: number): string {
  if (!isAlive(pid)) return '';
  return `${pid} ${startOf(pid)}`;
}

function startOf(pid: number): string {
  try {
    // Field 22 of proc(5)'s stat; the name in field 2 may hold spaces and ends with the last ')'.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ');
    return fields?.[19] ?? '-';
  } catch {
    return '-';
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Ends a Postgres whose owner is gone. `postmaster.pid` names its process in the first line and
 * its data folder in the second; that of a dead one is left to Postgres, which replaces it.
 */
async function stopOrphan(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isAlive(pid) || !isPostgres(pid)) return;
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  process.kill(pid, 'SIGINT');
  while (isAlive(pid) && existsSync(file)) {
    if (performance.now() > deadline) {
      throw new Error(
        `Postgres (process ${pid}) still runs in ${cluster} and does not stop.\n` +
          `End it yourself (kill -QUIT ${pid}), then start again.`,
      );
    }
    await delay(STOP_PAUSE_MS);
  }
}

/** Whether a process is a Postgres; where the system does not tell, the file is believed. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return true;
  }
}
