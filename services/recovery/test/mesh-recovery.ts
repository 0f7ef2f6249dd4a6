import {
  ensureMirrors,
  ensureStreams,
  jetstreamLog,
  Ledger,
  followLedger,
} from '@meridian/journal';
import type { FollowedLedger, Log } from '@meridian/journal';
import { memoryCheckpoints, natsBeat, openLeases, type Leases } from '@meridian/nest';
import { eventually, type Mesh } from '@meridian/testing';
import { intakeStream, intakeSubject } from '@meridian/wire';
import type { NatsConnection } from '@nats-io/nats-core';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CopiesMetrics } from '../src/copies/index.ts';
import { natsControl, Recovery, RecoveryMetrics } from '../src/index.ts';
import { settingsOf } from '../src/domain/settings.ts';

/** A region's recovery on a mesh, with one decider's leases. */
export interface RecoveringRegion {
  readonly name: string;
  readonly connection: NatsConnection;
  readonly log: Log;
  readonly ledger: FollowedLedger;
  readonly recovery: Recovery;
  readonly leases: Leases;
  readonly registry: Registry;
  close(): Promise<void>;
}

/** Streams and mirrors of all regions of a mesh that run. */
export async function layOut(mesh: Mesh): Promise<void> {
  const names = [...mesh.regions.keys()];
  for (const name of names) {
    const connection = await mesh.region(name).connect({ timeout: 20_000 });
    await ensureStreams(connection, name, { development: true });
    await connection.close();
  }
  for (const name of names) {
    const connection = await mesh.region(name).connect({ timeout: 20_000 });
    await eventually(`the mirrors of ${name}`, async () => {
      const made = await ensureMirrors(connection, name, names, { development: true });
      return made.every(({ consumer }) => consumer !== 'away');
    });
    await connection.close();
  }
}

export async function recoverRegion(
  mesh: Mesh,
  name: string,
  leaseMs = 5_000,
): Promise<RecoveringRegion> {
  const regions = [...mesh.regions.keys()];
  const connection = await mesh.region(name).connect({ timeout: 20_000 });
  const controlConnection = await mesh.region(name).connectControl({
    pingInterval: 2_000,
    waitOnFirstConnect: true,
  });
  const log = await jetstreamLog({ connection });
  const beat = natsBeat(connection, name);
  const registry = new Registry();
  const failures: unknown[] = [];
  const ledger = followLedger(log, regions, (error) => failures.push(error), {
    ledger: new Ledger(),
  });
  await ledger.caughtUp();
  const recovery = new Recovery({
    settings: settingsOf({ region: name, regions, instance: crypto.randomUUID(), leaseMs }),
    log,
    ledger: ledger.ledger,
    beat,
    checkpoints: memoryCheckpoints(),
    connection,
    control: natsControl({ connection: controlConnection, regions }),
    epoch: 1,
    metrics: new RecoveryMetrics(registry),
    copiesMetrics: new CopiesMetrics(registry),
    development: true,
    logger: pino({ level: process.env['LOG_LEVEL'] ?? 'silent', base: { region: name } }),
  });
  await recovery.open();
  const leases = openLeases({ beat, region: name, instance: `d-${name}`, deciding: () => ({}) });
  return {
    name,
    connection,
    log,
    ledger,
    recovery,
    leases,
    registry,
    async close() {
      leases.close();
      await recovery.close();
      await ledger.close();
      await log.close();
      await connection.close();
      await controlConnection.close();
    },
  };
}

/** Asks for a failover through a region's intake, as its edge would store it. */
export async function requestFailover(
  { log, name }: Pick<RecoveringRegion, 'log' | 'name'>,
  home: string,
  data: {
    readonly to: string;
    readonly kind: 'PLANNED' | 'UNPLANNED';
    readonly reason?: string;
    readonly breakGlass?: boolean;
  },
): Promise<void> {
  const id = crypto.randomUUID();
  const aggregate = { tenant: 'meridian', entity: 'failover', id: home };
  await log.append(intakeStream(name), {
    subject: intakeSubject(name, home, aggregate),
    messageId: id,
    data: JSON.stringify({
      specversion: '1.0',
      id,
      source: '/test',
      type: 'meridian.failover.request.v1',
      subject: home,
      time: new Date().toISOString(),
      tenant: 'meridian',
      datacontenttype: 'application/json',
      data,
    }),
  });
}
