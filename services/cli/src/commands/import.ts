import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { exitCodes, usageFault } from '../fault.ts';
import type { EdgeClient } from '../http/client.ts';
import {
  fingerprintOf,
  formatOf,
  formats,
  planImport,
  readHistory,
  type ImportPlan,
  type PlannedRequest,
  type Tally,
} from '../import/index.ts';
import { table } from '../render/table.ts';
import { parseMoment } from './clock.ts';
import {
  countOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { Progress } from './log-lines.ts';

const groupLimit = 100;
/** The most refusals that an edge lists at once. */
const asideLimit = 1_000;

/** What came of an import. */
interface Outcome {
  readonly published: number;
  readonly duplicates: number;
  /** What the services refused of it, by reason. */
  readonly rejected: Tally;
}

/** Requests of one time of which no two are about the same contact or agent. */
export function* groupsOf(requests: readonly PlannedRequest[]): Generator<PlannedRequest[]> {
  let group: PlannedRequest[] = [];
  let about = new Set<string>();
  for (const request of requests) {
    const follows =
      group[0]?.atMs !== request.atMs ||
      group.length >= groupLimit ||
      request.about.some((one) => about.has(one));
    if (follows && group.length > 0) {
      yield group;
      group = [];
      about = new Set();
    }
    group.push(request);
    for (const one of request.about) about.add(one);
  }
  if (group.length > 0) yield group;
}

async function readText({ io }: Context, file: string): Promise<string> {
  if (file !== '-') {
    return readFile(file, 'utf8').catch((error: Error) => {
      throw usageFault(`--file ${file} cannot be read (${error.message}).`);
    });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

/** History has times of its own: the log's clock must be one that can be set to them. */
async function checkClock(client: EdgeClient, plan: ImportPlan): Promise<void> {
  const clock = await client.get<{ source: string; now: number | null }>('/v1/clock');
  if (clock.source !== 'driven') {
    throw usageFault(
      `The clock of ${client.url} is the system's; history has times of its own.\n` +
        'Import into a region with MERIDIAN_CLOCK=driven, or write the requests into a file with --out.',
    );
  }
  const firstMs = plan.requests[0]?.atMs ?? Infinity;
  if (clock.now !== null && clock.now > firstMs) {
    throw usageFault(
      `The log is at ${new Date(clock.now).toISOString()} already; the file begins at ` +
        `${new Date(firstMs).toISOString()}.\n` +
        'Move it with --begin TIME, or import it into a region whose log has not come so far.',
    );
  }
}

/** The log's clock as it is driven on: from timer to timer, so that each fires at its own time. */
class DrivenClock {
  readonly #client: EdgeClient;
  #nextDueMs: number | null = null;

  constructor(client: EdgeClient) {
    this.#client = client;
  }

  /** Sets the clock, and resolves when everything is decided that was there or due by then. */
  async advance(toMs: number): Promise<void> {
    while (this.#nextDueMs !== null && this.#nextDueMs < toMs) {
      const dueMs = this.#nextDueMs;
      await this.#settle(dueMs);
      // A timer that stays due is nobody's to fire here: it holds nothing up.
      if (this.#nextDueMs !== null && this.#nextDueMs <= dueMs) break;
    }
    await this.#settle(toMs);
  }

  async #settle(atMs: number): Promise<void> {
    this.#nextDueMs = (await this.#client.settle(atMs)).nextDueMs;
  }
}

/** Publishes the requests, each at its time of the log and after all before it were decided. */
async function publish(context: Context, plan: ImportPlan): Promise<Outcome> {
  const { client } = context;
  const clock = new DrivenClock(client);
  const progress = new Progress(context, 'requests published');
  let [published, duplicates, lastMs] = [0, 0, Number.NaN];
  for (const group of groupsOf(plan.requests)) {
    const atMs = group[0]?.atMs ?? lastMs;
    if (atMs !== lastMs) await clock.advance(atMs);
    lastMs = atMs;
    const accepted = await client.publish(group.map(({ request }) => request));
    // What follows from them is decided before the time goes on.
    await clock.advance(atMs);
    published += accepted.length;
    duplicates += accepted.filter(({ duplicate }) => duplicate).length;
    progress.show(published);
  }
  progress.clear();
  return { published, duplicates, rejected: await rejectedOf(client, plan.source) };
}

async function rejectedOf(client: EdgeClient, source: string): Promise<Tally> {
  const { items } = await client.get<{
    readonly items: readonly {
      readonly id: string;
      readonly reason: { readonly code: string };
      readonly event?: { readonly source?: string; readonly id?: string };
    }[];
  }>(`/v1/set-aside?status=rejected&limit=${asideLimit}`);
  const counts = new Map<string, { count: number; first: string }>();
  for (const { id, reason, event } of items) {
    if (event?.source !== source) continue;
    const known = counts.get(reason.code);
    if (known === undefined) counts.set(reason.code, { count: 1, first: event.id ?? id });
    else known.count += 1;
  }
  return counts;
}

async function write(path: string, plan: ImportPlan): Promise<void> {
  const file = createWriteStream(path);
  await once(file, 'open').catch((error: Error) => {
    throw usageFault(`--out ${path} cannot be written (${error.message}).`);
  });
  for (const { request } of plan.requests) {
    if (!file.write(`${JSON.stringify(request)}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

const rowsOf = (tally: Tally): string[][] =>
  [...tally].map(([name, { count, first }]) => [name, count.toLocaleString('en'), first]);

const tallyTable = (heading: string, tally: Tally): string =>
  tally.size === 0
    ? `Nothing ${heading}.\n`
    : table(
        [{ heading }, { heading: 'count', isNumber: true }, { heading: 'the first one' }],
        rowsOf(tally),
      );

function render(plan: ImportPlan, outcome: Outcome | undefined, out: string | undefined): string {
  const count = (value: number): string => value.toLocaleString('en');
  const done =
    outcome === undefined
      ? out === undefined
        ? 'none published.'
        : `in ${out}.`
      : `${count(outcome.published)} published, ${count(outcome.duplicates)} of them known before.`;
  return [
    `${count(plan.records)} records: ${count(plan.contacts)} contacts, ${count(plan.agents)} agents, ` +
      `${count(plan.queues)} queues. ${count(plan.requests.length)} requests, ${done}\n\n`,
    tallyTable('not mapped', plan.notMapped),
    '\n',
    tallyTable('assumed', plan.inferred),
    outcome === undefined ? '' : `\n${tallyTable('refused by the services', outcome.rejected)}`,
  ].join('');
}

async function run(context: Context, options: Options): Promise<void> {
  const format = formatOf(textOption(options, 'format'));
  const file = textOption(options, 'file');
  if (file === undefined) {
    throw usageFault('Import what?\nGive --file FILE, or --file - for the standard input.');
  }
  const home = textOption(options, 'home');
  const begin = textOption(options, 'begin');
  const text = await readText(context, file);
  const plan = planImport(readHistory(format, text, file), {
    format,
    fingerprint: fingerprintOf(text),
    serviceLevelMs: countOption(options, 'serviceLevelMs') ?? 20_000,
    ...(home === undefined ? {} : { home }),
    ...(begin === undefined ? {} : { beginMs: parseMoment('begin', begin) }),
  });
  const out = textOption(options, 'out');
  const isDry = options['dryRun'] === true;
  if (out !== undefined) await write(out, plan);
  let outcome: Outcome | undefined;
  if (out === undefined && !isDry) {
    await checkClock(context.client, plan);
    outcome = await publish(context, plan);
  }
  if (!context.json) {
    context.io.out(render(plan, outcome, out));
    return;
  }
  const { requests, inferred, notMapped, ...counts } = plan;
  printJson(context, {
    ...counts,
    requests: requests.length,
    notMapped: Object.fromEntries(notMapped),
    inferred: Object.fromEntries(inferred),
    ...(outcome === undefined
      ? {}
      : { ...outcome, rejected: Object.fromEntries(outcome.rejected) }),
  });
}

export const importCommand: CommandSpec = {
  usage: 'import',
  summary: 'The history of another system as requests, so that it happens again in the log',
  options: [
    { flags: '--format <name>', text: formats.join(', ') },
    { flags: '--file <file>', text: 'what it wrote; - for the standard input' },
    { flags: '--dry-run', text: 'say only what could be mapped and what not' },
    { flags: '--out <file>', text: 'the requests as NDJSON instead of publishing them' },
    {
      flags: '--begin <time>',
      text: 'when it is to begin in the log, spans kept; by default when it did',
    },
    { flags: '--home <region>', text: "where all of it is to belong; the edge's own by default" },
    { flags: '--service-level-ms <ms>', text: 'within which an answer is in time (20000)' },
  ],
  examples: [
    'meridian import --format asterisk --file /var/log/asterisk/queue_log --dry-run',
    'meridian import --format connect --file contact-events.ndjson',
    'meridian import --format genesys --file events.ndjson --begin 2027-01-04T08:00:00Z',
    'meridian import --format twilio --file events.ndjson --out requests.ndjson',
  ],
  async run(context, _args, options) {
    await run(context, options);
    return exitCodes.ok;
  },
};
