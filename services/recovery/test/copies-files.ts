import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@meridian/testing';

/** The folder in which a server keeps a stream, below its store. */
function folderOf(storeDir: string, stream: string): string {
  const found = readdirSync(storeDir, { recursive: true, encoding: 'utf8' }).find(
    (path) => path.endsWith(`/${stream}`) && statSync(join(storeDir, path)).isDirectory(),
  );
  if (found === undefined) throw new Error(`There is no folder of ${stream} below ${storeDir}.`);
  return join(storeDir, found);
}

/** The files with a stream's messages, the oldest first. */
export function blocksOf(storeDir: string, stream: string): string[] {
  const folder = join(folderOf(storeDir, stream), 'msgs');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.blk'))
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => join(folder, name));
}

export const firstBlock = (storeDir: string, stream: string): string =>
  blocksOf(storeDir, stream)[0] as string;
export const lastBlock = (storeDir: string, stream: string): string =>
  blocksOf(storeDir, stream).at(-1) as string;

/** Turns over one bit in the middle of a file. */
export function flipBit(file: string): void {
  const at = Math.floor(statSync(file).size / 2);
  const descriptor = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 4);
  writeSync(descriptor, byte, 0, 1, at);
  closeSync(descriptor);
}

/** Cuts off the second half of a file. */
export function cutHalf(file: string): void {
  truncateSync(file, Math.floor(statSync(file).size / 2));
}

/** What is on the disk when the power fails: kept aside of a server that runs, as it is now. */
export async function keepFiles(storeDir: string, stream: string, to: string): Promise<void> {
  // Files come and go while a server runs.
  await eventually('the files kept', () => {
    rmSync(to, { recursive: true, force: true });
    cpSync(folderOf(storeDir, stream), to, { recursive: true });
    return true;
  });
}

/** Puts kept files back in place of those that are there. The server must not run. */
export function putBack(storeDir: string, stream: string, from: string): void {
  const folder = folderOf(storeDir, stream);
  rmSync(folder, { recursive: true });
  cpSync(from, folder, { recursive: true });
}
