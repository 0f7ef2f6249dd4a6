import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { needlesOf, searchFolders } from '@meridian/cli';
import { connectNats } from '@meridian/journal';
import { eventually, natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentMesh, type DevelopmentMesh } from '../src/index.ts';

const cli = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const regions = ['ap', 'eu', 'us'];
const folder = temporaryFolder('meridian-erasure-');
const patience = { timeoutMs: 60_000, pauseMs: 200 };
let mesh: DevelopmentMesh;
/** A key that may open, besides everything else. */
let key = '';
let trickle: NodeJS.Timeout | undefined;
let calls = 0;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const urlOf = (region: string): string => mesh.region(region).url;

/** Runs the built command as a user does, at the edge of eu. */
function meridian(...args: string[]): Promise<Ran> {
  const env = { ...process.env, MERIDIAN_URL: urlOf('eu'), MERIDIAN_KEY: key };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env, cwd: folder.path }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

async function ask<T>(region: string, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${urlOf(region)}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} in ${region}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

async function call(region: string, id: string, customer: string): Promise<boolean> {
  const answer = await fetch(`${urlOf(region)}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id,
      source: '/test',
      type: 'meridian.contact.initiate.v1',
      subject: id,
      region,
      data: { method: 'INBOUND', channel: 'VOICE', customer },
    }),
  });
  await answer.text();
  return answer.ok;
}

interface Subject {
  readonly keys: readonly { readonly id: string }[];
  readonly contacts: number;
}
const find = (region: string, identity: string): Promise<Subject> =>
  ask(region, 'POST', '/v1/privacy/subjects', { identity });

/** The bytes of keys as the vaults of all regions hold them. */
async function keyTexts(keyIds: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const region of regions) {
    const { natsUrl, seeds } = mesh.region(region);
    const connection = await connectNats({ servers: natsUrl, seedFile: seeds.services });
    try {
      const manager = await jetstreamManager(connection);
      const stream = `VAULT_${region}`;
      const { state } = await manager.streams.info(stream);
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
        const message = await manager.streams.getMessage(stream, { seq });
        if (message === null || !keyIds.some((id) => message.subject.endsWith(`.${id}`))) continue;
        found.push((message.json() as { key: string }).key);
      }
    } finally {
      await connection.close();
    }
  }
  return found;
}

/** Both homes know the person, and the read models of eu and us do. */
async function known(identity: string): Promise<Subject> {
  const [found] = await Promise.all(
    ['eu', 'us'].map((region) =>
      eventually(
        `${identity} is known in ${region}`,
        async () => {
          const subject = await find(region, identity);
          return subject.keys.length === 2 && subject.contacts === 2 ? subject : undefined;
        },
        patience,
      ),
    ),
  );
  return found as Subject;
}

async function person(identity: string, id: string): Promise<Subject> {
  for (const region of ['eu', 'us']) {
    await eventually(
      `${region} takes ${id}`,
      () => call(region, `${id}-${region}`, identity),
      patience,
    );
  }
  return known(identity);
}

beforeAll(async () => {
  if (!existsSync(cli)) throw new Error(`${cli} is missing.\nBuild first: npx tsc -b`);
  mesh = await startDevelopmentMesh({
    dataDir: join(folder.path, 'data'),
    natsServer: natsServerBinary(),
    regions,
    environment: { MERIDIAN_CHECKPOINT_MS: '200' },
  });
  key = mesh.region('eu').key;
  const scopes = ['publish', 'read', 'admin', 'personal'];
  const made = await ask<{ token: string }>('eu', 'POST', '/v1/keys', { scopes });
  key = made.token;
  await eventually(
    'the key opens every edge',
    async () => {
      await Promise.all(regions.map((region) => find(region, 'nobody')));
      return true;
    },
    patience,
  );
  trickle = setInterval(() => {
    calls += 1;
    const region = regions[calls % regions.length] as string;
    void call(region, `t${calls}`, `caller ${calls % 7}`).catch(() => {});
  }, 100);
}, 120_000);

afterAll(async () => {
  clearInterval(trickle);
  await mesh?.stop();
  folder.remove();
}, 60_000);

describe('a person in two regions, under load', () => {
  const edges = (): string => regions.map(urlOf).join(',');

  it('is erased everywhere: nothing opens, no file holds them, the log and the rows stay', async () => {
    const identity = 'Anne Müller-Öztürk 1979';
    const { keys } = await person(identity, 'anne');
    const bytes = await keyTexts(keys.map(({ id }) => id));
    expect(bytes).toHaveLength(2);
    const contact = await ask<object>('us', 'GET', '/v1/contacts/anne-eu?personal=open');
    expect(JSON.stringify(contact)).toContain(identity);

    const erased = await meridian(
      'erase',
      identity,
      '--yes',
      '--reason',
      'request 17',
      '--edges',
      edges(),
      '--search',
      'data',
      '--certificate',
      '17.json',
      '--keys',
      'keys',
    );
    expect(`${erased.out}${erased.err}`).toContain('Erased: nothing opens any more.');
    expect(erased.code).toBe(0);
    const checked = await meridian(
      'certificate',
      'verify',
      '17.json',
      '--public-key',
      'keys/receipt-keys.json',
    );
    expect(checked.out).toContain('The certificate is whole');

    const { findings } = await searchFolders([join(folder.path, 'data')], needlesOf(bytes));
    expect(findings).toEqual([]);
    for (const region of regions) expect((await find(region, identity)).keys).toEqual([]);
    const after = await ask<object>('us', 'GET', '/v1/contacts/anne-eu');
    expect(JSON.stringify(after)).toContain(`sealed:1:`);
    const others = await find('eu', 'caller 1');
    expect(others.keys.length).toBeGreaterThan(0);
    const accesses = await meridian('audit', 'log');
    expect(accesses.out).toContain('SUBJECTS');
    expect(accesses.out).toContain('request 17');
  }, 120_000);

  it('that is held stays until the hold is released', async () => {
    const identity = 'ben@example.org';
    await person(identity, 'ben');
    const reason = ['--reason', 'case 4711'];
    const placed = await meridian('hold', 'place', '--id', 'h1', '--contacts', 'ben-us', ...reason);
    expect(placed.out).toContain('stands');
    const blocked = await meridian(
      'erase',
      identity,
      '--yes',
      ...reason,
      '--edges',
      edges(),
      '--json',
    );
    expect(blocked.code).toBe(1);
    expect(blocked.out).toContain('"state":"BLOCKED"');
    expect((await find('us', identity)).keys).toHaveLength(2);
    expect((await meridian('hold', 'release', 'h1')).code).toBe(0);
    await eventually(
      'nothing of it can be opened',
      async () => {
        const found = await Promise.all(regions.map((region) => find(region, identity)));
        return found.every(({ keys }) => keys.length === 0);
      },
      patience,
    );
  }, 120_000);

  it('leaves a log that verifies and read models that are what it folds to', async () => {
    clearInterval(trickle);
    const verified = await meridian('verify');
    expect(`${verified.out}${verified.err}`).toContain('All of it holds.');
    expect(verified.code).toBe(0);
    const checked = await eventually(
      'the rows are what the log folds to',
      async () => {
        const ran = await meridian('check');
        return ran.code === 0 ? ran : undefined;
      },
      patience,
    );
    expect(checked.err).toBe('');
  }, 120_000);
});
