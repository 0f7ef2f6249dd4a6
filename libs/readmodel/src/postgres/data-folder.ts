import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 20_000;
/** How long an owner that is being stopped may take to end. */
const OWNER_GRACE_MS = 2_000;
const PAUSE_MS = 20;
const CHILDREN_GRACE_MS = 1_000;

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
  await ownerGone(path, ownerFile);
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

/** Waits a moment for an owner that is just ending. @throws Error when it goes on */
async function ownerGone(path: string, ownerFile: string): Promise<void> {
  const deadline = performance.now() + OWNER_GRACE_MS;
  for (;;) {
    const owner = existsSync(ownerFile) ? readFileSync(ownerFile, 'utf8').trim() : '';
    const pid = Number(owner.split(' ')[0]);
    if (owner === '' || owner !== identityOf(pid)) return;
    if (performance.now() > deadline) {
      throw new Error(
        `The Postgres folder ${path} is in use by process ${pid}.\n` +
          'Stop that process, or choose another data folder.',
      );
    }
    await delay(PAUSE_MS);
  }
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
  return isAlive(pid) ? `${pid} ${statusOf(pid)?.began ?? '-'}` : '';
}

/** What proc(5)'s stat says from its third field on: the second may hold spaces and ends with `)`. */
function statusOf(pid: number): { readonly state: string; readonly began: string } | undefined {
  try {
    const fields =
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ') ?? [];
    return { state: fields[0] ?? '', began: fields[19] ?? '-' };
  } catch {
    return undefined;
  }
}

/** Whether a process runs. One that has ended and was not collected yet (a zombie) does not. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isUncollected(pid);
}

const isUncollected = (pid: number): boolean => ['Z', 'X'].includes(statusOf(pid)?.state ?? '');

/**
 * Ends a Postgres whose owner is gone. `postmaster.pid` names its process in the first line and
 * its data folder in the second; that of a dead one is left to Postgres, which replaces it.
 */
async function stopOrphan(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (isUncollected(pid)) {
    // Postgres would take it for alive. Its children are given the time to notice its end.
    await delay(CHILDREN_GRACE_MS);
    if (isUncollected(pid)) unlinkSync(file);
    return;
  }
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
    await delay(PAUSE_MS);
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
