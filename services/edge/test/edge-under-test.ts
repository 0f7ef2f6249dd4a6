import { fastify, type FastifyInstance } from 'fastify';
import { followLedger, memoryLog, type Log } from '@meridian/journal';
import { memoryBeat, type Beat } from '@meridian/nest';
import { eventStream } from '@meridian/wire';
import type { Scope } from '@meridian/keys';
import { memoryVault, type Vault } from '@meridian/vault';
import { HeldWatch } from '../src/durability/held-watch.ts';
import { Homes } from '../src/homes/homes.ts';
import { refuseTheRest, serve, serverOptions } from '../src/http/serve.ts';
import type { Route } from '../src/http/route.ts';
import { KeyRing, makeKey } from '@meridian/keys';
import { keyRoutes } from '../src/keys/routes.ts';
import { memoryKeyStore } from '../src/keys/memory-key-store.ts';
import { Intake } from '../src/publish/intake.ts';
import { Sealing, type ResidencyOf } from '../src/personal/sealing.ts';
import { publishRoutes } from '../src/publish/routes.ts';
import { Feed, type FeedLimits } from '../src/stream/feed.ts';
import { StreamHub } from '../src/stream/hub.ts';
import { streamRoutes } from '../src/stream/routes.ts';

export interface EdgeUnderTest {
  readonly url: string;
  readonly log: Log;
  readonly hub: StreamHub;
  readonly homes: Homes;
  readonly held: HeldWatch;
  readonly feed: Feed;
  readonly ring: KeyRing;
  readonly faults: unknown[];
  readonly fastify: FastifyInstance;
  /** Makes a key and gives its token. */
  token(scopes?: readonly Scope[], tenant?: string): string;
  close(): Promise<void>;
}

export interface EdgeUnderTestOptions {
  readonly log?: Log;
  readonly feedLimits?: FeedLimits;
  readonly heartbeatMs?: number;
  readonly streamsLimit?: number;
  /** All regions of the mesh; default `eu` alone. */
  readonly regions?: readonly string[];
  readonly beat?: Beat;
  readonly durabilityWaitMs?: number;
  /** Whether the way in is open; default it is. */
  readonly gate?: { intakeOpen: boolean };
  /** Where keys of data subjects are; default one in memory. */
  readonly vault?: Vault;
  readonly residencyOf?: ResidencyOf;
  readonly more?: (parts: { readonly log: Log }) => readonly Route[];
}

export const fixedTime = '2026-01-31T08:15:00.000Z';

/** An edge of the region `eu` over real HTTP on loopback, without Nest and with a log of one's own. */
export async function startEdge(options: EdgeUnderTestOptions = {}): Promise<EdgeUnderTest> {
  const log = options.log ?? memoryLog();
  const ring = new KeyRing('eu');
  const faults: unknown[] = [];
  const onFault = (error: unknown): void => {
    faults.push(error);
  };
  const regions = options.regions ?? ['eu'];
  const feeds = regions
    .toSorted()
    .map((region) => new Feed(log, eventStream(region), onFault, options.feedLimits));
  const hub = new StreamHub(feeds, {
    heartbeatMs: options.heartbeatMs ?? 60_000,
    streamsLimit: options.streamsLimit ?? 100,
    onFault,
  });
  const followed = followLedger(log, regions.length > 1 ? regions : [], onFault);
  const homes = new Homes({
    log,
    ledger: followed.ledger,
    ledgerKnown: () => followed.caughtUp(),
    region: 'eu',
    regions,
    onFault,
  });
  homes.start();
  const held = new HeldWatch({
    beat: options.beat ?? memoryBeat(),
    region: 'eu',
    regions,
    waitMs: options.durabilityWaitMs ?? 10_000,
  });
  const gate = options.gate ?? { intakeOpen: true };
  const vault = options.vault ?? memoryVault('eu');
  const residencyOf = options.residencyOf ?? (() => regions.toSorted());
  const sealing = new Sealing({ vault, residencyOf, residencyKnown: () => Promise.resolve() });
  const intake = new Intake({ log, region: 'eu', homes, held, sealing, gate });
  const routes: Route[] = [
    ...publishRoutes({ intake, now: () => fixedTime, regions }),
    ...streamRoutes({
      hub,
      region: 'eu',
      regions: regions.toSorted(),
      ledgerKnown: () => followed.caughtUp(),
      ...(regions.length > 1 ? { ledger: followed.ledger } : {}),
    }),
    ...keyRoutes(ring, memoryKeyStore(ring, 'eu'), () => fixedTime),
    ...(options.more?.({ log }) ?? []),
  ];
  const server = fastify(serverOptions as never) as unknown as FastifyInstance;
  serve(server, { routes, authenticate: (token) => ring.authenticate(token), onFault });
  refuseTheRest(server, routes);
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    log,
    hub,
    homes,
    held,
    feed: feeds[regions.toSorted().indexOf('eu')] as Feed,
    ring,
    faults,
    fastify: server,
    token(scopes = ['admin'], tenant = 'demo') {
      const { key, token } = makeKey({ tenant, scopes, label: '', createdAt: fixedTime });
      ring.put({ region: 'eu', name: key.id }, key);
      return token;
    },
    async close() {
      hub.close();
      held.close();
      await homes.close();
      await followed.close();
      await server.close();
    },
  };
}

export const initiate = (
  id: string,
  subject = id,
  more: Record<string, unknown> = {},
): Record<string, unknown> => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'meridian.contact.initiate.v1',
  subject,
  data: { method: 'INBOUND', channel: 'VOICE' },
  ...more,
});

/** Posts events with a key; `body` is sent as it is when it is a text or bytes. */
export async function post(
  url: string,
  token: string | undefined,
  body: unknown,
  headers: Record<string, string> = {},
  path = '/v1/events',
): Promise<{ readonly status: number; readonly body: any; readonly headers: Headers }> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': Array.isArray(body)
        ? 'application/cloudevents-batch+json'
        : 'application/cloudevents+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: raw ? (body as string) : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  };
}
