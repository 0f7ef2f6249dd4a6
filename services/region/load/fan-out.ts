/**
 * Many readers of the stream of decided events, a plain client because k6 knows no server-sent
 * events: each must see every contact of the run exactly once and in the log's order. Run by
 * scripts/load; MERIDIAN_URL and MERIDIAN_KEY say where.
 */
import { Agent, get, type IncomingMessage } from 'node:http';

const {
  MERIDIAN_URL: url = '',
  MERIDIAN_KEY: key = '',
  MERIDIAN_RUN: run = `f${Date.now()}`,
} = process.env;
const readersCount = Number(process.env['LOAD_READERS'] ?? 200);
const contactsPerSecond = Number(process.env['LOAD_RATE'] ?? 50);
const seconds = Number(process.env['LOAD_SECONDS'] ?? 10);
const lastEventsMs = 20_000;

const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
const latencies: number[] = [];

/** One reader: what it saw, and what was wrong with it. */
class Reader {
  readonly seen = new Set<string>();
  readonly faults: string[] = [];
  #rest = '';
  #last = { sequence: 0, index: -1 };
  #response: IncomingMessage | undefined;

  /** Resolves once the stream is open. */
  async open(): Promise<void> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const address = `${url}/v1/stream?type=meridian.contact.initiated.v1`;
      get(address, { agent, headers: { authorization: `Bearer ${key}` } }, resolve).once(
        'error',
        reject,
      );
    });
    if (response.statusCode !== 200) {
      throw new Error(`A reader was answered with ${response.statusCode}.`);
    }
    this.#response = response;
    response.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    response.on('error', (error) => {
      this.faults.push(error.message);
    });
  }

  close(): void {
    this.#response?.destroy();
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('id: ')) this.#inOrder(line);
      if (line.startsWith('data: ')) {
        this.#take(JSON.parse(line.slice(6)) as { subject: string; time: string });
      }
    }
  }

  #inOrder(line: string): void {
    const [sequence = 0, index = 0] = line
      .slice(line.lastIndexOf(':') + 1)
      .split('.')
      .map(Number);
    const isLater =
      sequence > this.#last.sequence ||
      (sequence === this.#last.sequence && index > this.#last.index);
    if (!isLater) this.faults.push(`${line} came after ${this.#last.sequence}.${this.#last.index}`);
    this.#last = { sequence, index };
  }

  #take({ subject, time }: { readonly subject: string; readonly time: string }): void {
    if (!subject.startsWith(run)) return;
    if (this.seen.has(subject)) this.faults.push(`${subject} came twice`);
    this.seen.add(subject);
    latencies.push(Date.now() - Date.parse(time));
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function publish(): Promise<number> {
  const perBatch = Math.max(1, Math.round(contactsPerSecond / 10));
  let sent = 0;
  const start = performance.now();
  for (let batch = 0; batch < seconds * 10; batch += 1) {
    const events = Array.from({ length: perBatch }, (_, index) => ({
      specversion: '1.0',
      id: `${run}-${sent + index}`,
      source: '/load',
      type: 'meridian.contact.initiate.v1',
      subject: `${run}-${sent + index}`,
      data: { method: 'INBOUND', channel: 'CHAT' },
    }));
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      body: JSON.stringify(events),
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/cloudevents-batch+json',
      },
    });
    if (answer.status !== 202) {
      throw new Error(`A batch was answered with ${answer.status}: ${await answer.text()}`);
    }
    await answer.arrayBuffer();
    sent += perBatch;
    await pause(Math.max(0, (batch + 1) * 100 - (performance.now() - start)));
  }
  return sent;
}

const readers = Array.from({ length: readersCount }, () => new Reader());
await Promise.all(readers.map((reader) => reader.open()));
const start = performance.now();
const sent = await publish();
const end = performance.now() + lastEventsMs;
while (readers.some(({ seen }) => seen.size < sent) && performance.now() < end) await pause(20);
const tookSeconds = (performance.now() - start) / 1_000;
for (const reader of readers) reader.close();

const missed = readers.reduce((sum, { seen }) => sum + sent - seen.size, 0);
const faults = readers.flatMap((reader) => reader.faults);
const sorted = latencies.toSorted((a, b) => a - b);
const at = (q: number): number =>
  sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
process.stdout.write(
  `fan-out: ${readersCount} readers, ${sent} contacts, ${sorted.length} events delivered in ` +
    `${tookSeconds.toFixed(1)} s (${Math.round(sorted.length / tookSeconds)}/s); decided -> seen p50 ${at(0.5)} ms, ` +
    `p99 ${at(0.99)} ms; missed ${missed}, out of order or twice ${faults.length}\n`,
);
for (const fault of faults.slice(0, 5)) process.stdout.write(`  ${fault}\n`);
process.exit(missed === 0 && faults.length === 0 ? 0 : 1);
