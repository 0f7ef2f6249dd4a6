import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildReceipt,
  ensureSigningKey,
  renderReceipt,
  signReceipt,
  type Receipt,
} from '@meridian/cli';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentMesh } from '../development/mesh.ts';
import { exercisesOf, longSeries, type Exercise } from './exercises.ts';
import { drillRegions, help, readOptions, WrongOption, type DrillOptions } from './options.ts';
import { loadOptions } from './load-options.ts';
import { runDrill } from './run.ts';
import { Stage } from './stage.ts';
import { renderWorst } from './worst.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const paint = (_colour: string, text: string): string => text;
const print = (text: string): void => {
  process.stdout.write(text);
};

/** One exercise on regions of its own, to its signed receipt. */
async function drill(exercise: Exercise, run: number, given: DrillOptions): Promise<Receipt> {
  const folder = temporaryFolder('meridian-drill-');
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  try {
    const mesh = await startDevelopmentMesh({
      dataDir: folder.path,
      natsServer: natsServerBinary(),
      regions: drillRegions,
      processes: given.each ? 'each' : 'together',
      cuttable: true,
      ...(given.verbose ? { say } : {}),
    });
    try {
      const stage = new Stage(mesh, say);
      const options = loadOptions(exercise, run, given, stage.startedAt);
      const receipt = buildReceipt(await runDrill(stage, exercise, options));
      await keep(stage, receipt, given);
      return receipt;
    } finally {
      await mesh.stop();
    }
  } finally {
    folder.remove();
  }
}

/** Signs the receipt with the key of a region that was not lost, writes it, and records it on the log. */
async function keep(stage: Stage, receipt: Receipt, given: DrillOptions): Promise<void> {
  const { id, passed, exercise, startedAt, endedAt, ownership, parameters } = receipt;
  const region = ownership[parameters.home ?? '']?.at(-1)?.owner ?? parameters.regions[0] ?? '';
  const key = ensureSigningKey(join(root, '.meridian', 'keys'), region);
  const text = signReceipt(receipt, key);
  const out = resolve(given.out ?? join(root, '.meridian', 'drills'));
  mkdirSync(out, { recursive: true });
  const file = join(out, `${id}.json`);
  writeFileSync(file, `${text}\n`);
  await stage.ask(region, '/v1/drills', {
    id,
    receipt: text,
    passed,
    exercise,
    startedAt,
    endedAt,
  });
  print(`\n${renderReceipt(receipt, paint)}\nThe signed receipt: ${file}\n`);
}

async function main(): Promise<number> {
  const given = readOptions(process.argv.slice(2));
  if (given.help) {
    print(help);
    return 0;
  }
  if (given.list) {
    print(
      longSeries()
        .map(({ name, what }) => `${name.padEnd(32)} ${what}\n`)
        .join(''),
    );
    return 0;
  }
  const receipts: Receipt[] = [];
  for (let run = 1; run <= given.runs; run += 1) {
    for (const exercise of exercisesOf(given)) {
      receipts.push(await drill(exercise, run, given));
    }
  }
  if (receipts.length > 1) print(renderWorst(receipts));
  return receipts.every(({ passed }) => passed) ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The regions' processes are ended on exit.
  process.once(signal, () => process.exit(130));
}
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `${error instanceof WrongOption ? error.message : (error as Error).stack}\n`,
  );
  process.exitCode = error instanceof WrongOption ? 2 : 1;
}
