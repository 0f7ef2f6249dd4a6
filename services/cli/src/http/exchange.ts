import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Repeating it changes nothing, so a connection that the server had closed is no failure. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface ExchangeOptions {
  /** Of the edge: `http://127.0.0.1:8080`. A path in it is put before every path. */
  readonly url: string;
  readonly key?: string;
  /** Why it is asked, for the record. */
  readonly reason?: string;
  /** How many connections there are at most; requests beyond wait for one. Default 64. */
  readonly connections?: number;
  /** How long an answer may keep silent, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/** HTTP over kept connections. Errors are those of node:http; an answer of any status is an answer. */
export class Exchange {
  readonly url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof httpRequest;
  readonly #timeoutMs: number;
  readonly #prefix: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws TypeError when the URL is none, or neither http nor https */
  constructor({ url, key, reason, connections = 64, timeoutMs = 30_000 }: ExchangeOptions) {
    this.url = new URL(url);
    const { protocol, pathname } = this.url;
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new TypeError(`${url} is neither http nor https.`);
    }
    const options = {
      keepAlive: true,
      maxSockets: connections,
      maxFreeSockets: connections,
      scheduling: 'lifo',
    } as const;
    this.#agent = protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent(options);
    this.#request = protocol === 'http:' ? httpRequest : httpsRequest;
    this.#timeoutMs = timeoutMs;
    this.#prefix = pathname.replace(/\/$/, '');
    this.#headers = {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(reason === undefined ? {} : { 'meridian-reason': headerText(reason) }),
    };
  }

  /** Sends a request and reads the whole answer. */
  async send(call: Call): Promise<Answer> {
    try {
      return await this.#sendOnce(call);
    } catch (error) {
      // The server closed an idle connection as we took it: nothing of the answer was sent.
      if (call.repeatable === true && (error as { stale?: boolean }).stale === true) {
        return this.#sendOnce(call);
      }
      throw error;
    }
  }

  /** Sends a request and hands over the answer as it comes; the caller reads it to its end. */
  open(call: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.url;
      const host = hostname.replace(/^\[|\]$/g, '');
      const request = this.#request({
        host,
        port,
        method: call.method,
        path: `${this.#prefix}${call.path}`,
        agent: this.#agent,
        headers: {
          ...this.#headers,
          ...(call.body === undefined ? {} : { 'content-length': Buffer.byteLength(call.body) }),
          ...call.headers,
        },
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      request.setTimeout(this.#timeoutMs, () => {
        request.destroy(new Error(`silent for ${this.#timeoutMs} ms`));
      });
      request.on('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale =
          request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(Object.assign(error, { stale }));
      });
      request.end(call.body);
    });
  }

  /** Closes the connections. Requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  async #sendOnce(call: Call): Promise<Answer> {
    const response = await this.open(call);
    const text = await readText(response);
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }
}

/** A text as a header may hold it: as it is in printable ASCII, else as RFC 8187 writes it. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `utf-8''${encodeURIComponent(text)}`;
}

/** The whole body as UTF-8. */
export function readText(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
    });
    response.on('end', () =>
      resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString()),
    );
    response.on('error', reject);
  });
}
