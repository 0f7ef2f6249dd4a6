import { afterAll, beforeAll } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { describeLog, startNatsServer, type NatsServer } from '@meridian/testing';
import { connectNats, jetstreamLog } from '../index.ts';

const MAX_PAYLOAD_BYTES = 100_000;
let server: NatsServer;
let streams = 0;

beforeAll(async () => {
  server = await startNatsServer({ config: `max_payload: ${MAX_PAYLOAD_BYTES}` });
});

afterAll(() => server.stop());

describeLog('the log on JetStream', async () => {
  const connection = await connectNats({ servers: server.url });
  const stream = `S${++streams}`;
  const prefix = stream.toLowerCase();
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [`${prefix}.>`], allow_direct: true });
  const log = await jetstreamLog({ connection });
  return {
    log,
    stream,
    prefix,
    maxPayloadBytes: MAX_PAYLOAD_BYTES,
    close: async () => {
      await log.close();
      const consumers = await manager.consumers.list(stream).next();
      await connection.close();
      if (consumers.length > 0) throw new Error(`${consumers.length} consumers were left behind`);
    },
  };
});
