/**
 * Sizes that keep the code readable. Over the aim is a warning, over the limit fails;
 * generated code is left out.
 * Run: node scripts/checks/tidy.ts
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  isGenerated,
  isSource,
  isSpec,
  listFiles,
  readFiles,
  report,
  ROOT,
  type Problem,
  type SourceFile,
} from './workspace.ts';

const COLUMNS = { aim: 100, limit: 120 };
const LINES = { aim: 300, limit: 500 };

export interface Tidiness {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

export function tidiness(files: readonly SourceFile[]): Tidiness {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const { path, text } of files) {
    const lines = text.replace(/\n$/, '').split('\n');
    if (lines.length > LINES.limit) {
      problems.push({ where: path, what: `${lines.length} lines; the limit is ${LINES.limit}` });
    } else if (lines.length > LINES.aim) {
      warnings.push({ where: path, what: `${lines.length} lines; the aim is ${LINES.aim}` });
    }
    const wide: number[] = [];
    lines.forEach((line, index) => {
      // In code points: one emoji or accented letter is one column.
      const columns = Array.from(line).length;
      const where = `${path}:${index + 1}`;
      if (columns > COLUMNS.limit) {
        problems.push({ where, what: `${columns} columns; the limit is ${COLUMNS.limit}` });
      } else if (columns > COLUMNS.aim) wide.push(index + 1);
    });
    if (wide.length > 0) {
      const first = wide.slice(0, 8).join(', ');
      const what = `${wide.length} lines of more than ${COLUMNS.aim} columns: ${first}`;
      warnings.push({ where: path, what: wide.length > 8 ? `${what}, …` : what });
    }
  }
  return { problems, warnings };
}

interface OxlintReport {
  readonly diagnostics: readonly {
    filename: string;
    message: string;
    labels: readonly { span: { line: number } }[];
  }[];
}

/** Long functions, as oxlint counts them. */
function longFunctions(paths: readonly string[]): Problem[] {
  if (paths.length === 0) return [];
  const program = join(ROOT, 'node_modules/oxlint/bin/oxlint');
  const args = [program, '-c', 'scripts/checks/tidy.oxlintrc.json', '--format', 'json', ...paths];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (!stdout.trimStart().startsWith('{')) {
    throw new Error(`oxlint gave no JSON: ${stdout}${stderr}`);
  }
  return (JSON.parse(stdout) as OxlintReport).diagnostics.map(({ filename, message, labels }) => ({
    where: `${filename}:${labels[0]?.span.line ?? 0}`,
    what: message,
  }));
}

if (import.meta.main) {
  const files = readFiles(listFiles().filter((path) => isSource(path) && !isGenerated(path)));
  const { problems, warnings } = tidiness(files);
  warnings.push(...longFunctions(files.map(({ path }) => path).filter((path) => !isSpec(path))));
  const most = 40;
  for (const { where, what } of warnings.slice(0, most)) console.log(`warning: ${where}: ${what}`);
  if (warnings.length > most) console.log(`warning: and ${warnings.length - most} more`);
  report('tidy', problems, `${files.length} files, ${warnings.length} warnings`);
}
