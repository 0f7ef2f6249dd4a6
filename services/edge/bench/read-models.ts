/**
 * How many events a second the read models take in, from a log in memory into the embedded
 * Postgres. Run: node services/edge/bench/read-models.ts [entries]
 */
import { memoryLog } from '@meridian/journal';
import { migrate, openDatabase, Projector, startPostgres } from '@meridian/readmodel';
import { temporaryFolder } from '@meridian/testing';
import { chmodSync } from 'node:fs';
import { migrationsFolder, projections, projectorName } from '../src/projections/index.ts';
import { randomHistory } from '../test/history.ts';

const entries = Number(process.argv[2] ?? 60_000);
const folder = temporaryFolder();
chmodSync(folder.path, 0o755);
const postgres = await startPostgres({ dataDir: folder.path, onLog: console.error });
const database = openDatabase({ url: postgres.url, onLog: console.error });
await migrate(database, migrationsFolder);

const log = memoryLog();
const messages = randomHistory({ seed: 1, entries, agents: 200, queues: 10, open: 500 });
for (const message of messages) await log.append('EV_eu', message);
const projector = new Projector({
  name: projectorName,
  log,
  stream: 'EV_eu',
  database,
  projections,
  onLog: console.error,
  batchLength: Number(process.env['BATCH'] ?? 1_000),
});
const startedAt = performance.now();
const startedCpu = process.cpuUsage();
await projector.start();
await projector.caughtUp();
const seconds = (performance.now() - startedAt) / 1_000;
const cpu = process.cpuUsage(startedCpu);
const { events, batches } = projector.counts;
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(
  `${entries} entries, ${events} events, ${batches} batches in ${seconds.toFixed(2)} s: ` +
    `${Math.round(events / seconds)} events/s (${Math.round(entries / seconds)} entries/s), ` +
    `own processor time ${cpuSeconds.toFixed(2)} s`,
);
await projector.close();
await database.close();
await postgres.stop();
