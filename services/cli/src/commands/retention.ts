import { readFileSync } from 'node:fs';
import {
  holdsOfLog,
  logCopy,
  openStore,
  parsePolicy,
  planRetention,
  readArchives,
  verifyArchives,
  type ArchiveStore,
  type Manifest,
  type RangedCopy,
  type TenantPlan,
} from '../archive/index.ts';
import { parseRawEntry, storedAtMs, type RawEntry } from '../check/raw.ts';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import { table } from '../render/table.ts';
import { printJson, textOption, type CommandSpec, type Context } from './command.ts';
import { Progress } from './log-lines.ts';
import { readKeys } from './verify.ts';

const number = (value: number): string => value.toLocaleString('en');
const livingStates = 'IN_SYSTEM,IVR,QUEUED,OFFERED,CONNECTED,HELD,WRAP_UP';
const contactLimit = 500;
const dayMs = 86_400_000;

/** Why nothing leaves the server yet: docs/decisions/0005-audit.md, "Archive and retention". */
const serverText =
  'On the server nothing is removed: services read their history from its first message at start.\n';

/** The first message of a stream that no archive has. */
async function firstAfter(
  copy: RangedCopy,
  stream: string,
  manifests: readonly Manifest[],
): Promise<RawEntry | undefined> {
  const ends = manifests.flatMap(({ segments }) =>
    segments.flatMap((one) => (one.stream === stream ? [one.to] : [])),
  );
  const last = Math.max(0, ...ends);
  for await (const lines of copy.read(stream, { from: last + 1 })) {
    for (const line of lines) {
      const entry = line.trim() === '' ? 'empty' : parseRawEntry(line);
      if (typeof entry !== 'string' && entry.sequence > last) return entry;
    }
  }
  return undefined;
}

/** What of the log is older than a time and in no archive. */
async function notArchived(
  copy: RangedCopy,
  manifests: readonly Manifest[],
  beforeMs: number,
): Promise<string[]> {
  const found: string[] = [];
  for (const stream of copy.streams) {
    const entry = await firstAfter(copy, stream, manifests);
    if (entry === undefined || !(storedAtMs(entry) < beforeMs)) continue;
    const at = new Date(storedAtMs(entry)).toISOString();
    found.push(`${stream} from ${entry.sequence} on (stored ${at}) is in no archive`);
  }
  return found;
}

interface OpenContact {
  readonly id: string;
  readonly initiatedAt: string | null;
}

/** Contacts of the key's tenant that began before a time and have not ended. */
async function openSince({ client }: Context, beforeMs: number): Promise<string[]> {
  const open: string[] = [];
  for (let after = ''; ;) {
    const { contacts, next } = await client.get<{
      contacts: readonly OpenContact[];
      next: string | null;
    }>(`/v1/contacts?limit=${contactLimit}&state=${livingStates}${after}`);
    for (const { id, initiatedAt } of contacts) {
      if (Date.parse(initiatedAt ?? '') < beforeMs) open.push(id);
    }
    if (next === null) return open;
    after = `&after=${encodeURIComponent(next)}`;
  }
}

/** What a plan is shown with. */
interface Shown {
  readonly from: string;
  readonly plans: readonly TenantPlan[];
  readonly missing: readonly string[];
  readonly open: readonly string[] | undefined;
}

function render({ from, plans, missing, open }: Shown): string {
  const columns = ['tenant', 'days', 'due before', 'due', 'due in part', 'next'];
  const rows = plans.map(({ tenant, days, before, due, dueInPart, nextAt }) => [
    tenant,
    String(days),
    before,
    number(due),
    number(dueInPart),
    nextAt ?? '-',
  ]);
  const isNumber = (index: number): boolean => [1, 3, 4].includes(index);
  const lines = plans.flatMap(({ tenant, stops, due, dueInPart, before }) => {
    if (due + dueInPart === 0) return [];
    if (stops.length > 0) return stops.map((why) => `${tenant}: stopped: ${why}.\n`);
    return [`${tenant}: meridian archive delete ${from} --tenant ${tenant} --before ${before} …\n`];
  });
  const heads = columns.map((heading, index) => ({ heading, isNumber: isNumber(index) }));
  const waiting = missing.map((line) => `${line}: it is due and stays until it is archived.\n`);
  const still =
    open === undefined || open.length === 0
      ? ''
      : `${number(open.length)} contacts from before then are still open, such as ${open[0] ?? ''}.\n`;
  return `${table(heads, rows)}${lines.join('')}${waiting.join('')}${still}${serverText}`;
}

/** What stops deletions: archives that do not hold, holds, and that nobody knows of any. */
async function stopsIn(
  context: Context,
  store: ArchiveStore,
  copy: RangedCopy,
  keysFile: string | undefined,
): Promise<(tenant: string) => Promise<string[]>> {
  const progress = new Progress(context, 'messages verified');
  const keys = keysFile === undefined ? undefined : readKeys(keysFile);
  const { faults } = await verifyArchives(store, keys, (count) => progress.show(count)).finally(
    () => progress.clear(),
  );
  const [fault] = faults;
  const broken =
    fault === undefined
      ? []
      : [`the archive ${fault.archive} does not hold (${fault.stream}: ${fault.what})`];
  const holds = holdsOfLog(copy);
  return async (tenant) => {
    const inForce = await holds(tenant);
    const unseen = inForce === undefined ? ['this key is not told of its holds'] : [];
    return [...broken, ...unseen, ...(inForce ?? []).map((id) => `the hold ${id} is in force`)];
  };
}

const planCommand: CommandSpec = {
  usage: 'plan',
  looks: true,
  summary: 'What of each tenant is due by its policy, and what stops it; removes nothing',
  options: [
    { flags: '--policy <file>', text: 'days by tenant: { "demo": 365, "*": 730 }' },
    { flags: '--from <place>', text: 'where the archives are: a folder, or s3://bucket/prefix' },
    { flags: '--offline <folder>', text: 'exports of all streams, instead of the edge' },
    { flags: '--public-keys <file>', text: 'the keys that the regions must have signed with' },
  ],
  examples: ['meridian retention plan --policy retention.json --from backup/meridian'],
  async run(context, _args, options) {
    const { io } = context;
    const file = textOption(options, 'policy');
    const from = textOption(options, 'from');
    if (file === undefined || from === undefined) {
      throw usageFault('--policy FILE and --from PLACE are both needed.');
    }
    const policy = parsePolicy(file, readPolicy(file));
    const store = openStore(from, io);
    const { manifests } = await readArchives(store);
    if (manifests.length === 0) {
      throw new CommandFault(exitCodes.notFound, `There is no archive in ${from}.`);
    }
    const folder = textOption(options, 'offline');
    const copy = await logCopy(context, folder);
    const stopsOf = await stopsIn(context, store, copy, textOption(options, 'publicKeys'));
    const nowMs = io.now();
    const beforeMs = nowMs - Math.min(...Object.values(policy)) * dayMs;
    const missing = await notArchived(copy, manifests, beforeMs);
    const plans = await planRetention({ policy, manifests, nowMs, stopsOf });
    const open = folder === undefined ? await openSince(context, beforeMs) : undefined;
    if (context.json) {
      printJson(context, { plans, notArchived: missing, openContacts: open ?? null });
    } else io.out(render({ from, plans, missing, open }));
    return exitCodes.ok;
  },
};

function readPolicy(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageFault(`--policy ${file} cannot be read (${(error as Error).message}).`);
  }
}

export const retentionCommands: readonly CommandSpec[] = [planCommand];
