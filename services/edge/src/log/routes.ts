import { meshTenant, type Log, type LogMessage } from '@meridian/journal';
import { asideStream, eventStream, intakeStream, parseSubject } from '@meridian/wire';
import { readAsideItem } from '@meridian/nest';
import { Refusal, shown } from '../domain/problem.ts';
import { invalidParameter, oneOf, wholeNumber } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import { reasonHeaders, type AccessBook } from '../access/index.ts';
import { HttpSink } from '../stream/http-sink.ts';

/** The headers that Meridian and NATS give entries. */
const headerNames = [
  'Nats-Msg-Id',
  'Nats-Expected-Last-Subject-Sequence',
  'Meridian-Consumed',
  'Meridian-Epoch',
  'traceparent',
] as const;

/** How much text is put together before it is written, in characters. */
const chunkLength = 65_536;
const largest = Number.MAX_SAFE_INTEGER;

const query: Parameters = {
  from: {
    description: 'The sequence of the first entry; default the first',
    schema: { type: 'integer', minimum: 1 },
  },
  to: {
    description: 'The sequence of the last entry; default the last at the time of the request',
    schema: { type: 'integer', minimum: 1 },
  },
  follow: {
    description: 'Go on with what is stored from now on, until `to`',
    schema: { type: 'boolean', default: false },
  },
};

/** Ends logs that are followed, when the service closes. */
export interface OpenLogs {
  close(): void;
}

/**
 * `GET /v1/log/{stream}`: the entries of the key's tenant and the mesh's own as they are stored, one
 * JSON object a line; all of them for an operator's key, which is of the tenant `meridian`. Of the
 * other regions' streams it gives this region's copies.
 * @param regions of the mesh, this one among them
 * @param access where it is recorded who reads; nowhere when absent
 */
export function logRoutes(
  log: Log,
  region: string,
  onFault: (error: unknown) => void,
  regions: readonly string[] = [region],
  access?: Pick<AccessBook, 'record'>,
): { readonly routes: Route[]; readonly open: OpenLogs } {
  const others = regions.filter((one) => one !== region).toSorted();
  const streams = [
    intakeStream(region),
    eventStream(region),
    asideStream(region),
    ...others.flatMap((one) => [intakeStream(one), eventStream(one)]),
  ];
  const sinks = new Set<HttpSink>();
  const route: Route = {
    method: 'GET',
    path: '/v1/log/{stream}',
    scope: 'admin',
    operationId: 'readLog',
    tag: 'operations',
    summary: 'Raw entries of a stream, of the tenant of the key and of the mesh itself',
    parameters: {
      stream: {
        description: 'The stream',
        schema: { type: 'string', enum: streams },
        example: streams[1] as string,
      },
    },
    query,
    headers: reasonHeaders,
    replies: {
      200: {
        description: 'One JSON object a line',
        content: {
          'application/x-ndjson': {
            schema: { type: 'string' },
            example:
              '{"stream":"IN_eu","sequence":1,"subject":"in.eu.demo.eu.contact.c1",' +
              '"storedAt":"2026-01-31T08:15:00.000Z","headers":{},"data":"{…}"}\n',
          },
        },
      },
    },
    refusals: [404, 503],
    async handle(call: Call) {
      const { key, parameters, query: values, reply } = call;
      const stream = parameters['stream'] as string;
      if (!streams.includes(stream)) {
        throw new Refusal(
          'not-found',
          `There is no stream ${shown(stream)} in this region; there are ${streams.join(', ')}.`,
        );
      }
      const from = wholeNumber('from', values.one('from'), { least: 1, most: largest }) ?? 1;
      const to = wholeNumber('to', values.one('to'), { least: 1, most: largest });
      const follow = oneOf('follow', values.one('follow') ?? 'false', ['true', 'false']) === 'true';
      if (to !== undefined && to < from) {
        throw invalidParameter('to', `is ${to}, before from (${from})`);
      }
      await access?.record(call, 'LOG', `/v1/log/${stream}`);
      const last = await orRefuse(log.lastSequence(stream));
      reply.hijack();
      reply.raw.writeHead(200, {
        'content-type': 'application/x-ndjson; charset=utf-8',
        'cache-control': 'no-store',
      });
      const closed = Promise.withResolvers<void>();
      const sink = new HttpSink(reply.raw, closed.resolve);
      sinks.add(sink);
      const reading: Reading = {
        stream,
        from,
        to: to ?? (follow ? Infinity : last),
        last,
        tenant: key.tenant,
      };
      try {
        await send(log, sink, reading, closed.promise);
      } catch (error) {
        onFault(error);
        // The answer has begun; the only way to say that it is not whole is to break it off.
        reply.raw.destroy();
      } finally {
        sinks.delete(sink);
        sink.end();
      }
    },
  };
  return {
    routes: [route],
    open: {
      close: () => {
        for (const sink of sinks) sink.end();
      },
    },
  };
}

interface Reading {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  /** Where the stream ended at the time of the request. */
  readonly last: number;
  readonly tenant: string;
}

async function send(
  log: Log,
  sink: HttpSink,
  reading: Reading,
  closed: Promise<void>,
): Promise<void> {
  const { stream, from, to, last, tenant } = reading;
  const filters = filtersOf(stream, tenant);
  const past = Math.min(to, last);
  if (past >= from) {
    for await (const batch of log.replayBatches(stream, { from, to: past, filters })) {
      await sendBatch(sink, batch, tenant);
      if (sink.closed) return;
    }
  }
  if (to <= last) return;
  const ended = Promise.withResolvers<void>();
  // One entry at a time: the follower waits for the client, so nothing piles up here.
  const follower = log.follow(
    stream,
    { after: Math.max(last, from - 1), maxPending: 1, onFailure: ended.reject },
    async (message) => {
      if (sink.closed || message.sequence > to) return ended.resolve();
      const text = isOwn(message, tenant) ? lineOf(message) : '';
      if (text !== '' && !sink.write(text)) await sink.ready();
      if (message.sequence >= to) ended.resolve();
    },
  );
  try {
    await Promise.race([ended.promise, closed]);
  } finally {
    await follower.close();
  }
}

async function sendBatch(
  sink: HttpSink,
  batch: readonly LogMessage[],
  tenant: string,
): Promise<void> {
  let text = '';
  for (const message of batch) {
    if (isOwn(message, tenant)) text += lineOf(message);
    if (text.length < chunkLength) continue;
    if (!sink.write(text)) await sink.ready();
    if (sink.closed) return;
    text = '';
  }
  if (text !== '' && !sink.write(text)) await sink.ready();
}

/** A key of the mesh's own tenant is an operator's: it reads all of a stream. */
function filtersOf(stream: string, tenant: string): string[] {
  const region = stream.slice(stream.indexOf('_') + 1);
  if (tenant === meshTenant) {
    return [`${stream.slice(0, stream.indexOf('_')).toLowerCase()}.${region}.>`];
  }
  const tenants = [tenant, meshTenant];
  if (stream === intakeStream(region)) return tenants.map((one) => `in.${region}.${one}.>`);
  if (stream === eventStream(region)) return tenants.map((one) => `ev.${region}.*.${one}.>`);
  return [`aside.${region}.>`];
}

/** What is set aside says in its record whose it is; elsewhere the subject says it. */
function isOwn(message: LogMessage, tenant: string): boolean {
  if (tenant === meshTenant) return true;
  const subject = message.subject.startsWith('aside.')
    ? readAsideItem(message)?.subject
    : message.subject;
  if (subject === undefined) return false;
  const parsed = parseSubject(subject);
  // Who decides for which home, and who asked for it, is everybody's to know who checks a log.
  return (
    parsed?.tenant === tenant ||
    (parsed?.tenant === meshTenant && !message.subject.startsWith('aside.'))
  );
}

function lineOf(message: LogMessage): string {
  const headers: Record<string, string> = {};
  for (const name of headerNames) {
    const value = message.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { stream, sequence, subject, storedAtMs } = message;
  const storedAt = new Date(storedAtMs).toISOString();
  return `${JSON.stringify({ stream, sequence, subject, storedAt, headers, data: message.text() })}\n`;
}
