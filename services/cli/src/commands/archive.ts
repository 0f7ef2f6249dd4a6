import { readFileSync } from 'node:fs';
import {
  checkReason,
  createArchives,
  deleteTenant,
  folderOf,
  holdsOfLog,
  logCopy,
  openStore,
  parseAge,
  parseSize,
  parseTime,
  readArchives,
  regionSigner,
  verifyArchives,
  type Archives,
  type ArchiveVerdict,
  type CreateResult,
  type Manifest,
} from '../archive/index.ts';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import { table } from '../render/table.ts';
import { restoreCommand } from './archive-restore.ts';
import { printJson, textOption, type CommandSpec, type Context, type Options } from './command.ts';
import { Progress } from './log-lines.ts';
import { readKeys } from './verify.ts';

const defaultMaxSize = '256M';
const number = (value: number): string => value.toLocaleString('en');

const offlineOption = {
  flags: '--offline <folder>',
  text: 'exports of all streams, EV_eu.ndjson and so on, instead of the edge',
};
const keysOption = {
  flags: '--public-keys <file>',
  text: 'the keys that the regions must have signed with, such as receipt-keys.json',
};

function needed(options: Options, name: string, flag: string): string {
  const text = textOption(options, name);
  if (text !== undefined) return text;
  throw usageFault(`${flag} is missing.\nAdd --help for what it takes.`);
}

function keysOf(options: Options) {
  const file = textOption(options, 'publicKeys');
  return file === undefined ? undefined : readKeys(file);
}

/** Until when, by `--before` or `--older-than`; undefined without either. */
function beforeOf(options: Options, nowMs: number): number | undefined {
  const before = textOption(options, 'before');
  const age = textOption(options, 'olderThan');
  if (before !== undefined && age !== undefined) {
    throw usageFault('--before and --older-than both say until when: give one of them.');
  }
  if (before !== undefined) return parseTime('before', before);
  return age === undefined ? undefined : nowMs - parseAge('older-than', age);
}

const sizeOf = (bytes: number): string => {
  if (bytes < 1_024) return `${bytes} B`;
  const exponent = bytes < 1_048_576 ? 1 : bytes < 1_073_741_824 ? 2 : 3;
  return `${(bytes / 1_024 ** exponent).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB'][exponent] ?? ''}`;
};
const bytesOf = ({ segments, leaves, ranges }: Manifest): number =>
  [...segments, leaves, ranges].reduce((sum, { bytes }) => sum + bytes, 0);

function rendered(manifests: readonly Manifest[]): string {
  const rows = manifests.map((manifest) => {
    const { ranks, segments, deletions } = manifest;
    const times = segments.flatMap(({ firstStoredAt, lastStoredAt }) =>
      firstStoredAt === null || lastStoredAt === null ? [] : [firstStoredAt, lastStoredAt],
    );
    const gone = segments.reduce((sum, { deleted }) => sum + deleted, 0);
    return [
      folderOf(ranks.from),
      number(ranks.to - ranks.from),
      sizeOf(bytesOf(manifest)),
      times.toSorted()[0] ?? '-',
      times.toSorted().at(-1) ?? '-',
      gone === 0 ? '' : `${number(gone)} in ${deletions.length} record(s)`,
    ];
  });
  const heads = ['archive', 'messages', 'stored', 'first', 'last', 'deleted'];
  return table(
    heads.map((heading, index) => ({ heading, isNumber: index === 1 || index === 2 })),
    rows,
  );
}

function renderCreated({ made, archivedTo, signedTo }: CreateResult, to: string): string {
  const rest = signedTo - archivedTo;
  const more = rest > 0 ? ` ${number(rest)} more are signed and younger.` : '';
  const end = `${to} holds the first ${number(archivedTo)} messages of the order.${more}\n`;
  return made.length === 0 ? `There is nothing to archive. ${end}` : `${rendered(made)}${end}`;
}

const createCommand: CommandSpec = {
  usage: 'create',
  looks: true,
  summary: 'Archive what signed checkpoints cover and no archive has yet',
  options: [
    { flags: '--to <place>', text: 'a folder, or s3://bucket/prefix' },
    { flags: '--before <time>', text: 'only what checkpoints from before then cover' },
    { flags: '--older-than <age>', text: 'the same, by age: 90d, 36h' },
    {
      flags: '--max-size <size>',
      text: `an archive ends at the next checkpoint after so much text (${defaultMaxSize})`,
    },
    offlineOption,
    keysOption,
  ],
  examples: [
    'meridian archive create --to backup/meridian --older-than 90d --reason "quarterly archive"',
    'AWS_ENDPOINT_URL=https://s3.example.com meridian archive create --to s3://audit/meridian',
  ],
  async run(context, _args, options) {
    const { io } = context;
    const to = needed(options, 'to', '--to PLACE');
    const maxLength = parseSize('max-size', textOption(options, 'maxSize') ?? defaultMaxSize);
    const beforeMs = beforeOf(options, io.now());
    const keys = keysOf(options);
    const store = openStore(to, io);
    const copy = await logCopy(context, textOption(options, 'offline'));
    const progress = new Progress(context, 'messages read');
    const result = await createArchives({
      store,
      copy,
      maxLength,
      now: io.now,
      ...(beforeMs === undefined ? {} : { beforeMs }),
      ...(keys === undefined ? {} : { keys }),
      onRead: (count) => progress.show(count),
    }).finally(() => progress.clear());
    if (context.json) printJson(context, result);
    else io.out(renderCreated(result, to));
    return exitCodes.ok;
  },
};

function place(args: readonly string[], context: Context) {
  return openStore(args[0] ?? '', context.io);
}

const strayText = ({ strays }: Pick<Archives, 'strays'>): string =>
  strays.length === 0
    ? ''
    : `${number(strays.length)} files belong to no archive: of one that is being made, or was ` +
      `interrupted, such as ${strays[0] ?? ''}.\n`;

const listCommand: CommandSpec = {
  usage: 'list <place>',
  summary: 'The archives of a folder or bucket, as their manifests have them',
  examples: ['meridian archive list backup/meridian'],
  async run(context, args) {
    const archives = await readArchives(place(args, context));
    const { manifests, strays } = archives;
    if (context.json) printJson(context, { archives: manifests, strays });
    else if (manifests.length === 0) context.io.out(`There are none.\n${strayText(archives)}`);
    else context.io.out(`${rendered(manifests)}${strayText(archives)}`);
    return exitCodes.ok;
  },
};

function renderVerdict({ paint }: Context, verdict: ArchiveVerdict): string {
  const { ok, archives, ranks, messages, deleted, signedBy, keys, faults } = verdict;
  const lines = faults.map(({ archive, stream, sequence, rank, what }) => {
    const at = rank === undefined ? '' : ` (rank ${number(rank)})`;
    const name = sequence === 0 ? stream : `${stream} ${sequence}`;
    return `${archive}: ${paint('red', name)}${at}: ${what}`;
  });
  const gone = deleted.reduce((sum, one) => sum + one.messages, 0);
  lines.push(
    `${number(messages)} messages in ${number(archives)} archives, ranks ${number(ranks.from)} to ` +
      `${number(ranks.to - 1)}; the last checkpoint is signed by ${signedBy.join(', ') || 'nobody'}.`,
  );
  for (const { record, tenant, before, reason, region, messages: count } of deleted) {
    lines.push(
      `${number(count)} of ${tenant} from before ${before} were deleted (${reason}): ` +
        `${record}, signed by ${region}.`,
    );
  }
  if (gone > 0) lines.push(`${number(messages - gone)} are there; of the others their leaves.`);
  for (const [region, key] of Object.entries(keys)) lines.push(`${region} signs with ${key}`);
  const stray = strayText(verdict).trimEnd();
  if (stray !== '') lines.push(stray);
  lines.push(ok ? paint('green', 'All of it holds.') : paint('red', 'It does not hold.'));
  return `${lines.join('\n')}\n`;
}

const verifyArchiveCommand: CommandSpec = {
  usage: 'verify <place>',
  summary: 'Verify archives: files, messages, signed checkpoints, deletions, that none is left out',
  options: [keysOption],
  examples: [
    'meridian archive verify backup/meridian',
    'meridian archive verify s3://audit/meridian --public-keys receipt-keys.json',
  ],
  async run(context, args, options) {
    const store = place(args, context);
    const progress = new Progress(context, 'messages verified');
    const keys = keysOf(options);
    const verdict = await verifyArchives(store, keys, (count) => progress.show(count)).finally(() =>
      progress.clear(),
    );
    if (verdict.archives === 0) {
      throw new CommandFault(exitCodes.notFound, `There is no archive in ${store.location}.`);
    }
    if (context.json) printJson(context, verdict);
    else context.io.out(renderVerdict(context, verdict));
    return verdict.ok ? exitCodes.ok : exitCodes.no;
  },
};

function signerOf(file: string) {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw usageFault(`--signing-key ${file} cannot be read (${(error as Error).message}).`);
  }
  return regionSigner(file, pem);
}

const deleteCommand: CommandSpec = {
  usage: 'delete <place>',
  looks: true,
  summary: 'Delete a tenant from archives; a signed record proves it, checkpoints still hold',
  options: [
    { flags: '--tenant <tenant>', text: 'whose messages' },
    { flags: '--before <time>', text: 'those that were stored before then' },
    { flags: '--older-than <age>', text: 'the same, by age: 365d' },
    { flags: '--signing-key <file>', text: "a region's key, <region>-receipts.pem" },
    { ...offlineOption, text: 'exports to read the holds from, instead of the edge' },
  ],
  examples: [
    'meridian archive delete backup/meridian --tenant demo --before 2025-01-01T00:00:00Z ' +
      '--reason "contract ended" --signing-key eu-receipts.pem',
  ],
  async run(context, args, options) {
    const { io } = context;
    const store = place(args, context);
    const tenant = needed(options, 'tenant', '--tenant TENANT');
    const reason = checkReason(needed(options, 'reason', '--reason TEXT'));
    const beforeMs = beforeOf(options, io.now());
    if (beforeMs === undefined) throw usageFault('--before TIME or --older-than AGE is missing.');
    if (tenant === 'meridian') {
      throw usageFault(
        "The tenant meridian is the mesh's own: its archives prove everything else.",
      );
    }
    const signer = signerOf(needed(options, 'signingKey', '--signing-key FILE'));
    const holds = holdsOfLog(await logCopy(context, textOption(options, 'offline')));
    const made = await deleteTenant({
      store,
      tenant,
      beforeMs,
      reason,
      signer,
      holds,
      now: io.now,
    });
    if (context.json) printJson(context, { deletions: made });
    else if (made.length === 0) {
      io.out(`Nothing of ${tenant} from before ${new Date(beforeMs).toISOString()} is there.\n`);
    } else {
      const lines = made.map(
        ({ archive, record, messages }) =>
          `${archive}: ${number(messages)} messages of ${tenant} were deleted; the record is ${record}.\n`,
      );
      io.out(lines.join(''));
    }
    return exitCodes.ok;
  },
};

export const archiveCommands: readonly CommandSpec[] = [
  createCommand,
  listCommand,
  verifyArchiveCommand,
  restoreCommand,
  deleteCommand,
];
