import { createHash, hash, type Hash } from 'node:crypto';
import {
  formatNote,
  isSignedBy,
  keysOf,
  noteSigner,
  parseNote,
  signNote,
  type NoteSigner,
} from '@meridian/proof';
import { CommandFault, usageFault } from '../fault.ts';
import { canonicalJson } from '../receipt/canonical.ts';
import type { PublicKeys } from '../verify/signatures.ts';
import { readAll, type ArchiveStore } from './store.ts';

export const deletionFormat = 'meridian.archive.deletion.v1';

/** What of a stream was deleted. */
export interface DeletedPart {
  readonly stream: string;
  readonly messages: number;
  /** The first and the last sequence. */
  readonly first: number;
  readonly last: number;
  /** SHA-256 over sequence (decimal), a line feed and the leaf of each, in base64url. */
  readonly leaves: string;
}

/** What was deleted of a tenant in an archive. */
export interface DeletionRecord {
  readonly format: typeof deletionFormat;
  readonly archive: {
    readonly home: string;
    readonly from: number;
    readonly to: number;
    /** The root that was signed, in base64url: the deletion leaves it as it is. */
    readonly root: string;
  };
  readonly tenant: string;
  /** All that was stored before this time. */
  readonly before: string;
  readonly reason: string;
  readonly deletedAt: string;
  readonly messages: number;
  readonly streams: readonly DeletedPart[];
  /** The region whose key signs it, and the key. */
  readonly region: string;
  readonly publicKey: string;
}

/** The text that is signed (C2SP signed-note). */
const textOf = (record: DeletionRecord): string =>
  `meridian archive deletion\n${hash('sha256', canonicalJson(record), 'base64')}\n`;

/** A record with its signature, as it is stored. */
export function signedRecord(record: DeletionRecord, signer: NoteSigner): string {
  const text = textOf(record);
  const note = formatNote({ text, signatures: [signNote(text, signer)] });
  return `${JSON.stringify({ record, note }, null, 1)}\n`;
}

/** A region's key from its file, `<region>-receipts.pem`. @throws CommandFault (usage) */
export function regionSigner(file: string, pem: string): NoteSigner & { readonly region: string } {
  const region = /([a-z][a-z0-9]{0,15})-receipts\.pem$/.exec(file)?.[1];
  if (region === undefined) {
    throw usageFault(`${file} is no key of a region: it is called <region>-receipts.pem.`);
  }
  try {
    return { ...noteSigner(`meridian/${region}`, pem), region };
  } catch (error) {
    throw usageFault(`${file} holds no Ed25519 key (${(error as Error).message}).`);
  }
}

/** Reads a record. @returns it, or what is wrong with it */
export async function readRecord(
  store: ArchiveStore,
  name: string,
  known: PublicKeys,
): Promise<DeletionRecord | string> {
  let stored: { readonly record?: DeletionRecord; readonly note?: string };
  try {
    stored = JSON.parse((await readAll(store, name)).toString()) as typeof stored;
  } catch (error) {
    const why = error instanceof CommandFault || error instanceof SyntaxError;
    if (!why) throw error;
    return `The record ${name} cannot be read (${error.message.split('\n')[0]}).`;
  }
  const { record, note } = stored;
  if (record?.format !== deletionFormat || typeof note !== 'string') {
    return `${name} is no record of a deletion.`;
  }
  if (!Array.isArray(record.streams)) return `The record ${name} is not whole.`;
  const { region, publicKey } = record;
  if (!keysOf(known, region).includes(publicKey)) {
    return `The record ${name} is signed with a key that is not known for ${region}.`;
  }
  const parsed = parseNote(note);
  const isWhole =
    parsed?.text === textOf(record) && isSignedBy(parsed, `meridian/${region}`, publicKey);
  return isWhole ? record : `The signature of the record ${name} does not hold.`;
}

/** Counts what is deleted of each stream, and hashes it. */
export class DeletedParts {
  readonly #parts = new Map<
    string,
    { messages: number; first: number; last: number; readonly hash: Hash }
  >();

  add(stream: string, sequence: number, leaf: Uint8Array): void {
    let part = this.#parts.get(stream);
    if (part === undefined) {
      part = { messages: 0, first: sequence, last: sequence, hash: createHash('sha256') };
      this.#parts.set(stream, part);
    }
    part.messages += 1;
    part.last = sequence;
    part.hash.update(`${sequence}\n`).update(leaf);
  }

  /** How many there are of a stream. */
  of(stream: string): number {
    return this.#parts.get(stream)?.messages ?? 0;
  }

  get messages(): number {
    return [...this.#parts.values()].reduce((sum, { messages }) => sum + messages, 0);
  }

  all(): DeletedPart[] {
    return [...this.#parts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([stream, { messages, first, last, hash: leaves }]) => ({
        stream,
        messages,
        first,
        last,
        leaves: leaves.copy().digest('base64url'),
      }));
  }
}
