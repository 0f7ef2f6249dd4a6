import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes, usageFault } from '../fault.ts';
import type { PublicKeys } from '../verify/signatures.ts';
import { edgeCopy, folderCopy } from '../verify/source.ts';
import { verifyCopy, type VerifyResult } from '../verify/verify.ts';
import { printJson, textOption, type CommandSpec, type Context } from './command.ts';
import { Progress } from './log-lines.ts';

/** The leaves of an export as they were when it was made, 32 bytes each, by rank. */
const leavesFile = 'leaves.bin';

/** The keys of `--public-keys`. @throws CommandFault (usage) when the file is no such list */
export function readKeys(file: string): PublicKeys {
  try {
    const keys = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (Object.values(keys).every((key) => typeof key === 'string')) return keys as PublicKeys;
  } catch {
    // Said below.
  }
  throw usageFault(`${file} is no list of keys: a JSON object of regions and their public keys.`);
}

export const verifyCommand: CommandSpec = {
  usage: 'verify',
  summary: 'Verify the log: the one order, its signed checkpoints, hash chains, that nothing lacks',
  options: [
    {
      flags: '--offline <folder>',
      text: 'exports of all streams, EV_eu.ndjson and so on, instead of the edge',
    },
    {
      flags: '--keep-leaves',
      text: 'keep the leaf of each message beside the exports, if all holds: a later change is named by it',
    },
    {
      flags: '--public-keys <file>',
      text: 'the keys that the regions must have signed with, such as receipt-keys.json',
    },
  ],
  examples: [
    'meridian verify',
    'for s in IN_eu EV_eu; do meridian export --stream $s --out audit/$s.ndjson; done',
    'meridian verify --offline audit --keep-leaves',
    'meridian verify --offline audit --public-keys receipt-keys.json',
  ],
  async run(context, _args, options) {
    const folder = textOption(options, 'offline');
    const keep = options['keepLeaves'] === true;
    if (keep && folder === undefined) throw usageFault('--keep-leaves goes with --offline.');
    const copy = folder === undefined ? await edgeCopy(context) : folderCopy(context, folder);
    const file = folder === undefined ? undefined : join(folder, leavesFile);
    const leaves = file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
    const keysFile = textOption(options, 'publicKeys');
    const found: Uint8Array[] = [];
    const progress = new Progress(context, 'messages verified');
    const { learned: _, ...result } = await verifyCopy(copy, {
      ...(keysFile === undefined ? {} : { keys: readKeys(keysFile) }),
      ...(leaves === undefined ? {} : { leaves }),
      ...(keep ? { onLeaf: (leaf: Uint8Array) => found.push(leaf) } : {}),
      onRead: (count) => progress.show(count),
    });
    progress.clear();
    if (keep && result.ok && file !== undefined) writeFileSync(file, Buffer.concat(found));
    if (context.json) printJson(context, result);
    else context.io.out(render(context, result, keep && result.ok ? file : undefined));
    return result.ok ? exitCodes.ok : exitCodes.no;
  },
};

const number = (value: number): string => value.toLocaleString('en');

function render({ paint }: Context, result: VerifyResult, kept: string | undefined): string {
  const { ok, ordered, covered, unordered, checkpoints, aggregates, cosignedBy, keys, faults } =
    result;
  const lines = faults.map(({ stream, sequence, rank, what }) => {
    const place = rank === undefined ? '' : ` (rank ${number(rank)})`;
    return `${paint('red', `${stream} ${sequence}`)}${place}: ${what}`;
  });
  lines.push(
    `${number(ordered)} messages in one order, ${number(aggregates)} aggregates; ` +
      `${number(checkpoints)} checkpoints, the last one that holds covers ${number(covered)}` +
      (cosignedBy.length === 0 ? '.' : `, cosigned by ${cosignedBy.join(', ')}.`),
  );
  const rest = ordered - covered;
  if (ok && rest > 0) lines.push(`${number(rest)} came after it and are not signed yet.`);
  if (unordered > 0) {
    lines.push(`${number(unordered)} are not ordered yet: only their hash chains were checked.`);
  }
  for (const [region, key] of Object.entries(keys)) lines.push(`${region} signs with ${key}`);
  if (kept !== undefined) lines.push(`The leaves are kept in ${kept}.`);
  lines.push(ok ? paint('green', 'All of it holds.') : paint('red', 'It does not hold.'));
  return `${lines.join('\n')}\n`;
}
