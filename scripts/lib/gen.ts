/**
 * Checks the contracts in proto/ and generates what follows from them; started by scripts/gen.
 * `--check` changes nothing and fails when what is generated is not what is there.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../checks/workspace.ts';

export const PROTO = join(ROOT, 'proto');
export const GENERATED = join(ROOT, 'libs/wire/src/gen');
/** The plugin of the second step imports this one file of the first. */
const OPTIONS = 'meridian/options/v1/options_pb.ts';

interface Ran {
  readonly ok: boolean;
  readonly output: string;
}

function buf(folder: string, ...args: string[]): Ran {
  const bin = join(ROOT, 'node_modules/.bin');
  const { status, stdout, stderr, error } = spawnSync(join(bin, 'buf'), args, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
      NODE_NO_WARNINGS: '1',
    },
  });
  return { ok: status === 0, output: `${stdout}${stderr}${error?.message ?? ''}`.trim() };
}

/** What `buf lint` finds wrong with the contracts in `folder`; empty when nothing. */
export function lintProblems(folder: string = PROTO): string {
  const { ok, output } = buf(folder, 'lint');
  return ok ? '' : output || 'buf lint failed and did not say why';
}

/** What a reader of the last release could no longer read; empty when nothing. */
export function breakingProblems(
  folder: string = PROTO,
  baseline = join(PROTO, 'baseline.binpb'),
): string {
  if (!existsSync(baseline)) return `${baseline} is missing; see proto/README.md on how it is made`;
  const { ok, output } = buf(folder, 'breaking', '--against', baseline);
  return ok ? '' : output || 'buf breaking failed and did not say why';
}

function generateInto(folder: string, template: string): void {
  const { ok, output } = buf(PROTO, 'generate', '--template', template, '--output', folder);
  if (!ok) throw new Error(`buf generate --template ${template} failed:\n${output}`);
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

/** The files that are missing, too many or different in `actual`. */
export function differences(actual: string, expected: string): string[] {
  const [is, should] = [filesIn(actual), filesIn(expected)];
  const read = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');
  return [
    ...should.filter((file) => !is.includes(file)).map((file) => `${file} is missing`),
    ...is
      .filter((file) => !should.includes(file))
      .map((file) => `${file} is not generated any more`),
    ...should
      .filter((file) => is.includes(file) && read(actual, file) !== read(expected, file))
      .map((file) => `${file} is not what proto/ says`),
  ];
}

/** Compares `generated` with what is generated now; the options first, for the plugin reads them. */
export function staleFiles(generated: string = GENERATED): string[] {
  return withTemporary((folder) => {
    generateInto(folder, 'buf.gen.messages.yaml');
    const fresh = join(folder, 'gen');
    if (differences(generated, fresh).some((line) => line.startsWith(OPTIONS))) {
      return [`${OPTIONS} is not what proto/ says`];
    }
    generateInto(folder, 'buf.gen.contracts.yaml');
    return differences(generated, fresh);
  });
}

function generate(): void {
  withTemporary((folder) => {
    generateInto(folder, 'buf.gen.messages.yaml');
    const fresh = join(folder, 'gen');
    cpSync(join(fresh, OPTIONS), join(GENERATED, OPTIONS));
    generateInto(folder, 'buf.gen.contracts.yaml');
    rmSync(GENERATED, { recursive: true });
    cpSync(fresh, GENERATED, { recursive: true });
  });
}

function withTemporary<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-gen-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the bytes of golden messages that have none yet; what is frozen is never written again. */
async function freeze(): Promise<string[]> {
  // What was just generated, not what was loaded before.
  const { contracts, dataToProtobuf } = await import('@meridian/wire');
  const golden = join(PROTO, 'golden');
  const written: string[] = [];
  for (const file of filesIn(golden).filter((each) => each.endsWith('.json'))) {
    const [json, bin] = [join(golden, file), join(golden, file.replace(/json$/, 'bin'))];
    if (existsSync(bin)) continue;
    const contract = contracts.find(({ type }) => type === basename(file, '.json'));
    if (contract === undefined) {
      throw new Error(`${json} is of no contract: there is no such type in proto/.`);
    }
    writeFileSync(bin, dataToProtobuf(contract, JSON.parse(readFileSync(json, 'utf8'))));
    written.push(bin);
  }
  return written;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
  const refused = [lintProblems(), breakingProblems()].filter((problem) => problem !== '');
  if (refused.length > 0) {
    console.error(refused.join('\n'));
    return 1;
  }
  if (values.check) {
    const stale = staleFiles();
    for (const line of stale) console.error(`libs/wire/src/gen: ${line}`);
    if (stale.length > 0) console.error('Run scripts/gen and commit what it writes.');
    else console.log(`contracts: as generated (${filesIn(GENERATED).length} files)`);
    return stale.length > 0 ? 1 : 0;
  }
  generate();
  for (const file of await freeze()) console.log(`frozen: ${file}`);
  console.log(`contracts: generated (${filesIn(GENERATED).length} files)`);
  return 0;
}

if (import.meta.main) process.exitCode = await main();
