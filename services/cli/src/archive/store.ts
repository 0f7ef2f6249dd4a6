import type { Io } from '../io.ts';
import { folderStore } from './folder-store.ts';
import { s3Store } from './s3-store.ts';

/** A file as a store lists it. */
export interface StoredFile {
  /** Below the store's own folder or prefix, with `/` between its parts. */
  readonly name: string;
  readonly bytes: number;
}

/** A file that is being written: it has its name once it is whole, not before. */
export interface FileWriter {
  /** Takes the next bytes; it waits while it cannot take more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends it and gives it its name. */
  commit(): Promise<void>;
  /** Leaves nothing of it. */
  abort(): Promise<void>;
}

/** Where archives are: a folder, or a bucket. All methods throw CommandFault with the file's name. */
export interface ArchiveStore {
  /** As it was given: `backup/meridian` or `s3://bucket/prefix`. */
  readonly location: string;
  /** All files, by name. */
  list(): Promise<StoredFile[]>;
  /** The bytes of a file, a part at a time. @throws CommandFault (notFound) when there is none */
  read(name: string): AsyncIterable<Uint8Array>;
  writer(name: string): Promise<FileWriter>;
  /**
   * Stores a small file at once. @param isNew only where there is none of this name
   * @returns false when there is one
   */
  put(name: string, text: string, isNew: boolean): Promise<boolean>;
  remove(name: string): Promise<void>;
  /** Why what is removed would still be there: the bucket keeps versions, for example. */
  keepsRemoved(): Promise<string | undefined>;
}

/**
 * The store at a folder, or at `s3://bucket/prefix`.
 * @throws CommandFault (usage) when it names none, or the environment lacks what S3 needs
 */
export function openStore(location: string, io: Pick<Io, 'env'>): ArchiveStore {
  return location.startsWith('s3://') ? s3Store(location, io.env) : folderStore(location);
}

/** The text of a small file. @throws CommandFault (notFound) when there is none */
export async function readAll(store: ArchiveStore, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(name)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
