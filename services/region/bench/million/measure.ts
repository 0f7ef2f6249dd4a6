import { jetstream } from '@nats-io/jetstream';
import { connectNats, jetstreamLog, Ledger } from '@meridian/journal';
import { Rebuilding } from '@meridian/edge';
import { tenant } from './contacts.ts';

/** One measured reading, in a process of its own so that its memory is its own. */
const [step, url = '', toMs = ''] = process.argv.slice(2);
const region = 'eu';
const stream = `EV_${region}`;
const connection = await connectNats({ servers: url });

/** The library's ordered consumer, which does nothing with what it is given. */
async function raw(): Promise<object> {
  const client = jetstream(connection);
  const total = (await (await client.streams.get(stream)).info()).state.messages;
  const consumer = await client.consumers.get(stream);
  let seen = 0;
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    consumer
      .consume({
        max_messages: 10_000,
        callback: () => {
          seen += 1;
          if (seen === total) resolve();
        },
      })
      .catch(reject);
  });
  const seconds = (performance.now() - start) / 1_000;
  await consumer.delete();
  return { messages: seen, seconds };
}

/** The floor at a moment as the edge answers it: queues, agents and living contacts. */
async function asOf(): Promise<object> {
  const log = await jetstreamLog({ connection });
  const rebuilding = new Rebuilding({
    log,
    ledger: new Ledger(),
    regions: [region],
    ledgerKnown: () => Promise.resolve(),
  });
  const messages = await log.lastSequence(stream);
  const start = performance.now();
  const { floor, places } = await rebuilding.floor({
    tenant,
    moment: { timeMs: Number(toMs) },
    withEnded: false,
  });
  const seconds = (performance.now() - start) / 1_000;
  rebuilding.close();
  await log.close();
  const answered = floor.queues.reduce((sum, queue) => sum + queue.answered, 0);
  return {
    messages,
    seconds,
    places,
    answered,
    contacts: floor.contacts.length,
    agents: floor.agents.length,
  };
}

const found = step === 'raw' ? await raw() : await asOf();
await connection.close();
// In KiB, the most that was resident since the process began.
const peakMib = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(`${JSON.stringify({ ...found, peakMib })}\n`);
