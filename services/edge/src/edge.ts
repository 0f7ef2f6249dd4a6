import { join } from 'node:path';
import { toTimestamp } from '@meridian/core';
import type { Log } from '@meridian/journal';
import { KeyRing } from '@meridian/keys';
import { ProgressWatch, type Beat, type Clock, type Leases } from '@meridian/nest';
import { FollowedPrivacy } from '@meridian/privacy';
import { memoryVault, openVault } from '@meridian/vault';
import { eventStream } from '@meridian/wire';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Registry } from 'prom-client';
import { AccessBook, reasonHeaders } from './access/index.ts';
import { RestWatch } from './clock/rest.ts';
import { clockRoutes } from './clock/routes.ts';
import type { EdgeConfig } from './config.ts';
import { documentRoutes } from './documents/routes.ts';
import type { Authenticate } from './http/serve.ts';
import type { Route } from './http/route.ts';
import { makeFirstKey } from './keys/bootstrap.ts';
import { openKeyStore, type KeyStore } from './keys/key-store.ts';
import { memoryKeyStore } from './keys/memory-key-store.ts';
import { keyRoutes } from './keys/routes.ts';
import { logRoutes } from './log/routes.ts';
import { directoryLimits } from './domain/home-directory.ts';
import { aliveElsewhere } from './homes/seed.ts';
import { openMesh, type Mesh } from './mesh.ts';
import { openPersonal, personalRoutes } from './personal/index.ts';
import { privacyRoutes } from './privacy/index.ts';
import { openReadModels, type ReadModels } from './projections/index.ts';
import { Intake } from './publish/intake.ts';
import { serveNats } from './publish/nats-intake.ts';
import { publishRoutes } from './publish/routes.ts';
import { asOfRoutes, radiusAt, readRoutes } from './read-api/index.ts';
import { drillRoutes } from './regions/drill-routes.ts';
import { failoverRoutes } from './regions/failover-routes.ts';
import type { RegionParts } from './regions/parts.ts';
import { regionRoutes } from './regions/routes.ts';
import { setAsideRoutes } from './set-aside/routes.ts';
import { Feed, feedLimits } from './stream/feed.ts';
import { StreamHub } from './stream/hub.ts';
import { streamRoutes } from './stream/routes.ts';

/** For how long what changes is collected before it is written to the read models, in ms. */
const collectMs = 100;

/** What an edge is made of. */
export interface EdgeParts {
  readonly region: string;
  /** All regions of the mesh, this one among them. */
  readonly regions: readonly string[];
  readonly config: EdgeConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly beat: Beat;
  /** How long a region's lease holds, in ms. */
  readonly leaseMs: number;
  /** Whether the way in is open. */
  readonly leases: Pick<Leases, 'intakeOpen'>;
  /** Where metrics go; none are kept without it. */
  readonly registry?: Registry;
  /** Absent in a process that runs on a log in memory. */
  readonly nats: NatsConnection | undefined;
  readonly onFault: (error: unknown) => void;
  readonly onNote: (line: string) => void;
}

/** An edge: its routes, and what is open behind them. */
export interface Edge {
  readonly routes: readonly Route[];
  readonly authenticate: Authenticate;
  /** Ends streams and what listens; requests under way can still be answered. */
  close(): Promise<void>;
}

/** Opens the keys, the read models and the ways in, and puts the route table together. */
export async function openEdge(parts: EdgeParts): Promise<Edge> {
  const { region, regions, config, log, clock, beat, nats, onFault } = parts;
  const realNow = (): string => toTimestamp(Date.now());
  const now = (): number => (clock.started ? clock.now() : Date.now());
  const ring = new KeyRing(region);
  const store =
    nats === undefined
      ? memoryKeyStore(ring, region)
      : await openKeyStore(ring, { nats, log, region, regions, onFailure: onFault });
  await makeDevelopmentKey(parts, ring, store, realNow());
  const authenticate: Authenticate = (token) => ring.authenticate(token);
  const mesh = openMesh(parts);
  const sorted = [...regions].toSorted();
  const vault =
    nats === undefined ? memoryVault(region) : await openVault({ nats, region, regions });
  const privacy = new FollowedPrivacy({
    log,
    ledger: mesh.ledger,
    regions: sorted,
    onFailure: onFault,
    onEvent: (_, event) => {
      if (event.type !== 'meridian.privacy.subject_erasure_requested.v1') return;
      vault.forget(event.data.keys.map(({ id }) => id));
    },
  });
  const access = new AccessBook({
    log,
    region,
    regions: sorted,
    now: () => toTimestamp(now()),
    monotonicMs: () => performance.now(),
  });
  const { sealing, opening } = openPersonal({
    vault,
    privacy,
    recordAccess: (call, kind, what) => access.record(call, kind, what),
  });
  const intake = new Intake({ log, region, ...mesh, sealing, gate: parts.leases });
  const feeds = sorted.map((one) => new Feed(log, eventStream(one), onFault, feedLimits(sorted)));
  const hub = new StreamHub(feeds, { ...config, onFault });
  const logs = logRoutes(log, region, onFault, sorted, access);
  const watch = new ProgressWatch(beat, region);
  const rest = new RestWatch({ log, region, regions, watch, required: config.requiredServices });
  const past = asOfRoutes({ log, region, regions: sorted, access, opening, ...mesh });
  const models = config.readModels ? await openModels(parts, mesh, now) : undefined;
  mesh.homes.start(models && (() => aliveElsewhere(models, directoryLimits)));
  const endNats =
    nats === undefined
      ? undefined
      : serveNats({
          nats,
          region,
          regions,
          intake,
          authenticate,
          onFault,
          now: () => toTimestamp(now()),
        });
  const mine: RegionParts = {
    log,
    region,
    ...mesh,
    regions: sorted,
    gate: parts.leases,
    leaseMs: parts.leaseMs,
    progress: () => watch.reports(),
    residency: () => privacy.residencySets(),
    now: realNow,
    ...(models === undefined ? {} : { radiusOf: (home: string) => radiusAt(models, home) }),
  };
  const routes: Route[] = [
    ...publishRoutes({ intake, now: () => toTimestamp(now()), regions }),
    ...streamRoutes({
      hub,
      region,
      regions: sorted,
      ledgerKnown: mesh.ledgerKnown,
      ...mesh.counting,
    }),
    ...(models === undefined ? [] : readRoutes(models, opening, access)),
    ...past.routes,
    ...regionRoutes(mine),
    ...failoverRoutes(mine),
    ...drillRoutes(mine),
    ...personalRoutes(opening, reasonHeaders),
    ...privacyRoutes({
      log,
      region,
      regions: sorted,
      privacy,
      vault,
      access,
      ledger: mesh.ledger,
      now: () => toTimestamp(now()),
      ...(models === undefined ? {} : { models }),
    }),
    ...logs.routes,
    ...setAsideRoutes(log, region, now),
    ...keyRoutes(ring, store, realNow),
    ...clockRoutes({ clock, beat, region, rest }),
  ];
  return {
    routes: [...routes, ...documentRoutes(routes, region)],
    authenticate,
    async close() {
      hub.close();
      logs.open.close();
      past.close();
      watch.close();
      await rest.close();
      await privacy.close();
      await mesh.close();
      await endNats?.();
      await store.close();
      await vault.close();
      await models?.close();
    },
  };
}

async function makeDevelopmentKey(
  { config, onNote }: EdgeParts,
  ring: KeyRing,
  store: KeyStore,
  now: string,
): Promise<void> {
  if (!config.development) return;
  await makeFirstKey(ring, store, { now, file: config.keyFile, show: onNote });
}

function openModels(
  { region, regions, log, config, clock, onNote }: EdgeParts,
  { ledger, ledgerKnown }: Mesh,
  now: () => number,
): Promise<ReadModels> {
  return openReadModels({
    region,
    log,
    ...(regions.length > 1 ? { mesh: { regions, ledger, ledgerKnown } } : {}),
    now,
    dataDir: join(config.dataDir, region, 'postgres'),
    onLog: onNote,
    // Who drives the clock waits for the rows at each of its steps.
    collectMs: clock.source === 'driven' ? 0 : collectMs,
    ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl }),
  });
}
