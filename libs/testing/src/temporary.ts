import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set<string>();
let hooked = false;

export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

/** A new folder of its own under the system's temporary one, removed at the latest at exit. */
export function temporaryFolder(prefix = 'meridian-'): TemporaryFolder {
  if (!hooked) {
    hooked = true;
    process.on('exit', () => folders.forEach(removeFolder));
  }
  const path = mkdtempSync(join(tmpdir(), prefix));
  folders.add(path);
  return { path, remove: () => removeFolder(path) };
}

function removeFolder(path: string): void {
  folders.delete(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}
