import { connect } from 'node:net';

/** One request as its bytes go over the wire. */
export interface RawRequest {
  readonly what: string;
  readonly bytes: Buffer;
  /** The client says that it sends no more, before an answer came. */
  readonly endsEarly?: true;
}

export interface RawReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Sends bytes over a connection of their own and reads the first answer. @throws when there is none */
export function exchange(port: number, request: RawRequest): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const finish = (): void => {
      const reply = parseReply(received);
      socket.destroy();
      if (reply === undefined) {
        reject(
          new Error(
            `No answer to ${request.what}: ${JSON.stringify(received.toString('latin1').slice(0, 200))}`,
          ),
        );
      } else resolve(reply);
    };
    socket.setTimeout(20_000, finish);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (parseReply(received) !== undefined) finish();
    });
    socket.on('error', () => {});
    socket.on('close', finish);
    socket.write(request.bytes);
    if (request.endsEarly) socket.end();
  });
}

function parseReply(received: Buffer): RawReply | undefined {
  const text = received.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = Number(headers.get('content-length') ?? Number.NaN);
  const body = received.subarray(headEnd + 4);
  if (Number.isNaN(length) || body.length < length) return undefined;
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: body.subarray(0, length).toString('utf8'),
  };
}

/** What a request is made of; whatever is wrong in it stays wrong. */
export interface Parts {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  token?: string | undefined;
  contentLength?: number;
}

/** Writes a request as bytes. */
export function raw({
  method = 'POST',
  path = '/v1/events',
  headers = {},
  body = '',
  token,
  contentLength,
}: Parts): Buffer {
  const bytes = Buffer.from(body as string);
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1'];
  if (token !== undefined) lines.push(`authorization: Bearer ${token}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (method === 'POST' || bytes.length > 0) {
    lines.push(`content-length: ${contentLength ?? bytes.length}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}
