// Exits 0 when node_modules holds what package-lock.json asks for, by version; optional packages for other
// platforms may be missing.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '.';
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
const wanted = read('package-lock.json');
const present = read('node_modules/.package-lock.json');

const isForHere = ({ os, cpu, libc }) =>
  (os?.includes(process.platform) ?? true) &&
  (cpu?.includes(process.arch) ?? true) &&
  !libc?.includes('musl');

const missing = Object.entries(wanted).filter(([path, entry]) => {
  if (!path.includes('node_modules/')) return false;
  if (entry.optional && !(entry.os && isForHere(entry))) {
    return present[path] !== undefined && present[path].version !== entry.version;
  }
  return present[path]?.version !== entry.version || !existsSync(join(root, path));
});
for (const [path] of missing) console.error(`not as the lock file says: ${path}`);
process.exitCode = missing.length === 0 ? 0 : 1;
