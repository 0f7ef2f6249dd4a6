import { Inject, Injectable, Module } from '@nestjs/common';
import { connectNats, type Log } from '@meridian/journal';
import {
  BEAT,
  CHECKPOINTS,
  CONFIG,
  HOMES,
  LOG,
  LOGGER,
  NATS,
  REGISTRY,
  SERVICE,
  serviceModule,
  type Beat,
  type Checkpoints,
  type Homes,
  type MetricsRegistry,
  type RegionConfig,
  type Service,
} from '@meridian/nest';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Control } from './control/control.ts';
import { lateControl } from './control/late-control.ts';
import { CopiesMetrics } from './copies/index.ts';
import { natsControl } from './control/nats-control.ts';
import { settingsOf } from './domain/settings.ts';
import { RecoveryMetrics } from './metrics.ts';
import { Recovery } from './recovery.ts';

/** A link that says nothing for two of these is left, and another control server is tried. */
const pingEveryMs = 2_000;

/** Begins and ends recovery with its process. */
@Injectable()
class RecoveryRunner {
  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CONFIG) config: RegionConfig,
    @Inject(LOG) log: Log,
    @Inject(BEAT) beat: Beat,
    @Inject(CHECKPOINTS) checkpoints: Checkpoints,
    @Inject(HOMES) homes: Homes,
    @Inject(NATS) connection: NatsConnection | undefined,
    @Inject(REGISTRY) registry: MetricsRegistry,
    @Inject(LOGGER) logger: Logger,
  ) {
    // On a log that was given to the process nothing is replicated.
    if (connection === undefined) return;
    const { region, regions, leaseMs, onIsolation, epoch } = config;
    const control = openControl(config);
    const recovery = new Recovery({
      settings: settingsOf({
        region,
        regions,
        leaseMs,
        onIsolation,
        instance: crypto.randomUUID(),
      }),
      log,
      ledger: homes.ledger,
      beat,
      checkpoints,
      connection,
      epoch,
      metrics: new RecoveryMetrics(registry.registry),
      copiesMetrics: new CopiesMetrics(registry.registry),
      development: process.env['MERIDIAN_DEV'] === '1',
      logger: logger.child({ service: 'recovery' }),
      ...(control === undefined ? {} : { control }),
    });
    homes.decides('recovery', () => recovery.deciding());
    service.onOpen(async () => {
      await homes.open((error) => logger.error({ err: error }, 'The ledger cannot be followed.'));
      await recovery.open();
    });
    service.onClose(() => recovery.close());
  }
}

/** Connects in the background: a region whose control cluster is away must start all the same. */
function openControl(config: RegionConfig): Control | undefined {
  const { controlUrl, controlSeedFile, natsCaFile, region, regions } = config;
  if (controlUrl === undefined) return undefined;
  const connecting = connectNats({
    servers: controlUrl.split(','),
    name: `meridian-control-${region}`,
    waitOnFirstConnect: true,
    noRandomize: true,
    pingInterval: pingEveryMs,
    ...(controlSeedFile === undefined ? {} : { seedFile: controlSeedFile }),
    ...(natsCaFile === undefined ? {} : { caFile: natsCaFile }),
  });
  return lateControl(
    connecting.then((connection) => {
      const control = natsControl({ connection, regions });
      return {
        ...bound(control),
        close: async () => {
          await control.close();
          await connection.close();
        },
      };
    }),
  );
}

const bound = (control: Control): Control => ({
  read: () => control.read(),
  write: (key, value, expectedRevision) => control.write(key, value, expectedRevision),
  watch: (onEntry) => control.watch(onEntry),
  close: () => control.close(),
});

@Module({ imports: [serviceModule('recovery')], providers: [RecoveryRunner] })
export class RecoveryModule {}
