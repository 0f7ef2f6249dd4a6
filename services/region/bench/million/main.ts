import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { connectNats } from '@meridian/journal';
import { startNatsServer, temporaryFolder, type NatsServer } from '@meridian/testing';
import { median, ratioRow, type Row } from '../rates.ts';
import { build, exportAll, type Built } from './build.ts';
import { beganAtMs } from './contacts.ts';
import { linesAt, tamper, tamperings, type Tampering } from './tamper.ts';

const help = `One million messages: replayed with as-of reconstruction, verified, tampered with.
scripts/bench million [--messages 1000000] [--folder <folder>] [--only <steps>]
With --folder what was built is kept there, and used again by the next run.
Steps, with commas between them: replay, untouched, flip, drop, swap, forge; all without --only.
`;
const rounds = 3;
const targetRatio = 0.7;
const stream = 'EV_eu';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const number = (value: number): string => Math.round(value).toLocaleString('en');

interface Measured {
  readonly messages: number;
  readonly seconds: number;
  readonly peakMib: number;
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs a program of this checkout. @returns its standard output and how long it took */
async function run(
  args: readonly string[],
): Promise<{ readonly out: string; readonly code: number; readonly seconds: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  const code = await new Promise<number>((done) =>
    child.once('close', (value) => done(value ?? 1)),
  );
  return { out, code, seconds: (performance.now() - start) / 1_000 };
}

async function measure(...args: string[]): Promise<Measured & Record<string, unknown>> {
  const { out, code } = await run([at('measure.ts'), ...args]);
  if (code !== 0) throw new Error(`measure ${args.join(' ')} ended with ${code}.`);
  return JSON.parse(out) as Measured & Record<string, unknown>;
}

async function built(server: NatsServer, folder: string, messages: number): Promise<Built> {
  const file = join(folder, 'built.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Built;
  say(`building ${number(messages)} messages ...`);
  const connection = await connectNats({ servers: server.url });
  const made = await build(connection, messages, say);
  await connection.close();
  writeFileSync(file, JSON.stringify(made));
  return made;
}

async function exported(server: NatsServer, folder: string): Promise<void> {
  const to = join(folder, 'export');
  if (existsSync(to)) return;
  say('exporting ...');
  const connection = await connectNats({ servers: server.url });
  await exportAll(connection, `${to}.part`);
  await connection.close();
  renameSync(`${to}.part`, to);
}

/** The whole log folded into the floor at its end, against the library's ordered consumer. */
async function replayRow(server: NatsServer): Promise<Row> {
  const afterEnd = String(beganAtMs(1e9));
  const [raw, asOf]: [Measured[], Measured[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    raw.push(await measure('raw', server.url));
    asOf.push(await measure('as-of', server.url, afterEnd));
    say(`  raw ${JSON.stringify(raw.at(-1))}\n  as-of ${JSON.stringify(asOf.at(-1))}`);
  }
  const rate = (name: string, all: readonly Measured[]) => ({
    name,
    rounds: all.map(({ messages, seconds }) => messages / seconds),
  });
  const peak = (all: readonly Measured[]): number => median(all.map(({ peakMib }) => peakMib));
  const what = 'full replay with as-of reconstruction';
  const row = ratioRow(
    what,
    'messages/s',
    rate(what, asOf),
    rate('raw ordered consumer', raw),
    targetRatio,
  );
  return {
    ...row,
    details: { peakMib: Math.round(peak(asOf)), rawPeakMib: Math.round(peak(raw)) },
  };
}

interface Verified {
  readonly ok: boolean;
  readonly covered: number;
  readonly faults: readonly {
    readonly stream: string;
    readonly sequence: number;
    readonly what: string;
  }[];
}

/** `meridian verify --offline`, as anybody runs it. */
async function verify(folder: string, ...more: string[]): Promise<Verified & Measured> {
  const peakFile = join(folder, 'peak');
  const hook = join(folder, 'hook.mjs');
  writeFileSync(
    hook,
    "import { writeFileSync } from 'node:fs';\n" +
      `process.on('exit', () => writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS)));\n`,
  );
  const main = at('../../../cli/dist/main.js');
  const { out, seconds } = await run([
    `--import=${pathToFileURL(hook).href}`,
    main,
    'verify',
    '--offline',
    folder,
    '--json',
    ...more,
  ]);
  const result = JSON.parse(out) as Verified & { readonly ordered: number };
  const peakMib = Number(readFileSync(peakFile, 'utf8')) / 1_024;
  return { ...result, messages: result.ordered, seconds, peakMib };
}

function verifyRow(what: string, one: Measured, isMet: boolean, found: string): Row {
  const details = { peakMib: Math.round(one.peakMib), seconds: one.seconds.toFixed(1), found };
  say(`  ${what}: ${found} (${details.seconds} s, ${details.peakMib} MiB)`);
  const ours = one.messages / one.seconds;
  return { what, ours, unit: 'messages/s', target: 0, better: 'higher', isMet, details };
}

/** The log as it is must hold; the leaves of that are kept. */
async function untouchedRow(whole: string): Promise<Row> {
  rmSync(join(whole, 'leaves.bin'), { force: true });
  const found = await verify(whole, '--keep-leaves');
  const said = found.ok ? 'all of it holds' : JSON.stringify(found.faults[0]);
  return verifyRow('verify, untouched', found, found.ok, said);
}

async function tamperedRow(folder: string, messages: number, tampering: Tampering): Promise<Row> {
  const [whole, copy] = [join(folder, 'export'), join(folder, 'tampered')];
  const source = join(whole, `${stream}.ndjson`);
  const around = Array.from({ length: 20_000 }, (_, index) => Math.floor(messages * 0.4) + index);
  const lines = await linesAt(source, around);
  const begins = around.filter((sequence) => lines.get(sequence)?.includes('contact.initiated.v1'));
  const [at = 0, other = 0] = begins;
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of ['IN_eu.ndjson', 'leaves.bin']) {
    if (existsSync(join(whole, name))) symlinkSync(join(whole, name), join(copy, name));
  }
  await tamper(tampering, { from: source, to: join(copy, `${stream}.ndjson`), at, other, lines });
  const found = await verify(copy);
  rmSync(copy, { recursive: true });
  const [fault] = found.faults;
  const isFound = !found.ok && fault?.stream === stream && fault.sequence === at;
  const said = `${fault?.stream} ${fault?.sequence}: ${fault?.what}`;
  return verifyRow(`verify, ${tamperings[tampering]}`, found, isFound, said);
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    folder: { type: 'string' },
    only: { type: 'string', default: 'replay,untouched,flip,drop,swap,forge' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help === true) {
  process.stdout.write(help);
  process.exit(0);
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1));
}
const own = values.folder === undefined ? temporaryFolder('meridian-million-') : undefined;
const folder = resolve(values.folder ?? own?.path ?? '');
mkdirSync(folder, { recursive: true });
const only = values.only.split(',');
const server = await startNatsServer({ storeDir: join(folder, 'store') });
const rows: Row[] = [];
let total = 0;
try {
  const made = await built(server, folder, Number(values.messages));
  total = made.messages;
  say(
    `${number(made.messages)} messages, ${made.checkpoints} checkpoints (${made.seconds.toFixed(1)} s)`,
  );
  await exported(server, folder);
  if (only.includes('replay')) rows.push(await replayRow(server));
} finally {
  await server.stop();
}
if (only.includes('untouched')) rows.push(await untouchedRow(join(folder, 'export')));
for (const name of Object.keys(tamperings) as Tampering[]) {
  if (only.includes(name)) rows.push(await tamperedRow(folder, total, name));
}
own?.remove();
for (const { what, ours, unit, ratio, isMet, details } of rows) {
  const share = ratio === undefined ? '' : ` (${ratio.toFixed(2)} of raw)`;
  const line = `${isMet ? 'met' : 'NOT MET'}  ${what}: ${number(ours)} ${unit}${share} ${JSON.stringify(details)}`;
  process.stdout.write(`${line}\n`);
}
process.stdout.write(`${JSON.stringify({ bench: 'million', node: process.version, rows })}\n`);
process.exitCode = rows.every(({ isMet }) => isMet) ? 0 : 1;
