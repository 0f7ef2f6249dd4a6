import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { keysOf, type KeyList } from '@meridian/proof';
import { exitCodes, usageFault } from '../fault.ts';
import { renderReceipt, verifyReceipt } from '../receipt/index.ts';
import { printJson, textOption, type CommandSpec, type Context, type Options } from './command.ts';

/** A key, or the path of a list of keys such as receipt-keys.json, in which the signer's is looked up. */
function pinnedKeys({ io }: Context, options: Options, region: string): readonly string[] {
  const given = textOption(options, 'publicKey');
  if (given === undefined) return [];
  if (/^[\w-]{43}$/.test(given)) return [given];
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(resolve(io.folder, given), 'utf8'));
  } catch (error) {
    throw usageFault(
      `--public-key is ${JSON.stringify(given)}: neither a key (43 letters of base64url) nor a ` +
        `list of keys that can be read (${(error as Error).message}).`,
    );
  }
  const keys = keysOf((list ?? {}) as KeyList, region);
  if (keys.length > 0 && keys.every((key) => typeof key === 'string')) return keys;
  throw usageFault(`${given} has no key of the region ${region}.`);
}

function readFile({ io }: Context, path: string): string {
  try {
    return readFileSync(resolve(io.folder, path), 'utf8');
  } catch (error) {
    throw usageFault(`${path} cannot be read (${(error as Error).message}).`);
  }
}

export const receiptCommands: readonly CommandSpec[] = [
  {
    usage: 'verify <file>',
    summary: "Check a receipt's signature, and that its verdicts follow from its figures",
    options: [
      {
        flags: '--public-key <key>',
        text: 'whose signature it must be: a key, or a file such as receipt-keys.json',
      },
    ],
    examples: [
      'meridian receipt verify drill.json',
      'meridian receipt verify drill.json --public-key receipt-keys.json',
    ],
    run(context, [file = ''], options) {
      const text = readFile(context, file);
      const first = verifyReceipt(text);
      const pinned = pinnedKeys(context, options, first.signedBy.region);
      const { ok, problems, signedBy, receipt } =
        pinned.length === 0 ? first : verifyReceipt(text, ...pinned);
      const { io, paint } = context;
      if (context.json) printJson(context, { ok, problems, signedBy, passed: receipt.passed });
      else if (ok) {
        const isPinned = pinned.length === 0 ? '; no key was given to compare it with' : '';
        io.out(renderReceipt(receipt, paint));
        io.out(`\nSigned by ${signedBy.region} with the key ${signedBy.publicKey}${isPinned}.\n`);
        io.out(`${paint('green', 'The receipt is whole')}: its figures add up.\n`);
      } else {
        io.out(`${paint('red', 'The receipt is NOT to be trusted')}:\n`);
        io.out(problems.map((problem) => `  ${problem}\n`).join(''));
      }
      return Promise.resolve(ok ? exitCodes.ok : exitCodes.no);
    },
  },
];
