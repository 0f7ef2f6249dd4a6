import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Reply = (response: ServerResponse, received: Received) => void;

/** A small HTTP server that answers as the test says, and remembers what it was asked. */
export class EdgeDouble {
  readonly received: Received[] = [];
  /** The client's ports that requests came from. */
  readonly connections = new Set<number>();
  /** `GET /v1/clock` to what is answered; the query is not looked at. */
  readonly replies = new Map<string, Reply>();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => this.#answer(request, response, Buffer.concat(chunks).toString()));
  });

  static async start(): Promise<EdgeDouble> {
    const edge = new EdgeDouble();
    await new Promise<void>((resolve) => {
      edge.#server.listen(0, '127.0.0.1', resolve);
    });
    return edge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers a document. */
  json(route: string, document: unknown, status = 200): void {
    this.replies.set(route, (response) => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(document));
    });
  }

  /** Answers a problem document. */
  problem(route: string, status: number, title: string, detail: string): void {
    this.json(route, { type: 'urn:meridian:problem:test', title, status, detail }, status);
  }

  /** Answers lines of NDJSON, from `from` to `to` of the query by their sequence. */
  lines(route: string, entries: readonly { readonly sequence: number }[]): void {
    this.replies.set(route, (response, { path }) => {
      const query = new URL(path, 'http://edge').searchParams;
      const from = Number(query.get('from') ?? 1);
      const to = Number(query.get('to') ?? Infinity);
      const chosen = entries.filter(({ sequence }) => sequence >= from && sequence <= to);
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(chosen.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body,
    };
    this.received.push(received);
    this.connections.add(request.socket.remotePort ?? 0);
    const reply = this.replies.get(`${received.method} ${received.path.split('?')[0]}`);
    if (reply !== undefined) reply(response, received);
    else {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title: 'Not found', status: 404 }));
    }
  }
}
