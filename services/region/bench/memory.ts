import { readdirSync, readFileSync } from 'node:fs';

interface ProcessFacts {
  readonly parent: number;
  readonly name: string;
}

/** The processes of this machine by id. */
function processes(): Map<number, ProcessFacts> {
  const found = new Map<number, ProcessFacts>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const end = stat.lastIndexOf(')');
      const parent = Number(stat.slice(end + 2).split(' ')[1]);
      found.set(Number(entry), { name: stat.slice(stat.indexOf('(') + 1, end), parent });
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Proportional set size of one process in MiB: pages it shares count by their share. */
function pssMib(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN) / 1_024;
}

/** How many generations a process is below `root`; Infinity when it does not come from it. */
function generations(all: ReadonlyMap<number, ProcessFacts>, pid: number, root: number): number {
  let count = 0;
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = all.get(at)?.parent) {
    if (at === root) return count;
    count += 1;
  }
  return Infinity;
}

/** Memory of a process and all that it started, in MiB (PSS; Linux only). */
export function treeMib(root: number): number {
  const all = processes();
  const tree = [...all.keys()].filter((pid) => generations(all, pid, root) < Infinity);
  return tree.reduce((sum, pid) => sum + pssMib(pid), 0);
}

/** The process of this name among those that this one started, nearest to it; undefined without one. */
export function childNamed(name: string): number | undefined {
  const all = processes();
  const found = [...all]
    .filter(([, one]) => one.name === name)
    .map(([pid]) => ({ pid, depth: generations(all, pid, process.pid) }))
    .filter(({ depth }) => depth < Infinity);
  return found.toSorted((a, b) => a.depth - b.depth)[0]?.pid;
}
