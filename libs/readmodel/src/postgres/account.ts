import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readFileSync, statSync } from 'node:fs';
import { ancestors } from './binaries.ts';

const ACCOUNT_NAME = 'postgres';

/** The account that Postgres runs under where this process is root, which Postgres refuses. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A program to start, with what stands before it. */
export interface Launch {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * The account to run Postgres under: none of its own unless this process is root, then `postgres`,
 * which is created where it does not exist.
 * @throws Error when it can be neither found nor created
 */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const known = findAccount();
  if (known !== undefined) return known;
  const attempts: [string, string[]][] = [
    [
      'useradd',
      ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', ACCOUNT_NAME],
    ],
    ['adduser', ['-S', '-D', '-H', ACCOUNT_NAME]],
  ];
  const reasons: string[] = [];
  for (const [command, args] of attempts) {
    const { error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    const account = findAccount();
    if (account !== undefined) return account;
    reasons.push(`${command}: ${error?.message ?? stderr.trim()}`);
  }
  throw new Error(
    `Postgres does not run as root, and no account "${ACCOUNT_NAME}" could be made ` +
      `(${reasons.join('; ')}).\n` +
      `Create one (useradd --system ${ACCOUNT_NAME}), start as another user, or set DATABASE_URL.`,
  );
}

function findAccount(): Account | undefined {
  if (!existsSync('/etc/passwd')) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${ACCOUNT_NAME}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid), gid: Number(gid) };
}

/** Gives the account a folder or file of its own. */
export function give(path: string, account: Account | undefined): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

/**
 * How to start a program under the account. Where a folder on the way to `paths` is closed to it
 * (a checkout in root's home), the program keeps the right to pass, by setpriv.
 * @throws Error naming the closed folder when setpriv is not there
 */
export function launchAs(
  account: Account | undefined,
  command: string,
  args: readonly string[],
  paths: readonly string[],
): Launch {
  if (account === undefined) return { command, arguments: args };
  const closed = [command, ...paths]
    .flatMap(ancestors)
    .find((path) => existsSync(path) && !mayEnter(path, account));
  if (closed === undefined) return { command, arguments: args, ...account };
  if (spawnSync('setpriv', ['--version']).status !== 0) {
    throw new Error(
      `Postgres runs as the account "${ACCOUNT_NAME}" (${account.uid}), which may not enter ${closed}.\n` +
        `Allow it (chmod o+x ${closed}), choose another data folder, or set DATABASE_URL.`,
    );
  }
  const { uid, gid } = account;
  return {
    command: 'setpriv',
    arguments: [
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--inh-caps=+dac_override',
      '--ambient-caps=+dac_override',
      '--',
      command,
      ...args,
    ],
  };
}

function mayEnter(path: string, { uid, gid }: Account): boolean {
  const status = statSync(path);
  if (status.uid === uid) return (status.mode & 0o100) !== 0;
  if (status.gid === gid) return (status.mode & 0o010) !== 0;
  return (status.mode & 0o001) !== 0;
}
