import { jetstream } from '@nats-io/jetstream';
import { connectNats, ensureStreams } from '@meridian/journal';
import { startNatsServer } from '@meridian/testing';
import { race, ratioRow, type Contender, type Rate, type Row } from './rates.ts';

const region = 'bench';
const rounds = 5;
/** Published at each round and contender; one at a time is slower. */
const windowedCount = 4_000;
const serialCount = 400;
const windowSize = 256;

interface Publisher extends AsyncDisposable {
  publish(count: number, atOnce: number): Promise<void>;
}

async function publisher(config: string): Promise<Publisher> {
  const server = await startNatsServer({ config });
  const connection = await connectNats({ servers: server.url });
  await ensureStreams(connection, region, { development: true });
  const client = jetstream(connection);
  const data = new Uint8Array(500).fill(120);
  return {
    async publish(count, atOnce) {
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < count) {
          next += 1;
          await client.publish(`in.${region}.bench.${region}.contact.c${next % 1_000}`, data);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server.stop();
    },
  };
}

/**
 * What it costs to have each message on the disk before it is acknowledged: `sync_interval: always`, as
 * in production, against the development setting (every two minutes). One server, one replica, 500 B. It
 * is the disk that is measured: in a container its cache may acknowledge before anything is safe.
 */
export async function syncRows(say: (line: string) => void): Promise<Row[]> {
  await using always = await publisher('jetstream { sync_interval: always }');
  await using seldom = await publisher('');
  const rows: Row[] = [];
  for (const [what, count, atOnce] of [
    ['intake stored, each synced, 256 at once', windowedCount, windowSize],
    ['intake stored, each synced, one at a time', serialCount, 1],
  ] as const) {
    say(`sync: ${what} ...`);
    const contenders: Contender[] = [
      { name: 'sync always', run: (number) => always.publish(number, atOnce) },
      { name: 'sync every two minutes', run: (number) => seldom.publish(number, atOnce) },
    ];
    const [ours, other] = (await race(contenders, count, rounds)) as [Rate, Rate];
    rows.push(ratioRow(what, 'messages/s', ours, other, 0.01));
  }
  return rows;
}
