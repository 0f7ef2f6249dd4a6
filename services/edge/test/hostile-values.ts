/** What is not taken as the type of events. */
export const contentTypes = [
  'text/plain',
  'application/xml',
  'multipart/form-data; boundary=x',
  'application/json',
  '',
  ';',
  'x',
  'application/cloudevents+json; charset=utf-16',
  'application/cloudevents+avro',
] as const;

/** What is no id of an event of the stream. */
export const lastEventIds = [
  'x',
  'EV_eu:',
  'EV_us:1.0',
  'EV_eu:1',
  'EV_eu:-1.0',
  'EV_eu:9007199254740993.0',
  'EV_eu:999.0',
  'EV_eu:1.0.0',
  '0',
  'EV_eu:1.9999999',
  'EV_eu:1,EV_us:2.0',
  'EV_eu:1.0,EV_eu:2.0',
  'EV_eu:1.0,',
  ',',
  'EV_us:1',
  'EV_eu:0.0',
] as const;

/** Paths with a parameter that names nothing. */
export const badPaths = [
  '/v1/keys/none',
  '/v1/log/IN_us',
  '/v1/log/KV_KEYS_eu',
  '/v1/log/..%2f',
  `/v1/keys/${'x'.repeat(200)}`,
  '/v1/keys/%00',
  '/v1/log/%',
  '/schemas/..%2f..%2fpackage.json',
  '/schemas/__proto__.json',
  '/v1/regions/xx/plan?to=eu',
  '/v1/regions/eu/plan',
  '/v1/regions/eu/plan?to=xx',
  '/v1/regions/eu/plan?to=eu&to=eu',
  '/v1/regions/..%2f/plan?to=eu',
  '/v1/regions/__proto__/plan?to=eu',
  '/v1/regions?home=eu',
  '/v1/failovers?home=xx',
  '/v1/failovers?limit=0',
  '/v1/drills?limit=x',
  '/v1/drills/none',
] as const;

/** Values that no ce- header may have. */
export const headerValues = [
  '%',
  '%zz',
  '%ff',
  '%00',
  '',
  '\u00e9',
  '%0d%0aX: y',
  '%ed%a0%80',
] as const;

/** Bodies that make no key. */
export const adminBodies = [
  '',
  '{}',
  '[]',
  'null',
  '{"scopes":[]}',
  '{"scopes":["root"]}',
  '{"scopes":["read"],"label":5}',
  '{"scopes":["read"],"tenant":"other"}',
  '{"scopes":{"length":1}}',
  '{"__proto__":{"scopes":["admin"]}}',
  `{"scopes":["read"],"label":"${'x'.repeat(500)}"}`,
] as const;

/** Bodies that ask for no failover. */
export const failoverBodies = [
  ...adminBodies,
  '{"home":"eu","to":"eu"}',
  '{"home":"xx","to":"eu","kind":"PLANNED"}',
  '{"home":"eu","to":"*","kind":"PLANNED"}',
  '{"home":["eu"],"to":"eu","kind":"PLANNED"}',
  '{"home":"eu","to":"eu","kind":"NOW"}',
  '{"home":"eu","to":"eu","kind":["PLANNED"]}',
  '{"home":"__proto__","to":"constructor","kind":"PLANNED"}',
  '{"home":"eu","to":"eu","kind":"PLANNED","id":"a.b"}',
  '{"home":"eu","to":"eu","kind":"PLANNED","epoch":9}',
] as const;

const receipt = {
  receipt: '{}',
  passed: true,
  exercise: 'x',
  startedAt: '2026-01-31T08:00:00Z',
  endedAt: '2026-01-31T08:00:00Z',
};

/** Bodies that are no receipt. */
export const drillBodies = [
  ...adminBodies,
  JSON.stringify({ ...receipt, passed: 1 }),
  JSON.stringify({ ...receipt, receipt: {} }),
  JSON.stringify({ ...receipt, receipt: 'x'.repeat(140_000) }),
  JSON.stringify({ ...receipt, startedAt: 'now' }),
  JSON.stringify({ ...receipt, id: '../x' }),
] as const;

/** Methods, known and unknown. */
export const methods = [
  'GET',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'POST',
] as const;

/** Paths at which nothing is. */
export const nowhere = [
  '/v1/event',
  '/v2/events',
  '/v1/events/',
  '/v1/events/1',
  '//v1/events',
  '/admin',
  '/.env',
  '/%2e%2e/etc/passwd',
  '/v1/stream/x',
  '/v1//keys',
  `/${'a'.repeat(3_000)}`,
] as const;

/** Queries that no stream has. */
export const streamQueries = [
  'from=x',
  'from=-1',
  'from=0',
  'from=1e3',
  'from=999999',
  'from=9007199254740993',
  'to=0',
  'to=x',
  'from=2&to=1',
  'entity=x',
  'entity=',
  'type=x',
  'subject=*',
  'subject=a.b',
  'x=1',
  'from=start&from=now',
  `subject=${'a,'.repeat(200)}a`,
  '__proto__=x',
  'from=%ff',
  'from=EV_us:1',
  'from=EV_eu:1.0,EV_eu:2.0',
  'from=EV_eu:999999.0',
  'to=EV_us:1',
  'to=EV_eu:x',
  'home=us',
  'home=',
  'home=eu.>',
] as const;

/** What is no HTTP request, or not a whole one. */
export function brokenRequests(token: string): string[] {
  const post = `POST /v1/events HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\n`;
  const chunked = 'transfer-encoding: chunked\r\n';
  return [
    'GET\r\n\r\n',
    'POST /v1/events HTTP/9.9\r\n\r\n',
    '\u0000\u0001\u0002\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: a\r\nx\r\n\r\n',
    `${post}content-length: -1\r\n\r\n`,
    `${post}content-length: 3\r\ncontent-length: 4\r\n\r\nabcd`,
    `${post}${chunked}content-length: 4\r\n\r\nabcd`,
    `${post}content-type: application/cloudevents+json\r\n${chunked}\r\nzz\r\n{}\r\n0\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n',
    'SPDY / HTTP/1.1\r\n\r\n',
    `${post} x: folded\r\nbad header\r\n\r\n`,
  ];
}

/** Queries that publishing has not. */
export const badQueries = [
  'x=1',
  'durability=all',
  'durability=mirrored',
  'durability=MIRRORED',
  'durability=all,region',
  'durability=',
  'durability=region&durability=region',
  '__proto__=1',
  'constructor=1',
  '%ff=1',
  'durability[]=region',
];

/** The keys that hostile requests show. */
export interface Targets {
  readonly token: string;
  readonly readToken: string;
  readonly revokedToken: string;
}

/** Field 1 (the queue) is a text; none of these is a whole message. */
export function badProtobufs(below: (limit: number) => number): Buffer[] {
  return [
    Buffer.from([0x0a, 0x7f, 0x61]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x08]),
    Buffer.from([0x0a, 0x02, 0xc3, 0x28]),
    Buffer.from([0xfa, 0x3f, 0x01, 0x61]),
    Buffer.alloc(1 + below(64), 0x00),
    Buffer.from([0x0b]),
    Buffer.from('{"queueId":"support"}'),
    Buffer.alloc(0),
  ];
}

/** What is no key that is worth anything. */
export function badTokens({ token, revokedToken }: Targets): (string | undefined)[] {
  return [
    undefined,
    '',
    'x',
    revokedToken,
    token.slice(0, -1),
    `${token}x`,
    token.toUpperCase(),
    `mk_nobody_${'A'.repeat(43)}`,
    token.replace(/.{3}$/, 'AAA').replace(/_[^_]+_/, '_other_'),
    `${token} ${token}`,
    'mk___proto___'.padEnd(60, 'A'),
    'Ω',
  ];
}
