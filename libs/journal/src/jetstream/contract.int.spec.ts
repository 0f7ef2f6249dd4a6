import { afterAll, beforeAll, describe } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import { describeLog, startNatsServer, type NatsServer } from '@meridian/testing';
import { connectNats, jetstreamLog, type Log } from '../index.ts';

const MAX_PAYLOAD_BYTES = 100_000;
let server: NatsServer;
let streams = 0;

beforeAll(async () => {
  server = await startNatsServer({ config: `max_payload: ${MAX_PAYLOAD_BYTES}` });
});

afterAll(() => server.stop());

/** The same log, whose followers all share what is new; one more always takes part. */
function sharing(log: Log, stream: string): Log {
  const follow: Log['follow'] = (name, options, onMessage) =>
    log.follow(name, { ...options, shared: true }, onMessage);
  const other = log.follow(stream, { after: 0, shared: true }, () => {});
  return new Proxy(log, {
    get(target, name) {
      if (name === 'follow') return follow;
      if (name === 'close') return () => other.close().then(() => target.close());
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe.each([
  ['the log on JetStream', (log: Log) => log],
  ['the log on JetStream, when followers share what is new', sharing],
])('%s', (name, as) => {
  describeLog(name, async () => {
    const connection = await connectNats({ servers: server.url });
    const stream = `S${++streams}`;
    const prefix = stream.toLowerCase();
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: stream, subjects: [`${prefix}.>`], allow_direct: true });
    const log = as(await jetstreamLog({ connection }), stream);
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
});
