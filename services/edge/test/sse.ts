import { request, type IncomingMessage } from 'node:http';
import { eventually } from '@meridian/testing';

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

/** A client of server-sent events that can be cut off, or told not to read. */
export class SseClient {
  readonly events: SentEvent[] = [];
  comments = 0;
  /** The id that came without an event, before the first. */
  begunAt: string | undefined;
  ended = false;
  readonly #response: IncomingMessage;
  #rest = '';

  constructor(response: IncomingMessage, paused: boolean) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('close', () => {
      this.ended = true;
    });
    response.on('error', () => {});
    if (!paused) this.read();
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get lastId(): string | undefined {
    return this.events.at(-1)?.id;
  }

  read(): void {
    this.#response.on('data', (text: string) => this.#take(text));
  }

  cut(): void {
    this.#response.destroy();
  }

  async has(count: number): Promise<readonly SentEvent[]> {
    await eventually(
      `${count} events, not ${this.events.length}`,
      () => this.events.length >= count,
    );
    return this.events;
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon), line.slice(colon + 1).trimStart()] as const;
        }),
      );
      if (fields.has('')) this.comments += 1;
      const data = fields.get('data');
      if (data === undefined) this.begunAt ??= fields.get('id');
      if (data === undefined) continue;
      this.events.push({
        id: fields.get('id') ?? '',
        event: fields.get('event') ?? '',
        data: JSON.parse(data),
      });
    }
  }
}

/** Opens a stream; resolves once the answer has begun. */
export function openStream(
  url: string,
  token: string,
  query = '',
  lastEventId?: string,
  paused = false,
): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/stream${query}`,
      {
        headers: {
          authorization: `Bearer ${token}`,
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        agent: false,
      },
      (response) => resolve(new SseClient(response, paused)),
    );
    sent.once('error', reject);
    sent.end();
  });
}
