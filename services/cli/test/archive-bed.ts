import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { noteSigner } from '@meridian/proof';
import type { ArchiveVerdict, Manifest } from '../src/archive/index.ts';
import { AuditedLog } from './audited-log.ts';
import { run, type Ran } from './run.ts';

const startMs = 1_790_000_000_000;
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'meridian-archive-'));
/** The time so many ms after the log's beginning; a message's is its sequence. */
export const time = (ms: number): string => new Date(startMs + ms).toISOString();
export const foldersOf = (place: string): string[] => readdirSync(place).toSorted();
export const manifestOf = (place: string, folder: string): Manifest =>
  JSON.parse(readFileSync(join(place, folder, 'manifest.json'), 'utf8')) as Manifest;
export const copyOf = (place: string): string => {
  const copy = newFolder();
  cpSync(place, copy, { recursive: true });
  return copy;
};

/** One round of calls of two tenants in both regions; contact c7 goes on in each. */
export function round(log: AuditedLog, part: number): void {
  for (let call = 0; call < 12; call += 1) {
    log.call(call % 3 === 0 ? 'us' : 'eu', call === 7 ? 'c7' : `c${part}-${call}`);
    if (call % 4 === 0) {
      log.decide(call % 8 === 0 ? 'eu' : 'us', 'acme', 'contact', `a${part}-${call}`, [
        {
          type: 'meridian.contact.attributes_updated.v1',
          subject: `a${part}-${call}`,
          data: { attributes: { secret: `acme’s ${call}` } },
          cause: { causationId: '/pbx#acme' },
          timeMs: startMs,
        },
      ]);
    }
    if (call % 6 === 5) log.order();
  }
  log.checkpoint();
}

/** Changes the lines of a stream in the archive of a folder. */
export function changeLines(
  place: string,
  folder: string,
  stream: string,
  change: (lines: string[]) => string[],
): void {
  const { segments } = manifestOf(place, folder);
  const path = join(place, segments.find((one) => one.stream === stream)!.file);
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  writeFileSync(path, gzipSync(`${change(lines).join('\n')}\n`));
}

/** Four rounds, exported, and archived from checkpoint to checkpoint. */
export class ArchiveBed {
  readonly log = new AuditedLog();
  readonly archives = newFolder();
  readonly exports: string;
  /** A list of the keys of the regions, and of `ap`, with whose key deletions are signed. */
  readonly keys: string;
  readonly signingKey: string;

  constructor() {
    for (let part = 0; part < 4; part += 1) round(this.log, part);
    this.log.order();
    this.exports = this.log.export();
    const folder = newFolder();
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    this.signingKey = join(folder, 'ap-receipts.pem');
    writeFileSync(this.signingKey, pem);
    this.keys = join(folder, 'keys.json');
    const { publicKey } = noteSigner('meridian/ap', pem);
    writeFileSync(this.keys, JSON.stringify({ ...this.log.keys, ap: publicKey }));
  }

  /** Archives all exports. */
  create(to: string, ...more: string[]): Promise<Ran> {
    return run(['archive', 'create', '--to', to, '--offline', this.exports, ...more]);
  }

  /** What `archive verify` says; its exit code must say the same. */
  async verdictOf(
    place: string,
    more: readonly string[] = ['--public-keys', this.keys],
  ): Promise<ArchiveVerdict> {
    const { code, out, err } = await run(['archive', 'verify', place, '--json', ...more]);
    if (err !== '') throw new Error(err);
    const verdict = JSON.parse(out) as ArchiveVerdict;
    if ((code === 0) !== verdict.ok) throw new Error(`The exit code is ${code}: ${out}`);
    return verdict;
  }

  delete(place: string, ...more: string[]): Promise<Ran> {
    return this.deleteBy(this.exports, place, ...more);
  }

  /** @param exports from which the holds are read */
  deleteBy(exports: string, place: string, ...more: string[]): Promise<Ran> {
    const given = ['--offline', exports, '--signing-key', this.signingKey];
    return run(['archive', 'delete', place, ...given, '--reason', 'the contract ended', ...more]);
  }
}
