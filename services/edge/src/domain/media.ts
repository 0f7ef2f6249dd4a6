import { Refusal, shown } from './problem.ts';

/** The ways in which CloudEvents come: the whole event in the body, many, or attributes in headers. */
export type Mode = 'structured' | 'batch' | 'binary-json' | 'binary-protobuf';

export const cloudEventType = 'application/cloudevents+json';
export const batchType = 'application/cloudevents-batch+json';

const takenHere =
  `Take ${cloudEventType} (one event), ${batchType} (a list), or ce- headers with ` +
  'application/json or application/protobuf (binary mode).';

/** A content type without its parameters, in lower case, and its character set. */
export function parseMediaType(header: string): {
  readonly type: string;
  readonly charset: string | undefined;
} {
  const [type = '', ...parameters] = header.split(';');
  let charset: string | undefined;
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() === 'charset') {
      charset = value.trim().toLowerCase().replaceAll('"', '');
    }
  }
  return { type: type.trim().toLowerCase(), charset };
}

/**
 * How a request's body is to be read.
 * @param binary whether there are `ce-` headers
 * @throws Refusal 415 when it is of no kind taken here
 */
export function modeOf(
  contentType: string | undefined,
  contentEncoding: string | undefined,
  binary: boolean,
): Mode {
  if (
    contentEncoding !== undefined &&
    contentEncoding !== '' &&
    contentEncoding.toLowerCase() !== 'identity'
  ) {
    throw new Refusal(
      'unsupported-media-type',
      `The content encoding ${shown(contentEncoding)} is not taken; send the body as it is.`,
    );
  }
  if (contentType === undefined || contentType === '') {
    if (binary) return 'binary-json';
    throw new Refusal('unsupported-media-type', `The content type is missing. ${takenHere}`);
  }
  const { type, charset } = parseMediaType(contentType);
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new Refusal(
      'unsupported-media-type',
      `The character set ${shown(charset)} is not taken; send UTF-8.`,
    );
  }
  if (type === cloudEventType) return 'structured';
  if (type === batchType) return 'batch';
  if (binary && type === 'application/json') return 'binary-json';
  if (binary && type === 'application/protobuf') return 'binary-protobuf';
  throw new Refusal(
    'unsupported-media-type',
    `The content type ${shown(type)} is not taken${
      type === 'application/json' || type === 'application/protobuf' ? ' without ce- headers' : ''
    }. ${takenHere}`,
  );
}

/**
 * The attributes that the headers of a binary-mode event carry, by the HTTP binding of CloudEvents
 * 1.0 (values percent-encoded). What is no attribute is left for the contract's check to refuse.
 * @param headers names in lower case, with or without those of other kinds
 */
export function attributesOf(
  headers: Iterable<readonly [name: string, value: string]>,
): Record<string, unknown> {
  const event = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of headers) {
    if (!name.startsWith('ce-')) continue;
    const attribute = name.slice(3);
    if (attribute === 'data' || attribute === 'datacontenttype' || attribute in event) {
      throw headerRefusal(
        name,
        attribute in event ? 'is given twice' : 'is not taken: data is the body, of Content-Type',
      );
    }
    event[attribute] = decodeHeader(name, value);
  }
  return event;
}

function decodeHeader(name: string, value: string): string {
  if (!/^[\x20-\x7e]*$/.test(value)) {
    throw headerRefusal(name, 'must be printable ASCII; percent-encode the rest');
  }
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    throw headerRefusal(name, `has a wrong percent-encoding: ${shown(value)}`);
  }
}

function headerRefusal(name: string, what: string): Refusal {
  const detail = `The header ${name.slice(0, 64)} ${what}.`;
  return new Refusal('invalid-event', detail, {
    errors: [{ pointer: `/${name.slice(3, 67)}`, code: 'not_allowed', detail }],
  });
}

/** A `traceparent` header as W3C Trace Context defines it; undefined when it is none and to be passed over. */
export function readTraceparent(header: string | undefined): string | undefined {
  return header !== undefined &&
    /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) &&
    !header.startsWith('ff')
    ? header
    : undefined;
}
