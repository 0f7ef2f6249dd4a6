import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import type { ArchiveStore, FileWriter, StoredFile } from './store.ts';

/** What is being written is called so until it is whole. */
const unfinished = '.unfinished';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Archives in a folder. Files are written beside their names, synced, and renamed. */
export function folderStore(folder: string): ArchiveStore {
  const pathOf = (name: string): string => join(folder, ...name.split('/'));
  return {
    location: folder,
    list: () => listFolder(folder),
    async *read(name) {
      try {
        yield* createReadStream(pathOf(name)) as AsyncIterable<Uint8Array>;
      } catch (error) {
        if (codeOf(error) === 'ENOENT') throw missing(pathOf(name));
        throw broken('read', pathOf(name), error);
      }
    },
    writer: (name) => openWriter(pathOf(name)),
    async put(name, text, isNew) {
      const path = pathOf(name);
      const beside = `${path}.${randomUUID()}${unfinished}`;
      try {
        await mkdir(dirname(path), { recursive: true });
        await store(beside, text);
        if (!isNew) await rename(beside, path);
        else {
          await link(beside, path);
          await unlink(beside);
        }
        return true;
      } catch (error) {
        await rm(beside, { force: true });
        if (isNew && codeOf(error) === 'EEXIST') return false;
        throw broken('written', path, error);
      }
    },
    async remove(name) {
      await rm(pathOf(name), { force: true });
    },
    keepsRemoved: () => Promise.resolve(undefined),
  };
}

async function store(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function openWriter(path: string): Promise<FileWriter> {
  const beside = `${path}${unfinished}`;
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw broken('written', path, error);
  });
  const file = await open(beside, 'w').catch((error: unknown) => {
    throw broken('written', path, error);
  });
  return {
    async write(chunk) {
      try {
        await file.writeFile(chunk);
      } catch (error) {
        throw broken('written', path, error);
      }
    },
    async commit() {
      try {
        await file.sync();
        await file.close();
        await rename(beside, path);
      } catch (error) {
        throw broken('written', path, error);
      }
    },
    async abort() {
      await file.close().catch(() => {});
      await rm(beside, { force: true });
    },
  };
}

async function listFolder(folder: string): Promise<StoredFile[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const found = await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const { size } = await stat(path);
        return { name: relative(folder, path).split(sep).join('/'), bytes: size };
      }),
    );
    return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw broken('read', folder, error);
  }
}

const missing = (path: string): CommandFault =>
  new CommandFault(exitCodes.notFound, `There is no file ${path}.\nSee meridian archive list.`);

const broken = (what: string, path: string, error: unknown): CommandFault =>
  usageFault(`${path} cannot be ${what} (${(error as Error).message}).`);
