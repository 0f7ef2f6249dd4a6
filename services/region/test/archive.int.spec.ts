import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentRegion, type DevelopmentRegion } from '../src/index.ts';
import { configureQueue, enterQueue, initiate, publish, signIn } from './publishing.ts';

const cli = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const folder = temporaryFolder('meridian-archive-');
const inFolder = (...parts: string[]): string => join(folder.path, ...parts);
let region: DevelopmentRegion;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command as a user does. */
function meridian(...args: string[]): Promise<Ran> {
  const env = { ...process.env, MERIDIAN_URL: region.url, MERIDIAN_KEY: region.key };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env, cwd: folder.path }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const create = async (): Promise<{ archivedTo: number; made: unknown[] }> => {
  const ran = await meridian(
    'archive',
    'create',
    '--to',
    'archives',
    '--json',
    '--reason',
    'a test',
  );
  if (ran.code !== 0) throw new Error(ran.err);
  return JSON.parse(ran.out) as { archivedTo: number; made: unknown[] };
};

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`${cli} is missing.\nBuild first: npx tsc -b`);
  region = await startDevelopmentRegion({
    dataDir: inFolder('data'),
    natsServer: natsServerBinary(),
    processes: 'together',
    environment: { MERIDIAN_CHECKPOINT_MS: '200' },
  });
  await publish(region, configureQueue('support', 'english'));
  await publish(region, signIn('ada', 'english'));
  for (const id of ['c1', 'c2', 'c3']) await publish(region, initiate(id));
  await publish(region, enterQueue('c1', 'support'));
});

afterAll(async () => {
  await region?.stop();
  folder.remove();
});

it('a running log is archived, verified, restored to the byte, and a tenant deleted from it', async () => {
  await eventually(
    'a checkpoint covers the calls, and is archived',
    async () => {
      const { archivedTo } = await create();
      if (archivedTo === 0) return false;
      await meridian('archive', 'restore', '--from', 'archives', '--to', 'restored');
      return readFileSync(inFolder('restored', 'EV_eu.ndjson'), 'utf8').includes('contact.c3');
    },
    { timeoutMs: 60_000, pauseMs: 200 },
  );
  const keys = join('data', 'audit', 'receipt-keys.json');
  const verified = await meridian('archive', 'verify', 'archives', '--public-keys', keys);
  expect(verified.err).toBe('');
  expect(verified.out).toContain('the last checkpoint is signed by eu.');
  expect(verified.out).toContain('All of it holds.');
  for (const stream of ['EV_eu', 'IN_eu']) {
    const restored = readFileSync(inFolder('restored', `${stream}.ndjson`), 'utf8');
    const count = String(restored.split('\n').length - 1);
    const out = inFolder(`${stream}.ndjson`);
    await meridian('export', '--stream', stream, '--to', count, '--out', out);
    expect(readFileSync(out, 'utf8')).toBe(restored);
  }
  const replayed = await meridian('replay', '--file', 'restored/EV_eu.ndjson', '--subject', 'c1');
  expect(replayed.out).toContain('c1');
  expect((await meridian('verify', '--offline', 'restored')).code).toBe(0);
  const key = join('data', 'audit', 'eu-receipts.pem');
  const deleted = await meridian(
    'archive',
    'delete',
    'archives',
    '--tenant',
    'demo',
    '--older-than',
    '0d',
    '--reason',
    'a test',
    '--signing-key',
    key,
  );
  expect(deleted.err).toBe('');
  expect(deleted.out).toContain('messages of demo were deleted; the record is');
  const after = await meridian('archive', 'verify', 'archives', '--public-keys', keys);
  expect(after.out).toContain('of demo from before');
  expect(after.out).toContain('All of it holds.');
  // What was archived of it can go on, from the same tree.
  await publish(region, initiate('c4'));
  await eventually('what came since is archived', async () => (await create()).made.length > 0, {
    timeoutMs: 60_000,
  });
  expect((await meridian('archive', 'verify', 'archives', '--public-keys', keys)).code).toBe(0);
});
