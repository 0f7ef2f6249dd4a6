import { hash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { CommandFault, exitCodes, usageFault } from '../fault.ts';
import type { ArchiveStore, FileWriter, StoredFile } from './store.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How much is sent at once; S3 takes parts from 5 MiB on and 10,000 of them. */
const partBytes = 8 * 1_048_576;
const retries = 4;
const timeoutMs = 120_000;
const notFound = 404;
/** There is a file of this name already, or another is being stored under it. */
const taken = new Set([409, 412]);

interface Bucket {
  readonly client: AwsClient;
  /** Of the bucket, with `/` at its end. */
  readonly url: string;
  readonly prefix: string;
}

interface Sent {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are answers, besides 2xx. */
  readonly also?: ReadonlySet<number>;
}

/**
 * Archives under a prefix of an S3-compatible store. Credentials and region come from
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` and `AWS_REGION` (or
 * `AWS_DEFAULT_REGION`), another store than Amazon's from `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`:
 * there the bucket stands in the path.
 * @throws CommandFault (usage) naming what is wrong
 */
export function s3Store(location: string, env: Environment): ArchiveStore {
  const bucket = bucketOf(location, env);
  const urlOf = (name: string): string => `${bucket.url}${bucket.prefix}${name}`;
  return {
    location,
    list: () => list(bucket),
    async *read(name) {
      const response = await send(bucket, urlOf(name), {
        method: 'GET',
        also: new Set([notFound]),
      });
      if (response.status === notFound) {
        await response.arrayBuffer();
        throw new CommandFault(exitCodes.notFound, `There is no ${location}/${name}.`);
      }
      try {
        yield* response.body as unknown as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw new CommandFault(
          exitCodes.unavailable,
          `${location}/${name} ended early (${(error as Error).message}).\nTry again.`,
        );
      }
    },
    writer: (name) => Promise.resolve(new PartWriter(bucket, urlOf(name))),
    async put(name, text, isNew) {
      const headers = isNew ? { 'if-none-match': '*' } : {};
      const body = Buffer.from(text);
      const response = await send(bucket, urlOf(name), {
        method: 'PUT',
        body,
        headers,
        also: taken,
      });
      await response.arrayBuffer();
      if (response.ok) return true;
      if (isNew) return false;
      throw new CommandFault(
        exitCodes.unavailable,
        `${location}/${name} is being stored elsewhere.`,
      );
    },
    async remove(name) {
      await drain(await send(bucket, urlOf(name), { method: 'DELETE', also: new Set([notFound]) }));
    },
    async keepsRemoved() {
      const response = await send(bucket, bucket.url, { method: 'GET', query: { versioning: '' } });
      const status = textsOf(await response.text(), 'Status')[0];
      return status === undefined
        ? undefined
        : `The bucket of ${location} keeps versions of what is removed (versioning: ${status}).`;
    },
  };
}

function bucketOf(location: string, env: Environment): Bucket {
  const [, name, path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(location) ?? [];
  if (name === undefined || !/^[A-Za-z0-9._/-]*$/.test(path)) {
    throw usageFault(
      `${JSON.stringify(location)} is no place for archives.\n` +
        'Give a folder, or s3://bucket/prefix with letters, digits and ._-/ alone.',
    );
  }
  const given = (variable: string): string | undefined => {
    const text = env[variable];
    return text === '' ? undefined : text;
  };
  const accessKeyId = given('AWS_ACCESS_KEY_ID');
  const secretAccessKey = given('AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw usageFault(
      `${location} needs credentials.\nSet AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
    );
  }
  const region = given('AWS_REGION') ?? given('AWS_DEFAULT_REGION') ?? 'us-east-1';
  const endpoint = given('AWS_ENDPOINT_URL_S3') ?? given('AWS_ENDPOINT_URL');
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint)) {
    throw usageFault(`The endpoint of S3 is ${endpoint}; it must begin with http:// or https://.`);
  }
  const sessionToken = given('AWS_SESSION_TOKEN');
  const prefix = path.split('/').filter((part) => part !== '');
  return {
    client: new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
      retries,
    }),
    url:
      endpoint === undefined
        ? `https://${name}.s3.${region}.amazonaws.com/`
        : `${endpoint.replace(/\/+$/, '')}/${name}/`,
    prefix: prefix.map((part) => `${part}/`).join(''),
  };
}

/** Sends a signed request: what the body is, is signed too. @throws CommandFault unless it went well */
async function send({ client }: Bucket, url: string, sent: Sent): Promise<Response> {
  const { method, query = {}, body, headers = {}, also } = sent;
  const search = new URLSearchParams(query);
  const whole = search.size === 0 ? url : `${url}?${search.toString().replaceAll('+', '%20')}`;
  const what = `${method} ${url}`;
  let response: Response;
  // Until it answers; how long a body takes is another matter.
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new Error(`silent for ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    response = await client.fetch(whole, {
      method,
      headers: { ...headers, 'x-amz-content-sha256': hash('sha256', body ?? '', 'hex') },
      ...(body === undefined ? {} : { body }),
      signal: controller.signal,
    });
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new CommandFault(exitCodes.unavailable, `${what}: no answer (${why}).`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (response.ok || also?.has(response.status) === true) return response;
  throw refused(what, response.status, await response.text());
}

function refused(what: string, status: number, text: string): CommandFault {
  const code = textsOf(text, 'Code')[0] ?? '';
  const message = textsOf(text, 'Message')[0] ?? '';
  return new CommandFault(
    status >= 500 ? exitCodes.unavailable : exitCodes.refused,
    `${what}: ${status} ${code}\n${message}`.trimEnd(),
  );
}

const drain = async (response: Response): Promise<void> => {
  await response.arrayBuffer();
};

async function list(bucket: Bucket): Promise<StoredFile[]> {
  const { url, prefix } = bucket;
  const found: StoredFile[] = [];
  let token: string | undefined;
  do {
    const query = {
      'list-type': '2',
      prefix,
      ...(token === undefined ? {} : { 'continuation-token': token }),
    };
    const response = await send(bucket, url, { method: 'GET', query });
    const text = await response.text();
    for (const entry of textsOf(text, 'Contents')) {
      const [key = ''] = textsOf(entry, 'Key');
      const [size = '0'] = textsOf(entry, 'Size');
      found.push({ name: key.slice(prefix.length), bytes: Number(size) });
    }
    token = textsOf(text, 'NextContinuationToken')[0];
  } while (token !== undefined);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What stands in each element of a name: S3's answers have neither attributes in them nor CDATA. */
function textsOf(xml: string, element: string): string[] {
  const pattern = new RegExp(`<${element}>([^]*?)</${element}>`, 'g');
  return [...xml.matchAll(pattern)].map(([, text = '']) =>
    text.includes('<') ? text : plain(text),
  );
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const plain = (text: string): string =>
  text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => entities[name] ?? '');

/** Sends a file in parts of 8 MiB, a short one at once. S3 shows it when all of it is there. */
class PartWriter implements FileWriter {
  readonly #bucket: Bucket;
  readonly #url: string;
  readonly #part = Buffer.allocUnsafe(partBytes);
  readonly #tags: string[] = [];
  #filled = 0;
  #upload: string | undefined;

  constructor(bucket: Bucket, url: string) {
    this.#bucket = bucket;
    this.#url = url;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length;) {
      if (this.#filled === partBytes) await this.#sendPart();
      const piece = chunk.subarray(from, from + partBytes - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      from += piece.length;
    }
  }

  async commit(): Promise<void> {
    if (this.#upload === undefined) {
      const body = this.#part.subarray(0, this.#filled);
      await drain(await send(this.#bucket, this.#url, { method: 'PUT', body }));
      return;
    }
    await this.#sendPart();
    const parts = this.#tags.map(
      (tag, index) =>
        `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag.replaceAll('"', '&quot;')}</ETag></Part>`,
    );
    const body = Buffer.from(
      `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
    );
    const query = { uploadId: this.#upload };
    const response = await send(this.#bucket, this.#url, { method: 'POST', query, body });
    // It is 200 before it is known whether it goes well.
    const text = await response.text();
    if (text.includes('<Error>')) throw refused(`POST ${this.#url}`, 500, text);
    this.#upload = undefined;
  }

  async abort(): Promise<void> {
    if (this.#upload === undefined) return;
    const query = { uploadId: this.#upload };
    this.#upload = undefined;
    await send(this.#bucket, this.#url, { method: 'DELETE', query }).then(drain, () => {});
  }

  async #sendPart(): Promise<void> {
    if (this.#upload === undefined) {
      const begun = await send(this.#bucket, this.#url, { method: 'POST', query: { uploads: '' } });
      this.#upload = textsOf(await begun.text(), 'UploadId')[0];
    }
    const query = { partNumber: String(this.#tags.length + 1), uploadId: this.#upload ?? '' };
    const body = this.#part.subarray(0, this.#filled);
    const response = await send(this.#bucket, this.#url, { method: 'PUT', query, body });
    await drain(response);
    this.#tags.push(response.headers.get('etag') ?? '');
    this.#filled = 0;
  }
}
