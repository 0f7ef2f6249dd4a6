/** Runs every check and test; started by scripts/test, which has set up the tools. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../checks/workspace.ts';
import {
  add,
  FAILED,
  jestTotals,
  lastLine,
  NOTHING,
  PASSED,
  SKIPPED,
  skippedTests,
  type JestReport,
  type Totals,
} from './totals.ts';

interface Check {
  readonly name: string;
  /** A program of the repository, run by this Node, or an executable script. */
  readonly command: readonly string[];
}

const CHECK_LIMIT_MS = 600_000;

// The compiler comes before the linter, which reads the types that it builds.
const CHECKS: readonly Check[] = [
  { name: 'lock file', command: ['scripts/checks/lockfile.ts'] },
  { name: 'boundaries', command: ['scripts/checks/boundaries.ts'] },
  { name: 'domain purity', command: ['scripts/checks/purity.ts'] },
  { name: 'hygiene', command: ['scripts/checks/hygiene.ts'] },
  { name: 'tidiness', command: ['scripts/checks/tidy.ts'] },
  { name: 'contracts', command: ['scripts/gen', '--check'] },
  { name: 'topology', command: ['scripts/topology', '--check'] },
  { name: 'build', command: ['node_modules/typescript/bin/tsc', '-b'] },
  {
    name: 'types of specs and scripts',
    command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.spec.json'],
  },
  {
    name: 'types of the domain',
    command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.domain.json'],
  },
  { name: 'lint', command: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
];

/** Worlds of three regions that the specs do not run; several processes share them. */
const SIMULATION: Check = {
  name: 'simulated worlds, seeds 41 to 300',
  command: ['services/region/dist/simulation/main.js', '--seeds', '41..300'],
};

const secondsSince = (startedMs: number): string =>
  `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;

function runCheck({ name, command }: Check): Totals {
  const [program = '', ...args] = command;
  const path = join(ROOT, program);
  if (!existsSync(path)) {
    console.log(`skip  ${name}: ${program} is not there yet`);
    return SKIPPED;
  }
  const started = performance.now();
  const isScript = program.startsWith('scripts/') && !program.endsWith('.ts');
  const [file, all] = isScript ? [path, args] : [process.execPath, [path, ...args]];
  const options = {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: CHECK_LIMIT_MS,
    maxBuffer: 2 ** 26,
  } as const;
  const { status, stdout, stderr, error } = spawnSync(file, all, options);
  if (status === 0) {
    const summary =
      stdout
        .trim()
        .split('\n')
        .at(-1)
        ?.match(/\(.*\)/)?.[0] ?? '';
    console.log(`ok    ${name} ${secondsSince(started)} ${summary}`.trimEnd());
    return PASSED;
  }
  console.log(`FAIL  ${name} ${secondsSince(started)}: ${command.join(' ')}`);
  console.log(`${stdout}${stderr}${error?.message ?? ''}`.trim().replaceAll(/^/gm, '      '));
  return FAILED;
}

function runJest(
  project: string,
  patterns: readonly string[],
  folder: string,
): Totals & { suites: number } {
  const started = performance.now();
  const outputFile = join(folder, `${project}.json`);
  const args = [
    '--selectProjects',
    project,
    '--passWithNoTests',
    '--json',
    '--outputFile',
    outputFile,
    ...patterns,
  ];
  // Jest reports on stderr; its stdout only says where the report is.
  const { status } = spawnSync(join(ROOT, 'scripts/jest'), args, {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const report = existsSync(outputFile)
    ? (JSON.parse(readFileSync(outputFile, 'utf8')) as JestReport)
    : undefined;
  const totals = jestTotals(report, status);
  for (const skipped of report === undefined ? [] : skippedTests(report, ROOT)) {
    console.log(`skip  ${skipped}`);
  }
  const verdict = totals.failed === 0 ? 'ok   ' : 'FAIL ';
  console.log(`${verdict} ${project} tests ${secondsSince(started)} (${lastLine(totals)})`);
  return { ...totals, suites: report?.numTotalTestSuites ?? 0 };
}

function run(): Totals {
  const { values, positionals: patterns } = parseArgs({
    options: { checks: { type: 'boolean' }, unit: { type: 'boolean' } },
    allowPositionals: true,
  });
  let totals = NOTHING;
  if (patterns.length === 0) for (const check of CHECKS) totals = add(totals, runCheck(check));
  if (values.checks) return totals;
  if (patterns.length === 0) totals = add(totals, runCheck(SIMULATION));
  const folder = mkdtempSync(join(tmpdir(), 'meridian-test-'));
  let suites = 0;
  for (const project of values.unit ? ['unit'] : ['unit', 'integration']) {
    const ran = runJest(project, patterns, folder);
    totals = add(totals, ran);
    suites += ran.suites;
  }
  rmSync(folder, { recursive: true });
  if (suites > 0 || totals.failed > 0) return totals;
  console.log(`FAIL  no test file matches ${patterns.join(' ')}`);
  return add(totals, FAILED);
}

const totals = run();
console.log(lastLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
