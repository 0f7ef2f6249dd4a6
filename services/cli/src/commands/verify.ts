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

/** The text of a note that was kept. @throws CommandFault (usage) when it cannot be read */
function readNote(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageFault(`--since ${file} cannot be read (${(error as Error).message}).`);
  }
}

function keepNote(file: string, { ok, note }: VerifyResult): void {
  if (!ok) return;
  if (note === undefined) throw usageFault('There is no checkpoint to be kept yet.');
  try {
    writeFileSync(file, note);
  } catch (error) {
    throw usageFault(`--keep-note ${file} cannot be written (${(error as Error).message}).`);
  }
}

/** Leaves one after the other, 32 bytes each: no object a leaf. */
class Leaves {
  #bytes = Buffer.alloc(1_048_576);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  add(leaf: Uint8Array): void {
    if (this.#length + leaf.length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(leaf, this.#length);
    this.#length += leaf.length;
  }
}

export const verifyCommand: CommandSpec = {
  usage: 'verify',
  looks: true,
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
      flags: '--since <note>',
      text: 'a checkpoint kept from before: this copy must go on from it, or it was rolled back',
    },
    {
      flags: '--keep-note <file>',
      text: 'keep the last checkpoint that holds, for a later --since',
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
    'meridian verify --offline audit --public-keys receipt-keys.json --keep-note monday.note',
    'meridian verify --offline tuesday --public-keys receipt-keys.json --since monday.note',
  ],
  async run(context, _args, options) {
    const folder = textOption(options, 'offline');
    const keep = options['keepLeaves'] === true;
    if (keep && folder === undefined) throw usageFault('--keep-leaves goes with --offline.');
    const copy = folder === undefined ? await edgeCopy(context) : folderCopy(context, folder);
    const file = folder === undefined ? undefined : join(folder, leavesFile);
    const leaves = file !== undefined && existsSync(file) ? readFileSync(file) : undefined;
    const keysFile = textOption(options, 'publicKeys');
    const sinceFile = textOption(options, 'since');
    const noteFile = textOption(options, 'keepNote');
    const found = new Leaves();
    const progress = new Progress(context, 'messages verified');
    const { learned: _, ...result } = await verifyCopy(copy, {
      ...(keysFile === undefined ? {} : { keys: readKeys(keysFile) }),
      ...(leaves === undefined ? {} : { leaves }),
      ...(sinceFile === undefined ? {} : { since: readNote(sinceFile) }),
      ...(keep ? { onLeaf: (leaf: Uint8Array) => found.add(leaf) } : {}),
      onRead: (count) => progress.show(count),
    });
    progress.clear();
    if (keep && result.ok && file !== undefined) writeFileSync(file, found.bytes);
    if (noteFile !== undefined) keepNote(noteFile, result);
    if (context.json) printJson(context, result);
    else context.io.out(render(context, result, keep && result.ok ? file : undefined));
    return result.ok ? exitCodes.ok : exitCodes.no;
  },
};

const number = (value: number): string => value.toLocaleString('en');

function render({ paint }: Context, result: VerifyResult, kept: string | undefined): string {
  const { ok, ordered, covered, unordered, checkpoints, aggregates, cosignedBy } = result;
  const { uses, since, faults } = result;
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
  for (const { region, publicKey, checkpoints: count, first, last } of uses) {
    const range = count === 1 ? `that of ${number(first)}` : `${number(first)} to ${number(last)}`;
    lines.push(`${region} signed ${number(count)} of them (${range}) with ${publicKey}`);
  }
  if (since !== undefined && ok) {
    lines.push(
      `It goes on from the ${number(since.size)} messages of the note that was kept, ` +
        `signed by ${since.signers.join(', ')}.`,
    );
  }
  if (kept !== undefined) lines.push(`The leaves are kept in ${kept}.`);
  lines.push(ok ? paint('green', 'All of it holds.') : paint('red', 'It does not hold.'));
  return `${lines.join('\n')}\n`;
}
