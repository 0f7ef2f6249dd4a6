import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@meridian/testing';
import {
  developmentTopology,
  regionFiles,
  serverConfigs,
  writeMesh,
  type Topology,
} from './index.ts';

const folder = temporaryFolder('meridian-topology-');
afterAll(() => folder.remove());

let next = 30_000;
const topology = (names = ['eu', 'us', 'ap']): Promise<Topology> =>
  developmentTopology(names, { freePort: async () => next++ });

const filesOf = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('what is written for a mesh', () => {
  it('keeps secrets in files of their own that only their owner reads', async () => {
    const root = join(folder.path, 'secrets');
    const described = await topology();
    await writeMesh(described, root);
    const secret = /\bSU[A-Z2-7]{56}\b|PRIVATE KEY/;
    const secrets = filesOf(root).filter((file) => secret.test(readFileSync(file, 'utf8')));
    // Seven seeds and the links' include a region, a key for each of two servers, and the authority's.
    expect(secrets).toHaveLength(3 * (7 + 1 + 2) + 1);
    for (const file of secrets) expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    for (const text of serverConfigs(described, {
      regionFolder: () => '/etc/meridian/nats',
      store: () => '/var/lib/meridian/nats',
    }).values()) {
      expect(text).not.toMatch(secret);
      expect(text).not.toMatch(/pass/);
    }
  });

  it('stays what it is when it is written again, and follows a changed description', async () => {
    const root = join(folder.path, 'again');
    const described = await topology(['eu', 'us']);
    await writeMesh(described, root);
    const read = (): Map<string, string> =>
      new Map(filesOf(root).map((file) => [file, readFileSync(file, 'utf8')]));
    const before = read();
    await writeMesh(described, root);
    expect(read()).toEqual(before);
    const moved = {
      ...described,
      links: described.links.map((link) => ({ ...link, via: [{ host: 'gate.example', port: 1 }] })),
    };
    await writeMesh(moved, root);
    const changed = [...read()].filter(([file, text]) => before.get(file) !== text);
    expect(changed.map(([file]) => file.slice(root.length + 1)).toSorted()).toEqual([
      'eu/eu-1.conf',
      'eu/tls/eu-1-key.pem',
      'eu/tls/eu-1.pem',
      'us/tls/us-1-key.pem',
      'us/tls/us-1.pem',
      'us/us-1.conf',
    ]);
  });

  it('has certificates of one authority for the hosts that are dialled', async () => {
    const root = join(folder.path, 'tls');
    const described = await topology(['eu', 'us']);
    await writeMesh(described, root);
    const { caFile } = regionFiles(described, root, 'us');
    const authority = new X509Certificate(readFileSync(caFile));
    const server = new X509Certificate(readFileSync(join(root, 'us/tls/us-1.pem')));
    expect(authority.ca).toBe(true);
    expect(server.verify(authority.publicKey)).toBe(true);
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(server.checkHost('elsewhere.example')).toBeUndefined();
    expect(Date.parse(server.validTo)).toBeGreaterThan(Date.now());
  });

  it('says so when a seed file holds no seed', async () => {
    const root = join(folder.path, 'broken');
    const described = await topology(['eu']);
    await writeMesh(described, root);
    const { servicesSeed } = regionFiles(described, root, 'eu');
    writeFileSync(servicesSeed, 'nonsense\n');
    await expect(writeMesh(described, root)).rejects.toThrow(/services.seed holds no NKey seed/);
  });
});
