import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { acceptIntake } from '@meridian/wire';
import { eventually, startNatsServer, temporaryFolder, type NatsServer } from '@meridian/testing';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { dayLog } from '../../test/day-log.ts';
import { run } from '../../test/run.ts';
import { readEvents } from '../check/index.ts';

const folder = temporaryFolder('meridian-replay-');
const log = dayLog('replay', 6);
const events = log.flatMap((entry) => readEvents(entry));
const file = join(folder.path, 'eu.ndjson');
let server: NatsServer;
const connections: NatsConnection[] = [];

beforeAll(async () => {
  writeFileSync(file, log.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  server = await startNatsServer();
});
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

describe('a replay', () => {
  it('goes into a file of lines, every event with its place', async () => {
    const out = join(folder.path, 'replay.ndjson');
    const ran = await run(['replay', '--file', file, '--out', out]);
    expect(ran).toMatchObject({ code: 0, out: `${events.length} events are in ${out}.\n` });
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { event: object }).event)).toEqual(
      events.map(({ attributes }) => attributes),
    );
    expect((await run(['replay', '--file', file, '--out', join(out, 'x')])).code).toBe(2);
  });

  it('goes into a Parquet file that others read', async () => {
    const out = join(folder.path, 'replay.parquet');
    const ran = await run(['replay', '--file', file, '--out', out, '--entity', 'contact']);
    expect(ran.code).toBe(0);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(out) });
    const expected = events.filter(({ type }) => type.startsWith('meridian.contact.'));
    expect(rows).toHaveLength(expected.length);
    expect(rows.map((row) => JSON.parse(String(row['event'])) as object)).toEqual(
      expected.map(({ attributes }) => attributes),
    );
    expect(rows[0]).toMatchObject({
      stream: 'EV_eu',
      type: expected[0]?.type,
      time: new Date(expected[0]?.timeMs ?? 0),
      revision: 0,
      home: 'eu',
    });
    expect((await run(['replay', '--file', file, '--out', join(out, 'x.parquet')])).code).toBe(2);
  });

  it('is published to NATS at a limited rate, marked so that nothing accepts it', async () => {
    const connection = await connect({ servers: server.url.replace('nats://', '') });
    connections.push(connection);
    const received: Msg[] = [];
    connection.subscribe('replay.monday', {
      callback: (error, message) => {
        if (error === null) received.push(message);
      },
    });
    await connection.flush();
    const to = (...more: string[]) =>
      run(['replay', '--file', file, '--nats', server.url, '--subject-out', ...more]);
    const beganMs = performance.now();
    const ran = await to('replay.monday', '--replay-id', 'audit-7', '--rate', '200', '--to', '20');
    expect(ran.code).toBe(0);
    const sent = log.slice(0, 20).flatMap((entry) => readEvents(entry));
    await eventually('all have come', () => received.length === sent.length);
    // A rate is a limit: it may be slower on a busy machine, never faster.
    const leastMs = ((sent.length - 1) * 1_000) / 200;
    expect(performance.now() - beganMs).toBeGreaterThan(leastMs - 10);
    for (const [index, message] of received.entries()) {
      expect(message.headers?.get('Meridian-Replay')).toBe('audit-7');
      const event = message.json<Record<string, unknown>>();
      expect(event).toEqual({ ...sent[index]?.attributes, replay: 'audit-7' });
      expect(acceptIntake(event, { tenant: 'demo', now: '' })).toMatchObject({ ok: false });
    }
    for (const subject of ['in.eu.demo.eu.contact.c1', 'publish.eu.demo', '$JS.API', 'a.>']) {
      expect((await to(subject)).code).toBe(2);
    }
    expect((await run(['replay', '--file', file, '--nats', server.url])).code).toBe(2);
  });
});
