import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderReceipt, type Receipt } from '@meridian/cli';
import { drillOnce } from './drill.ts';
import { exportAll } from './export.ts';
import { drillRecord, signAndWrite } from './keep.ts';
import { exercisesOf, longSeries, type Exercise } from './exercises.ts';
import { loadOptions } from './load-options.ts';
import { help, readOptions, WrongOption, type DrillOptions } from './options.ts';
import type { Stage } from './stage.ts';
import { renderWorst } from './worst.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const paint = (_colour: string, text: string): string => text;
const print = (text: string): void => {
  process.stdout.write(text);
};
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Signs the receipt with the key of a region that was not lost, writes it, and records it on the log. */
async function keep(stage: Stage, receipt: Receipt, given: DrillOptions): Promise<void> {
  const home = join(root, '.meridian');
  const out = resolve(given.out ?? join(home, 'drills'));
  const signed = signAndWrite(receipt, home, out);
  print(`\n${renderReceipt(receipt, paint)}\nThe signed receipt: ${signed.file}\n`);
  if (receipt.totals.violations > 0 || receipt.check.copiesThatDiffer.length > 0) {
    await exportAll(stage, join(out, receipt.id));
    print(`What was found wrong can be looked at: ${join(out, receipt.id)}\n`);
  }
  await stage.ask(signed.region, '/v1/drills', drillRecord(receipt, signed));
}

/** One exercise of a series. @returns undefined when it could not be carried out */
async function drill(
  exercise: Exercise,
  run: number,
  given: DrillOptions,
): Promise<Receipt | undefined> {
  try {
    return await drillOnce(
      exercise,
      (startedAt) => loadOptions(exercise, run, given, startedAt),
      {
        processes: given.each ? 'each' : 'together',
        say,
        ...(given.verbose ? { sayOfRegions: say } : {}),
      },
      (stage, receipt) => keep(stage, receipt, given),
    );
  } catch (error) {
    say(`${exercise.what} could not be carried out: ${(error as Error).stack}`);
    return undefined;
  }
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
  const receipts: (Receipt | undefined)[] = [];
  for (let run = 1; run <= given.runs; run += 1) {
    for (const exercise of exercisesOf(given)) receipts.push(await drill(exercise, run, given));
  }
  const made = receipts.filter((receipt) => receipt !== undefined);
  if (receipts.length > 1) print(renderWorst(made));
  if (made.length < receipts.length) {
    print(`${receipts.length - made.length} could not be carried out.\n`);
  }
  return made.length === receipts.length && made.every(({ passed }) => passed) ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // The regions' processes are ended on exit.
  process.once(signal, () => process.exit(130));
}
try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof WrongOption ? error.message : String((error as Error).stack));
  process.exitCode = error instanceof WrongOption ? 2 : 1;
}
