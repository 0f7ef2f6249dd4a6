/**
 * Customers and agents of a contact centre as one HTTP client: contacts at a steady rate, agents
 * who accept what they see on the stream at once, talk for a moment and wrap up at once. A process
 * of its own; the last line of its output is one JSON object (`LoadReport`).
 */
import { Agent, get, request, type IncomingMessage } from 'node:http';

export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  readonly contactsPerSecond: number;
  readonly agents: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** One of several regions under load: only its home is heard, and ids end with its name. */
  readonly home?: string;
  /** How long the agents stay after the own contacts: others' may have been lent to them. */
  readonly lingerSeconds?: number;
}

export interface LoadReport {
  /** Contacts that were to be measured, and in how many seconds they were sent. */
  readonly contacts: number;
  readonly seconds: number;
  /** Contacts, those of the warm-up included, that went all the way. */
  readonly completed: number;
  readonly sent: number;
  /** Answers to batches by status, and the slowest of them in ms. */
  readonly answers: Readonly<Record<string, number>>;
  readonly slowestAnswerMs: number;
}

const flushMs = 10;
const talkMs = 100;
/** How long the last contacts have to be completed. */
const lastContactsMs = 15_000;
/** Contacts whose id begins so are measured. */
export const measuredPrefix = 'm';

interface Draft {
  readonly type: string;
  readonly subject: string;
  readonly data: object;
}

class Outbox {
  readonly answers: Record<string, number> = {};
  slowestAnswerMs = 0;
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  #drafts: Draft[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  push(...drafts: readonly Draft[]): void {
    this.#drafts.push(...drafts);
  }

  /** Sends what has come together. */
  async flush(): Promise<void> {
    if (this.#drafts.length === 0) return;
    const events = this.#drafts.splice(0, 1_000).map((draft) => ({
      specversion: '1.0',
      id: `${draft.subject}/${draft.type}`,
      source: '/bench/offers',
      ...draft,
    }));
    const start = performance.now();
    const status = await this.#post(Buffer.from(JSON.stringify(events))).catch(() => 'failed');
    this.answers[status] = (this.answers[status] ?? 0) + 1;
    this.slowestAnswerMs = Math.max(this.slowestAnswerMs, performance.now() - start);
  }

  #post(body: Buffer): Promise<number | string> {
    const { url, key } = this.#options;
    return new Promise((resolve, reject) => {
      const sent = request(
        `${url}/v1/events`,
        {
          agent: this.#agent,
          method: 'POST',
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': 'application/cloudevents-batch+json',
            'content-length': body.length,
          },
        },
        (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode ?? 0));
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

interface Seen {
  readonly type: string;
  readonly subject: string;
  readonly data: { readonly agentId?: string };
}

/** Reads the stream of decided events. Resolves once it is open. */
async function follow(
  { url, key, home }: LoadOptions,
  types: readonly string[],
  take: (event: Seen) => void,
): Promise<void> {
  const ofHome = home === undefined ? [] : [`home=${home}`];
  const query = [...types.map((type) => `type=${type}`), ...ofHome].join('&');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/v1/stream?${query}`, { headers: { authorization: `Bearer ${key}` } }, resolve).once(
      'error',
      reject,
    );
  });
  if (response.statusCode !== 200) {
    throw new Error(`The stream was answered with ${response.statusCode}.`);
  }
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data: ')) take(JSON.parse(line.slice(6)) as Seen);
    }
  });
  response.once('close', () => {
    throw new Error('The stream of events ended.');
  });
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function openCentre(outbox: Outbox, agents: number, suffix: string): Promise<void> {
  const settings = {
    strategy: 'LONGEST_IDLE',
    offerTtlMs: 20_000,
    ageingMsPerLevel: 60_000,
    serviceLevelMs: 20_000,
  };
  outbox.push({ type: 'meridian.queue.configure.v1', subject: 'PS', data: { settings } });
  for (let agent = 0; agent < agents; agent += 1) {
    outbox.push({
      type: 'meridian.agent.sign_in.v1',
      subject: `A${agent}${suffix}`,
      data: {
        sessionId: 's1',
        skills: [{ skill: 'PS', level: 1 }],
        capacities: [{ channel: 'VOICE', limit: 1 }],
        presence: 'AVAILABLE',
      },
    });
  }
  await outbox.flush();
}

const arrival = (subject: string): Draft[] => [
  { type: 'meridian.contact.initiate.v1', subject, data: { method: 'INBOUND', channel: 'VOICE' } },
  { type: 'meridian.contact.enter_queue.v1', subject, data: { queueId: 'PS' } },
];

/** Lets contacts arrive evenly. @returns how long it took, in seconds */
async function arrive(
  outbox: Outbox,
  prefix: string,
  perSecond: number,
  seconds: number,
  suffix: string,
): Promise<number> {
  const start = performance.now();
  const total = perSecond * seconds;
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1_000) * perSecond) + 1);
    for (; sent < due; sent += 1) outbox.push(...arrival(`${prefix}${sent}${suffix}`));
    await pause(flushMs / 2);
  }
  return (performance.now() - start) / 1_000;
}

async function main(options: LoadOptions): Promise<LoadReport> {
  const outbox = new Outbox(options);
  let completed = 0;
  const answers: Readonly<Record<string, (event: Seen) => void>> = {
    'meridian.reservation.created.v1': ({ subject, data }) =>
      outbox.push({
        type: 'meridian.reservation.accept.v1',
        subject,
        data: { agentId: data.agentId },
      }),
    'meridian.contact.connected_to_agent.v1': ({ subject }) => {
      setTimeout(
        () =>
          outbox.push({ type: 'meridian.contact.hang_up.v1', subject, data: { by: 'CUSTOMER' } }),
        talkMs,
      );
    },
    'meridian.contact.acw_started.v1': ({ subject }) =>
      outbox.push({
        type: 'meridian.contact.complete_wrap_up.v1',
        subject,
        data: { disposition: 'resolved' },
      }),
    'meridian.contact.completed.v1': () => {
      completed += 1;
    },
  };
  await follow(options, Object.keys(answers), (event) => answers[event.type]?.(event));
  const suffix = options.home === undefined ? '' : `-${options.home}`;
  await openCentre(outbox, options.agents, suffix);
  const timer = setInterval(() => void outbox.flush(), flushMs);
  const { contactsPerSecond, warmUpSeconds } = options;
  await arrive(outbox, 'w', contactsPerSecond, warmUpSeconds, suffix);
  const seconds = await arrive(
    outbox,
    measuredPrefix,
    contactsPerSecond,
    options.seconds,
    suffix,
  );
  const contacts = contactsPerSecond * options.seconds;
  const sent = contacts + contactsPerSecond * warmUpSeconds;
  const end = performance.now() + lastContactsMs;
  while (completed < sent && performance.now() < end) await pause(flushMs);
  await pause((options.lingerSeconds ?? 0) * 1_000);
  clearInterval(timer);
  return {
    contacts,
    seconds,
    completed,
    sent,
    answers: outbox.answers,
    slowestAnswerMs: outbox.slowestAnswerMs,
  };
}

if (import.meta.main) {
  const report = await main(JSON.parse(process.argv[2] ?? '{}') as LoadOptions);
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}
