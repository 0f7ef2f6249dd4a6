import { parseArgs } from 'node:util';
import { connectNats, ensureStreams, jetstreamLog } from '@meridian/journal';
import { startNatsServer } from '@meridian/testing';
import { executeRows, replayRows, routingRows, type Bed } from './journal-rows.ts';
import type { Row } from './rates.ts';
import { meshRows } from './mesh-rows.ts';
import { httpRows, offerRows } from './region-rows.ts';
import { syncRows } from './sync-rows.ts';

const region = 'bench';
const { positionals } = parseArgs({ allowPositionals: true });

const sections: Readonly<Record<string, (bed: Bed) => Promise<Row[]>>> = {
  execute: executeRows,
  routing: routingRows,
  replay: replayRows,
};

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Rows on a journal of their own: one nats-server, this process as the only client. */
async function onJournal(wanted: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  const server = await startNatsServer();
  const connection = await connectNats({ servers: server.url });
  try {
    await ensureStreams(connection, region, { development: true });
    const bed: Bed = { connection, log: await jetstreamLog({ connection }), region };
    for (const name of wanted) {
      say(`${name} ...`);
      rows.push(...(await (sections[name] as (typeof sections)[string])(bed)));
    }
    await bed.log.close();
  } finally {
    await connection.close();
    await server.stop();
  }
  return rows;
}

const number = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.what,
    `${number(row.ours)} ${row.unit}`,
    row.against ?? '',
    row.limit === undefined ? '' : number(row.limit),
    row.ratio?.toFixed(2) ?? '',
    `${row.better === 'lower' ? '<=' : '>='} ${row.target}`,
    row.isMet ? 'yes' : 'NO',
  ]);
  const all = [['what', 'ours', 'against', 'limit', 'ratio', 'target', 'met'], ...lines];
  const widths =
    all[0]?.map((_, column) => Math.max(...all.map((line) => (line[column] as string).length))) ??
    [];
  const padded = all.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return padded.map((line) => line.join('  ').trimEnd()).join('\n');
}

const all = ['execute', 'routing', 'replay', 'http', 'offer', 'mesh', 'sync'];
const wanted = positionals.length === 0 ? all : positionals;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  say(`There is no bench called ${unknown.join(', ')}.\nThere are: ${all.join(', ')}.`);
  process.exit(2);
}
// Leaving by `exit` ends what was started.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => process.exit(1));
}
const rows = await onJournal(wanted.filter((name) => name in sections));
if (wanted.includes('http')) rows.push(...(await httpRows(say)));
if (wanted.includes('offer')) rows.push(...(await offerRows(say)));
if (wanted.includes('mesh')) rows.push(...(await meshRows(say)));
if (wanted.includes('sync')) rows.push(...(await syncRows(say)));
process.stdout.write(`${table(rows)}\n`);
process.stdout.write(`${JSON.stringify({ bench: 'meridian', node: process.version, rows })}\n`);
process.exitCode = 0;
