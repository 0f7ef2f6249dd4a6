import { createHash, createHmac, hash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const secret = 'a secret / with + signs';
const pageLength = 3;

/** What a request was answered with. */
interface Reply {
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const error = (status: number, code: string): Reply => ({
  status,
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} here</Message></Error>`,
});

/** As RFC 3986 has it, which is how SigV4 wants names and values. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/**
 * The part of S3 that archives need, in memory, with one bucket in the path. Every request's
 * signature is computed anew (SigV4, from its description) and its body's hash compared.
 */
export class S3StandIn {
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** `PUT /bucket/name` and so on, without queries. */
  readonly requests: string[] = [];
  versioning: string | undefined;
  /** How many requests are answered with 503 before one is taken. */
  busy = 0;
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What the environment of a command must have. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${this.#port}`,
      AWS_ACCESS_KEY_ID: 'AKTEST',
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_REGION: 'eu-test-1',
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { status, body: answer = '', headers = {} } = this.#reply(request, body);
    response.writeHead(status, headers).end(answer);
  }

  #reply(request: IncomingMessage, body: Buffer): Reply {
    const url = new URL(request.url ?? '', 'http://stand-in');
    const method = request.method ?? '';
    this.requests.push(`${method} ${url.pathname}`);
    if (this.busy > 0) {
      this.busy -= 1;
      return error(503, 'SlowDown');
    }
    if (request.headers['x-amz-content-sha256'] !== hash('sha256', body, 'hex')) {
      return error(400, 'XAmzContentSHA256Mismatch');
    }
    if (!this.#isSigned(request, url)) return error(403, 'SignatureDoesNotMatch');
    const [, bucket, ...rest] = url.pathname.split('/');
    if (bucket !== 'audit') return error(404, 'NoSuchBucket');
    const key = decodeURIComponent(rest.join('/'));
    if (key === '') return this.#ofBucket(url);
    if (url.searchParams.has('uploads') || url.searchParams.has('uploadId')) {
      return this.#ofUpload(method, key, url.searchParams, body);
    }
    return this.#ofObject(method, key, request, body);
  }

  #ofBucket({ searchParams }: URL): Reply {
    if (searchParams.has('versioning')) {
      const status = this.versioning === undefined ? '' : `<Status>${this.versioning}</Status>`;
      return { status: 200, body: `<VersioningConfiguration>${status}</VersioningConfiguration>` };
    }
    const prefix = searchParams.get('prefix') ?? '';
    const after = searchParams.get('continuation-token') ?? '';
    const names = [...this.objects.keys()]
      .filter((name) => name.startsWith(prefix) && name > after)
      .toSorted();
    const page = names.slice(0, pageLength);
    const contents = page.map(
      (name) =>
        `<Contents><Key>${name}</Key><Size>${this.objects.get(name)?.length ?? 0}</Size></Contents>`,
    );
    const next =
      names.length > pageLength
        ? `<NextContinuationToken>${page.at(-1) ?? ''}</NextContinuationToken>`
        : '';
    return {
      status: 200,
      body: `<ListBucketResult>${contents.join('')}${next}</ListBucketResult>`,
    };
  }

  #ofObject(method: string, key: string, { headers }: IncomingMessage, body: Buffer): Reply {
    const known = this.objects.get(key);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return { status: 204 };
    }
    if (method === 'GET') {
      return known === undefined ? error(404, 'NoSuchKey') : { status: 200, body: known };
    }
    if (headers['if-none-match'] === '*' && known !== undefined) {
      return error(412, 'PreconditionFailed');
    }
    this.objects.set(key, body);
    return { status: 200, headers: { etag: `"${hash('md5', body, 'hex')}"` } };
  }

  #ofUpload(method: string, key: string, query: URLSearchParams, body: Buffer): Reply {
    if (query.has('uploads')) {
      const id = `${randomUUID()}+/=&`;
      this.uploads.set(id, new Map());
      const text = id.replaceAll('&', '&amp;');
      return {
        status: 200,
        body: `<InitiateMultipartUploadResult><UploadId>${text}</UploadId></InitiateMultipartUploadResult>`,
      };
    }
    const id = query.get('uploadId') ?? '';
    const parts = this.uploads.get(id);
    if (parts === undefined) return error(404, 'NoSuchUpload');
    if (method === 'DELETE') {
      this.uploads.delete(id);
      return { status: 204 };
    }
    if (method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      return { status: 200, headers: { etag: `"${hash('md5', body, 'hex')}"` } };
    }
    const listed = [
      ...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;(\w+)&quot;/g),
    ];
    const pieces = listed.map(([, number, tag]) => {
      const piece = parts.get(Number(number));
      return piece !== undefined && hash('md5', piece, 'hex') === tag ? piece : undefined;
    });
    // As S3 has it: all but the last part have 5 MiB or more.
    const isWhole = pieces.every(
      (piece, index) =>
        piece !== undefined && (index === pieces.length - 1 || piece.length >= 5 * 1_048_576),
    );
    // Refused with a 200, as S3 does once it has begun to answer.
    const isAll = pieces.length === parts.size;
    if (!isWhole || !isAll) return { ...error(400, 'InvalidPart'), status: 200 };
    this.objects.set(key, Buffer.concat(pieces as Buffer[]));
    this.uploads.delete(id);
    return { status: 200, body: '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>' };
  }

  #isSigned({ method, headers }: IncomingMessage, url: URL): boolean {
    const scopePattern = 'Credential=([^/]+)/(\\d{8})/([^/]+)/s3/aws4_request';
    const pattern = new RegExp(
      `^AWS4-HMAC-SHA256 ${scopePattern}, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$`,
    );
    const [, id, day = '', region = '', names = '', signature] =
      pattern.exec(headers.authorization ?? '') ?? [];
    const time = String(headers['x-amz-date']);
    const signed = names.split(';');
    const mustBe = ['host', 'x-amz-content-sha256', 'x-amz-date'];
    if (
      id !== 'AKTEST' ||
      region !== 'eu-test-1' ||
      !mustBe.every((name) => signed.includes(name))
    ) {
      return false;
    }
    const path = url.pathname
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/');
    const query = [...url.searchParams]
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .toSorted()
      .join('&');
    const lines = signed.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('');
    const canonical = [method, path, query, lines, names, headers['x-amz-content-sha256']].join(
      '\n',
    );
    const scope = `${day}/${region}/s3/aws4_request`;
    const hashed = createHash('sha256').update(canonical).digest('hex');
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hashed}`;
    const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
      (from, part) => createHmac('sha256', from).update(part).digest(),
      Buffer.from(`AWS4${secret}`),
    );
    return createHmac('sha256', key).update(text).digest('hex') === signature;
  }
}
