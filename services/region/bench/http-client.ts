/**
 * Sends batches of CloudEvents over a few keep-alive connections: a process of its own, so that
 * it shares no event loop with whom it measures. Told by messages of its parent what to do.
 */
import { Agent, request } from 'node:http';

/** What the parent asks for; each is answered by `Done`. */
export type Ask =
  | { readonly kind: 'prepare'; readonly run: string; readonly events: number }
  | { readonly kind: 'send' };

export type Done = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly why: string };

const batchSize = 100;
const connections = 8;
const [url = '', key = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
let bodies: Buffer[] = [];

const event = (run: string, index: number): object => ({
  specversion: '1.0',
  id: `${run}-${index}`,
  source: '/bench',
  type: 'meridian.contact.initiate.v1',
  subject: `${run}-${index}`,
  data: {
    method: 'INBOUND',
    channel: 'VOICE',
    customer: '+441632960000',
    attributes: { language: 'en' },
  },
});

function prepare(run: string, events: number): void {
  bodies = Array.from({ length: Math.ceil(events / batchSize) }, (_, batch) => {
    const first = batch * batchSize;
    const length = Math.min(batchSize, events - first);
    return Buffer.from(
      JSON.stringify(Array.from({ length }, (__, index) => event(run, first + index))),
    );
  });
}

function post(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/events`,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/cloudevents-batch+json',
          'content-length': body.length,
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => {
          if (response.statusCode === 202) resolve();
          else reject(new Error(`A batch was answered with ${response.statusCode}.`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

async function sendAll(): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < bodies.length) {
        const body = bodies[next] as Buffer;
        next += 1;
        await post(body);
      }
    }),
  );
}

const answer = (done: Done): void => {
  process.send?.(done);
};

process.on('message', (ask: Ask) => {
  if (ask.kind === 'prepare') {
    prepare(ask.run, ask.events);
    answer({ kind: 'done' });
  } else {
    sendAll().then(
      () => answer({ kind: 'done' }),
      (error: unknown) => answer({ kind: 'failed', why: String(error) }),
    );
  }
});
// The parent has ended.
process.once('disconnect', () => process.exit(0));
