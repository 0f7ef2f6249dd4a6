import type { Random } from '@meridian/core';
import {
  adminBodies,
  badPaths,
  badProtobufs,
  badQueries,
  badTokens,
  brokenRequests,
  contentTypes,
  drillBodies,
  failoverBodies,
  headerValues,
  lastEventIds,
  methods,
  nowhere,
  streamQueries,
  type Targets,
} from './hostile-values.ts';
import { raw, type Parts, type RawRequest } from './raw-http.ts';

const structured = { 'content-type': 'application/cloudevents+json' };
const list = { 'content-type': 'application/cloudevents-batch+json' };

const good = (id: string): Record<string, any> => ({
  specversion: '1.0',
  id,
  source: '/hostile',
  type: 'meridian.contact.enter_queue.v1',
  subject: 'c1',
  data: { queueId: 'support', priority: 3, requirements: [{ skill: 'en', minimumLevel: 2 }] },
});

/** Makes hostile requests, none of which may be accepted. Everything comes from `random`. */
export class Hostility {
  readonly #random: Random;
  readonly #targets: Targets;
  #count = 0;

  constructor(random: Random, targets: Targets) {
    this.#random = random;
    this.#targets = targets;
  }

  next(): RawRequest {
    this.#count += 1;
    const [what, make] = this.#pick(this.#makers());
    return { what, ...make() };
  }

  #makers(): (readonly [string, () => Omit<RawRequest, 'what'>])[] {
    const { token } = this.#targets;
    const send = (parts: Parts): Omit<RawRequest, 'what'> => ({ bytes: raw({ token, ...parts }) });
    const event = (value: unknown): Omit<RawRequest, 'what'> =>
      send({ headers: structured, body: JSON.stringify(value) });
    return [
      ['not JSON', () => send({ headers: this.#bit(structured, list), body: this.#noise() })],
      [
        'truncated JSON',
        () => {
          const text = JSON.stringify(this.#bit(good('t'), [good('t')]));
          return send({ headers: structured, body: text.slice(0, this.#below(text.length - 1)) });
        },
      ],
      ['a wrong value at any field', () => event(this.#spoil(good(`w${this.#count}`)))],
      [
        'a wrong value within a batch',
        () => {
          const events: unknown[] = Array.from({ length: 1 + this.#below(5) }, (_, index) =>
            good(`b${this.#count}-${index}`),
          );
          events[this.#below(events.length)] = this.#spoil(good('bad'));
          return send({ headers: list, body: JSON.stringify(events) });
        },
      ],
      ['a missing field', () => event(this.#without(good('m')))],
      [
        'an unknown field',
        () => {
          const value = good('u');
          value['data'][`x${this.#count}`] = this.#junk(0);
          return event(value);
        },
      ],
      ['no event at all', () => event(this.#pick([null, 1, 'x', true, [], [good('x')], {}]))],
      [
        'no list at all',
        () =>
          send({
            headers: list,
            body: JSON.stringify(this.#pick([{}, null, 'x', [], [[]], [null], good('x')])),
          }),
      ],
      [
        'a type that cannot be published',
        () =>
          event({
            ...good('e'),
            type: this.#pick([
              'meridian.contact.queued.v1',
              'constructor',
              '__proto__',
              'x',
              'meridian.contact.enter_queue.v2',
            ]),
          }),
      ],
      ['a deep nesting', () => this.#deep(send)],
      ['a prototype', () => send({ headers: structured, body: this.#prototype() })],
      [
        'bad UTF-8',
        () => {
          const body = Buffer.from(JSON.stringify(good('utf8-........')));
          body[20 + this.#below(8)] = 0x80 + this.#below(0x7f);
          body.writeUInt8(0xff, body.indexOf('utf8-') + 5);
          return send({ headers: structured, body });
        },
      ],
      [
        'a huge body',
        () =>
          send({ headers: structured, body: `"${'x'.repeat(1_048_576 + this.#below(100_000))}"` }),
      ],
      [
        'a huge body that is only announced',
        () => ({
          bytes: raw({
            token,
            headers: structured,
            body: '{',
            contentLength: 2_000_000 + this.#below(1e9),
          }),
        }),
      ],
      [
        'a wrong content type',
        () =>
          send({
            headers: {
              'content-type': this.#pick(contentTypes),
            },
            body: JSON.stringify(good('ct')),
          }),
      ],
      [
        'a content encoding',
        () =>
          send({
            headers: { ...structured, 'content-encoding': this.#pick(['gzip', 'br', 'x']) },
            body: JSON.stringify(good('ce')),
          }),
      ],
      ['bad ce- headers', () => send(this.#binary())],
      [
        'bad protobuf',
        () =>
          send({
            headers: { ...this.#ceHeaders('pb'), 'content-type': 'application/protobuf' },
            body: this.#pick(badProtobufs((limit) => this.#below(limit))),
          }),
      ],
      [
        'another tenant',
        () =>
          event({ ...good('t'), tenant: this.#pick(['other', '', 1, null, 'demo.*', 'demo ']) }),
      ],
      [
        'a bad key',
        () => ({
          bytes: raw({
            headers: structured,
            body: JSON.stringify(good('k')),
            token: this.#pick(badTokens(this.#targets)),
          }),
        }),
      ],
      [
        'a key without the scope',
        () => ({
          bytes: raw({
            headers: structured,
            body: JSON.stringify(good('k')),
            token: this.#targets.readToken,
          }),
        }),
      ],
      ['an admin route without the scope', () => ({ bytes: raw(this.#adminParts()) })],
      [
        'an unknown query parameter',
        () =>
          send({
            headers: structured,
            path: `/v1/events?${this.#pick(badQueries)}`,
            body: JSON.stringify(good('q')),
          }),
      ],
      ['an unknown path or method', () => send(this.#nowhere())],
      [
        'a bad stream',
        () => ({ bytes: raw({ token, method: 'GET', path: `/v1/stream?${this.#badQuery()}` }) }),
      ],
      [
        'a bad Last-Event-ID',
        () => ({
          bytes: raw({
            token,
            method: 'GET',
            path: '/v1/stream',
            headers: {
              'last-event-id': this.#pick(lastEventIds),
            },
          }),
        }),
      ],
      [
        'a body that ends early',
        () => ({
          bytes: raw({
            token,
            headers: structured,
            body: JSON.stringify(good('short')).slice(0, -5),
            contentLength: 400,
          }),
          endsEarly: true,
        }),
      ],
      [
        'a body longer than it says',
        () => ({
          bytes: raw({
            token,
            headers: structured,
            body: JSON.stringify(good('long')),
            contentLength: 20,
          }),
        }),
      ],
      ['broken HTTP', () => this.#brokenHttp()],
      ['a bad administrative body', () => send(this.#adminBody())],
      ['a bad failover or receipt', () => send(this.#meshBody())],
      [
        'a request of the mesh itself',
        () =>
          event({
            ...good('mesh'),
            type: this.#pick(['meridian.failover.request.v1', 'meridian.drill.record.v1']),
            data: { to: 'eu', kind: 'PLANNED' },
          }),
      ],
      [
        'a bad path parameter',
        () =>
          send({
            method: this.#pick(['GET', 'DELETE']),
            path: this.#pick(badPaths),
          }),
      ],
    ];
  }

  #spoil(value: Record<string, any>): unknown {
    const pathOf = this.#pick<string[]>([
      ['specversion'],
      ['id'],
      ['source'],
      ['type'],
      ['subject'],
      ['time'],
      ['datacontenttype'],
      ['correlationid'],
      ['traceparent'],
      ['region'],
      ['data'],
      ['data', 'queueId'],
      ['data', 'priority'],
      ['data', 'requirements'],
      ['data', 'requirements', '0'],
      ['data', 'requirements', '0', 'skill'],
      ['data', 'requirements', '0', 'minimumLevel'],
    ]);
    let target: any = value;
    for (const name of pathOf.slice(0, -1)) target = target[name];
    const name = pathOf.at(-1) as string;
    const wrong: unknown[] = [
      null,
      false,
      true,
      {},
      { a: 1 },
      [[]],
      -1,
      1.5,
      '',
      ' ',
      'a b',
      'x'.repeat(300),
      '\u0000',
      '\r\nx: y',
      '\ud800',
      '../../x',
      '*',
      'a.b.>',
      ['x'],
    ];
    if (name !== 'priority' && name !== 'minimumLevel') wrong.push(0, 7, 1e300);
    if (name === 'id') {
      wrong.splice(
        0,
        wrong.length,
        null,
        1,
        {},
        [],
        '',
        '\u0000',
        '\r\n',
        '\ud800',
        'x'.repeat(300),
      );
    }
    // These are references to URIs, strange as they are.
    const taken = name === 'source' ? ['../../x', '*'] : [];
    target[name] = this.#pick(wrong.filter((each) => !taken.includes(each as string)));
    return value;
  }

  #without(value: Record<string, any>): unknown {
    const name = this.#pick([
      'specversion',
      'id',
      'source',
      'type',
      'subject',
      'data',
      'queueId',
      'skill',
      'minimumLevel',
    ]);
    if (name === 'queueId') delete value['data'].queueId;
    else if (name === 'skill' || name === 'minimumLevel') {
      delete value['data'].requirements[0][name];
    } else delete value[name];
    return value;
  }

  #deep(send: (parts: Parts) => Omit<RawRequest, 'what'>): Omit<RawRequest, 'what'> {
    const depth = 33 + this.#below(20_000);
    const [open, close] = this.#pick<readonly [string, string]>([
      ['[', ']'],
      ['{"a":', '}'],
    ]);
    const deep = `${open.repeat(depth)}1${close.repeat(depth)}`;
    const body = this.#pick([deep, `{"specversion":"1.0","data":${deep}}`, open.repeat(depth)]);
    return send({ headers: this.#bit(structured, list), body });
  }

  #prototype(): string {
    const text = JSON.stringify({ ...good('p'), data: { queueId: 'q', PLACE: 1 } });
    return this.#pick([
      text.replace('"PLACE":1', '"__proto__":{"isAdmin":true}'),
      text.replace('"PLACE":1', '"\\u005f\\u005fproto__":{"isAdmin":true}'),
      text.replace('"PLACE":1', '"constructor":{"prototype":{"isAdmin":true}}'),
      text.replace('"data"', '"__proto__":{"type":"x"},"data"'),
      text.replace('"data"', '"toString":"x","data"'),
    ]);
  }

  #ceHeaders(id: string): Record<string, string> {
    return {
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/hostile',
      'ce-type': 'meridian.contact.enter_queue.v1',
      'ce-subject': 'c1',
    };
  }

  #binary(): Parts {
    const headers: Record<string, string> = {
      ...this.#ceHeaders('bin'),
      'content-type': 'application/json',
    };
    const name = this.#pick(Object.keys(headers).filter((each) => each.startsWith('ce-')));
    const change = this.#below(5);
    if (change === 0) delete headers[name];
    else if (change === 1) {
      headers[name] = this.#pick(headerValues);
    } else if (change === 2) {
      headers[
        this.#pick(['ce-data', 'ce-datacontenttype', 'ce-__proto__', 'ce-Tenant', 'ce-a_b'])
      ] = 'other';
    } else if (change === 3) headers['ce-traceparent'] = 'x';
    else return { headers, body: this.#noise() };
    return { headers, body: JSON.stringify({ queueId: 'support' }) };
  }

  #adminParts(): Parts {
    const token = this.#targets.readToken;
    return this.#pick<Parts>([
      { token, method: 'GET', path: '/v1/keys' },
      { token, method: 'GET', path: '/v1/log/IN_eu' },
      {
        token,
        path: '/v1/keys',
        headers: { 'content-type': 'application/json' },
        body: '{"scopes":["admin"]}',
      },
    ]);
  }

  #meshBody(): Parts {
    const [path, bodies] = this.#pick<readonly [string, readonly string[]]>([
      ['/v1/failovers', failoverBodies],
      ['/v1/drills', drillBodies],
    ]);
    return { path, headers: { 'content-type': 'application/json' }, body: this.#pick(bodies) };
  }

  #adminBody(): Parts {
    return {
      path: '/v1/keys',
      headers: {
        'content-type': this.#pick([
          'application/json',
          'application/json',
          'application/json',
          'text/plain',
        ]),
      },
      body: this.#pick(adminBodies),
    };
  }

  #nowhere(): Parts {
    const method = this.#pick(methods);
    if (this.#below(4) === 0) {
      return { method: this.#pick(['GET', 'PUT', 'PATCH', 'DELETE']), path: '/v1/events' };
    }
    const path = this.#pick(nowhere);
    return {
      method,
      path,
      headers: method === 'POST' ? structured : {},
      body: method === 'POST' ? JSON.stringify(good('n')) : '',
    };
  }

  #badQuery(): string {
    return this.#pick(streamQueries);
  }

  #brokenHttp(): Omit<RawRequest, 'what'> {
    return { bytes: Buffer.from(this.#pick(brokenRequests(this.#targets.token)), 'latin1') };
  }

  #noise(): Buffer {
    const bytes = Buffer.from(Array.from({ length: 1 + this.#below(200) }, () => this.#below(256)));
    // Digits alone would be JSON.
    return Buffer.concat([Buffer.from('~'), bytes]);
  }

  #junk(depth: number): unknown {
    return depth > 3
      ? 1
      : this.#pick<unknown>([
          null,
          1,
          'x',
          [1],
          { a: depth > 2 ? 1 : this.#junk(depth + 1) },
          'x'.repeat(5_000),
        ]);
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T;
  }

  #bit<T>(left: T, right: T): T {
    return this.#below(2) === 0 ? left : right;
  }
}
