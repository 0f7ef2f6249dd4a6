import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { keysOf, type KeyList } from '@meridian/proof';
import { checkCertificate } from '../erase/certificate.ts';
import { exitCodes, usageFault } from '../fault.ts';
import { table } from '../render/table.ts';
import {
  countOption,
  listOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';

interface HoldAnswer {
  readonly id: string;
  readonly keyIds?: readonly string[];
  readonly contactIds?: readonly string[];
  readonly reason?: string;
  readonly placedAt?: string;
  readonly released?: boolean;
}

const renderHolds = (holds: readonly HoldAnswer[]): string =>
  table(
    [
      { heading: 'id' },
      { heading: 'keys' },
      { heading: 'placed' },
      { heading: '' },
      { heading: 'reason' },
    ],
    holds.map(({ id, keyIds = [], placedAt = '', released, reason = '' }) => [
      id,
      String(keyIds.length),
      placedAt,
      released === undefined ? 'not decided yet' : released ? 'released' : 'stands',
      reason,
    ]),
  );

export const holdCommands: readonly CommandSpec[] = [
  {
    usage: 'place',
    summary: 'Keep the keys of a person, or of contacts, from being destroyed',
    options: [
      { flags: '--identity <identity>', text: 'whose keys' },
      { flags: '--contacts <ids>', text: 'those that these contacts are sealed with, with commas' },
      { flags: '--reason <text>', text: 'why; it is kept on the log' },
      { flags: '--id <id>', text: 'a name for it; made up when absent' },
    ],
    examples: ['meridian hold place --contacts c1,c2 --reason "case 4711"'],
    async run(context, _args, options) {
      const reason = textOption(options, 'reason');
      if (reason === undefined) throw usageFault('--reason is missing: it is kept with the hold.');
      const identity = textOption(options, 'identity');
      const contactIds = listOption(options, 'contacts');
      const id = textOption(options, 'id');
      const hold = await context.client.post<HoldAnswer>('/v1/privacy/holds', {
        reason,
        ...(identity === undefined ? {} : { identity }),
        ...(contactIds === undefined ? {} : { contactIds }),
        ...(id === undefined ? {} : { id }),
      });
      if (context.json) printJson(context, hold);
      else context.io.out(renderHolds([hold]));
      return exitCodes.ok;
    },
  },
  {
    usage: 'release <id>',
    summary: 'Release a hold; erasures that only it blocked go on',
    options: [{ flags: '--reason <text>', text: 'why; it is kept on the log' }],
    examples: ['meridian hold release h1 --reason "case closed"'],
    async run(context, [id = ''], options) {
      const reason = textOption(options, 'reason');
      const query = reason === undefined ? '' : `?reason=${encodeURIComponent(reason)}`;
      await context.client.delete(`/v1/privacy/holds/${encodeURIComponent(id)}${query}`);
      if (context.json) printJson(context, { id, released: true });
      else context.io.out(`The hold ${id} is released.\n`);
      return exitCodes.ok;
    },
  },
  {
    usage: 'list',
    summary: 'Holds of the tenant, the latest first',
    examples: ['meridian hold list'],
    async run(context) {
      const answer = await context.client.get<{ holds: readonly HoldAnswer[] }>(
        '/v1/privacy/holds',
      );
      if (context.json) printJson(context, answer);
      else context.io.out(renderHolds(answer.holds));
      return exitCodes.ok;
    },
  },
];

interface ResidencyAnswer {
  readonly regions?: readonly string[];
  readonly isSet?: boolean;
}

function showResidency(context: Context, answer: ResidencyAnswer): void {
  const { regions, isSet } = answer;
  if (context.json) printJson(context, answer);
  else if (regions === undefined) context.io.out('It is stored, and not decided yet.\n');
  else {
    const how = isSet === true ? 'only' : 'all regions: the tenant has no set';
    context.io.out(`Personal data may be in ${regions.join(', ')} (${how}).\n`);
  }
}

export const residencyCommands: readonly CommandSpec[] = [
  {
    usage: 'show',
    summary: 'The regions in which personal data of the tenant may be',
    examples: ['meridian residency show'],
    async run(context) {
      showResidency(context, await context.client.get<ResidencyAnswer>('/v1/privacy/residency'));
      return exitCodes.ok;
    },
  },
  {
    usage: 'set <regions>',
    summary: 'Set them, with commas; "all" lifts the set',
    examples: ['meridian residency set eu,us', 'meridian residency set all'],
    async run(context, [text = '']) {
      const regions = text === 'all' ? [] : text.split(',').map((one) => one.trim());
      const answer = await context.client.put<ResidencyAnswer>('/v1/privacy/residency', {
        regions,
      });
      showResidency(context, answer);
      return exitCodes.ok;
    },
  },
];

interface AccessAnswer {
  readonly at: string;
  readonly by: string;
  readonly kind: string;
  readonly what: string;
  readonly reason: string | null;
  readonly region: string;
}

export const auditCommands: readonly CommandSpec[] = [
  {
    usage: 'log',
    summary: 'Who looked into the audit, and why, the latest first',
    options: [{ flags: '--limit <count>', text: 'how many at most; 100 by default' }],
    examples: ['meridian audit log', 'meridian audit log --limit 1000 --json'],
    async run(context, _args, options) {
      const limit = countOption(options, 'limit') ?? 100;
      const path = `/v1/privacy/accesses?limit=${limit}`;
      const answer = await context.client.get<{ accesses: readonly AccessAnswer[] }>(path);
      if (context.json) printJson(context, answer);
      else {
        const headings = ['at', 'key', 'kind', 'region', 'reason', 'what'];
        context.io.out(
          table(
            headings.map((heading) => ({ heading })),
            answer.accesses.map(({ at, by, kind, region, reason, what }) => [
              at,
              by,
              kind,
              region,
              reason ?? '-',
              what,
            ]),
          ),
        );
      }
      return exitCodes.ok;
    },
  },
];

function publicKeys({ io }: Context, options: Options, region: string): readonly string[] {
  const given = textOption(options, 'publicKey');
  if (given === undefined) return [];
  if (/^[\w-]{43}$/.test(given)) return [given];
  const keys = keysOf(
    JSON.parse(readFileSync(resolve(io.folder, given), 'utf8')) as KeyList,
    region,
  );
  if (keys.length > 0) return keys;
  throw usageFault(`${given} has no key of the region ${region}.`);
}

export const certificateCommands: readonly CommandSpec[] = [
  {
    usage: 'verify <file>',
    summary: "Check a certificate's signature, and that what it says is an erasure",
    options: [
      {
        flags: '--public-key <key>',
        text: 'whose signature it must be: a key, or a file such as receipt-keys.json',
      },
    ],
    examples: ['meridian certificate verify 17.json --public-key receipt-keys.json'],
    run(context, [file = ''], options) {
      const { io, paint } = context;
      let text: string;
      try {
        text = readFileSync(resolve(io.folder, file), 'utf8');
      } catch (error) {
        throw usageFault(`${file} cannot be read (${(error as Error).message}).`);
      }
      const { signedBy } = checkCertificate(text, []);
      const { problems, certificate } = checkCertificate(
        text,
        publicKeys(context, options, signedBy.region),
      );
      const ok = problems.length === 0;
      if (context.json) printJson(context, { ok, problems, signedBy, certificate });
      else if (ok) {
        for (const { id, keys, contacts, erasedAt } of certificate.erasures) {
          io.out(`Erasure ${id}: ${keys.length} keys, ${contacts} contacts, ${erasedAt}.\n`);
        }
        io.out(`Signed by ${signedBy.region} with the key ${signedBy.publicKey}.\n`);
        io.out(`${paint('green', 'The certificate is whole')}.\n`);
      } else {
        io.out(`${paint('red', 'The certificate is NOT to be trusted')}:\n`);
        io.out(problems.map((problem) => `  ${problem}\n`).join(''));
      }
      return Promise.resolve(ok ? exitCodes.ok : exitCodes.no);
    },
  },
];
