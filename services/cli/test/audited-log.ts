import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkpointText,
  formatNote,
  Frontier,
  HeadMap,
  messageLeaf,
  noteSigner,
  Ranks,
  signatureLine,
  signNote,
  withKey,
  type KeyList,
  type NoteSigner,
  type OrderRange,
} from '@meridian/proof';
import { emptyHead, encodeEntry, type EventToEncode, type Head } from '@meridian/wire';
import type { RawEntry } from '../src/check/raw.ts';
import { headOfEntry } from '../src/verify/learn.ts';
import { storedMessage } from '../src/verify/verify.ts';

const startMs = 1_790_000_000_000;
const signerOf = (region: string) =>
  noteSigner(
    `meridian/${region}`,
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/**
 * A log of two regions as the services write it: requests and decisions in both, the order by home
 * eu, checkpoints that eu signs and us cosigns.
 */
export class AuditedLog {
  /** The folders of all exports, for who removes them. */
  static readonly exported: string[] = [];
  readonly streams: Record<string, RawEntry[]> = { EV_eu: [], EV_us: [], IN_eu: [], IN_us: [] };
  keys: KeyList;
  readonly #names: Readonly<Record<'eu' | 'us', string>>;
  #signers: Readonly<Record<'eu' | 'us', NoteSigner>>;
  readonly #heads = new Map<string, Head>();
  readonly #ranks = new Ranks();
  readonly #segmentKey = Buffer.alloc(32, 7);
  readonly #keyed = new Set<string>();

  /** @param names under which the regions sign */
  constructor(names = { eu: 'eu', us: 'us' }) {
    const [eu, us] = [signerOf(names.eu), signerOf(names.us)];
    this.#names = names;
    this.#signers = { eu, us };
    this.keys = { [names.eu]: eu.publicKey, [names.us]: us.publicKey };
  }

  /** Another log, empty, that the same keys sign. */
  anew(): AuditedLog {
    const other = new AuditedLog(this.#names);
    other.#signers = this.#signers;
    other.keys = this.keys;
    return other;
  }

  /** The region eu lost its key: it signs with another one from now on. */
  loseKey(): void {
    const eu = signerOf(this.#names.eu);
    this.#signers = { ...this.#signers, eu };
    this.keys = withKey(this.keys, this.#names.eu, eu.publicKey);
  }

  /** A request and a decision of two events on it; a second call of a contact goes on with it. */
  call(region: 'eu' | 'us', id: string): void {
    this.#store(`IN_${region}`, `in.${region}.demo.${region}.contact.${id}`, `{"id":"r-${id}"}`, {
      'Nats-Msg-Id': `demo#/pbx#${id}`,
    });
    const attributes = (value: string): EventToEncode => ({
      type: 'meridian.contact.attributes_updated.v1',
      subject: id,
      data: { attributes: { value } },
      cause: { causationId: `/pbx#${id}` },
      timeMs: startMs,
    });
    this.decide(region, 'demo', 'contact', id, [attributes('one'), attributes('two')]);
  }

  decide(
    region: 'eu' | 'us',
    tenant: string,
    entity: string,
    id: string,
    events: readonly EventToEncode[],
  ): void {
    const subject = `ev.${region}.${region}.${tenant}.${entity}.${id}`;
    const head = this.#heads.get(subject) ?? emptyHead;
    const writer = { region, home: region, service: 'sessions', epoch: 1 };
    const { text, revision, hash } = encodeEntry(writer, { tenant, entity, id }, head, events);
    const sequence = this.#store(`EV_${region}`, subject, text, {
      'Nats-Expected-Last-Subject-Sequence': String(head.sequence),
    });
    this.#heads.set(subject, { sequence, revision, hash });
  }

  /** Orders all that is not ordered yet. */
  order(): void {
    const ranges: OrderRange[] = ['IN_eu', 'IN_us', 'EV_eu', 'EV_us'].flatMap((stream) => {
      const after = this.#ranks.end(stream);
      const upTo = this.streams[stream]!.length;
      return upTo > after ? [{ stream, after, upTo }] : [];
    });
    const keys = ranges
      .filter(({ stream }) => !this.#keyed.has(stream))
      .map(({ stream }) => ({ stream, segment: 0, key: base64url(this.#segmentKey) }));
    for (const { stream } of keys) this.#keyed.add(stream);
    const data = { afterRank: this.#ranks.size, ranges, keys };
    this.decide('eu', 'meridian', 'order', 'all', [
      this.#event('meridian.order.extended.v1', 'all', data),
    ]);
    for (const range of ranges) this.#ranks.append(range);
  }

  /** Signs all that is ordered, and cosigns it. */
  checkpoint(): void {
    const { size } = this.#ranks;
    const [frontier, heads] = [new Frontier(), new HeadMap()];
    for (let rank = 0; rank < size; rank += 1) {
      const { stream, sequence } = this.#ranks.placeOf(rank)!;
      const entry = this.streams[stream]![sequence - 1]!;
      frontier.append(messageLeaf(this.#segmentKey, storedMessage(entry)));
      if (stream.startsWith('EV_')) heads.set({ subject: entry.subject, ...headOfEntry(entry) });
    }
    const { eu, us } = this.#signers;
    const [root, headsRoot] = [frontier.root(), heads.root()];
    const text = checkpointText({ origin: 'meridian/eu', size, root, headsRoot });
    this.decide('eu', 'meridian', 'chain', 'all', [
      this.#event('meridian.chain.checkpoint_signed.v1', 'all', {
        size,
        root: base64url(root),
        headsRoot: base64url(headsRoot),
        aggregates: heads.count,
        region: this.#names.eu,
        publicKey: eu.publicKey,
        note: formatNote({ text, signatures: [signNote(text, eu)] }),
      }),
    ]);
    this.decide('us', 'meridian', 'chain', 'us', [
      this.#event('meridian.chain.checkpoint_cosigned.v1', 'us', {
        size,
        region: this.#names.us,
        publicKey: us.publicKey,
        signature: signatureLine(signNote(text, us)),
      }),
    ]);
  }

  /** The exports of all streams in a new folder. */
  export(): string {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-export-'));
    AuditedLog.exported.push(folder);
    for (const [stream, entries] of Object.entries(this.streams)) {
      writeExport(folder, stream, entries);
    }
    return folder;
  }

  #event(type: string, subject: string, data: unknown): EventToEncode {
    return { type, subject, data, cause: { causationId: 'order' }, timeMs: startMs };
  }

  #store(
    stream: string,
    subject: string,
    data: string,
    headers: Readonly<Record<string, string>>,
  ): number {
    const entries = this.streams[stream]!;
    const sequence = entries.length + 1;
    const storedAt = new Date(startMs + sequence).toISOString();
    entries.push({ stream, sequence, subject, storedAt, headers, data });
    return sequence;
  }
}

export function writeExport(folder: string, stream: string, entries: readonly RawEntry[]): void {
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  writeFileSync(join(folder, `${stream}.ndjson`), text);
}

export function readExport(folder: string, stream: string): RawEntry[] {
  const text = readFileSync(join(folder, `${stream}.ndjson`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RawEntry);
}
