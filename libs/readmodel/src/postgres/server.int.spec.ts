import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, temporaryFolder, type TemporaryFolder } from '@meridian/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres, type Postgres } from './server.ts';

let folder: TemporaryFolder;
let dataDir: string;
const open: Postgres[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = temporaryFolder('meridian-postgres-');
  dataDir = join(folder.path, 'postgres');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const server of open.splice(0)) await server.stop();
  folder.remove();
});

async function start(lines: string[] = []): Promise<Postgres> {
  const server = await startPostgres({ dataDir, onLog: (line) => lines.push(line) });
  open.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that runs a Postgres in the folder. */
async function startElsewhere(): Promise<ChildProcess> {
  const code = `
    const { startPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'server.ts'))});
    await startPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=@meridian/source', '--input-type=module', '-e', code],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    let errors = '';
    child.stderr.on('data', (data) => {
      errors += String(data);
    });
    child.stdout.once('data', () => resolve());
    child.once('close', () => reject(new Error(errors)));
  });
  return child;
}

const postmaster = (): number =>
  Number(readFileSync(join(dataDir, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

describe('the embedded Postgres', () => {
  it('keeps its data from one start to the next, and stops in order', async () => {
    const first = await start();
    await query(first.url, 'create table kept (n int); insert into kept values (7)');
    await first.stop();
    expect(existsSync(join(dataDir, 'data', 'postmaster.pid'))).toBe(false);
    const second = await start();
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('takes nobody without the password, which only the owner may read', async () => {
    const { url, port } = await start();
    await expect(
      query(`postgres://meridian:wrong@127.0.0.1:${port}/postgres`, 'select 1'),
    ).rejects.toThrow(/password authentication failed/);
    expect(await query(url, 'select current_user as name')).toEqual([{ name: 'meridian' }]);
    expect(statSync(join(dataDir, 'password')).mode & 0o077).toBe(0);
    expect(existsSync(join(dataDir, 'initial-password'))).toBe(false);
  });

  it('refuses a folder that another living process uses', async () => {
    const other = await startElsewhere();
    await expect(startPostgres({ dataDir })).rejects.toThrow(`in use by process ${other.pid}`);
  });

  it('recovers when its process and its owner were killed', async () => {
    const owner = await startElsewhere();
    const password = readFileSync(join(dataDir, 'password'), 'utf8');
    const port = readFileSync(join(dataDir, 'data', 'postmaster.pid'), 'utf8').split('\n')[3];
    const url = `postgres://meridian:${password}@127.0.0.1:${port}/postgres`;
    await query(url, 'create table kept (n int); insert into kept values (1); checkpoint');
    const pid = postmaster();
    owner.kill('SIGKILL');
    process.kill(pid, 'SIGKILL');
    const server = await start();
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 1 }]);
  });

  it('ends a server that a killed owner left behind', async () => {
    const owner = await startElsewhere();
    const pid = postmaster();
    owner.kill('SIGKILL');
    const server = await start();
    expect(server.pid).not.toBe(pid);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is started again, under the same address, when the server is killed', async () => {
    const lines: string[] = [];
    const server = await start(lines);
    const { url, pid } = server;
    process.kill(pid, 'SIGKILL');
    await eventually(
      'another server answers',
      async () =>
        server.pid !== pid && server.pid !== 0 && (await query(url, 'select 1')).length === 1,
    );
    expect(server.url).toBe(url);
    expect(lines.some((line) => line.includes('ended by itself (SIGKILL)'))).toBe(true);
  });

  it('makes a cluster anew when the one before was not finished', async () => {
    mkdirSync(join(dataDir, 'unfinished'), { recursive: true });
    writeFileSync(join(dataDir, 'unfinished', 'half'), '');
    const { url } = await start();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataDir, 'unfinished'))).toBe(false);
  });

  it('says what to do about a cluster of another version', async () => {
    mkdirSync(join(dataDir, 'data'), { recursive: true });
    writeFileSync(join(dataDir, 'data', 'PG_VERSION'), '9\n');
    await expect(startPostgres({ dataDir })).rejects.toThrow(
      /is of version 9.*\nDelete the folder/,
    );
    expect(existsSync(join(dataDir, 'owner'))).toBe(false);
  });
});
