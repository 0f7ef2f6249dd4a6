import { randomBytes } from 'node:crypto';
import {
  Global,
  Inject,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { connectNats, jetstreamLog, type Log } from '@meridian/journal';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { memoryBeat, natsBeat, type Beat } from './beat.ts';
import { kvCheckpoints, memoryCheckpoints, type Checkpoints } from './checkpoints.ts';
import { openDrivenClock, systemClock, type Clock } from './clock.ts';
import type { RegionConfig } from './config.ts';
import { HealthController } from './health.ts';
import { Homes } from './homes.ts';
import { openLeases, staticLeases, type Leases } from './leases.ts';
import { Link } from './link.ts';
import { createLogger } from './logger.ts';
import { MetricsRegistry } from './metrics.ts';
import type { ServiceRuntime } from './service-runtime.ts';
import { Services } from './services.ts';
import {
  ASIDE,
  BEAT,
  CHECKPOINTS,
  CLOCK,
  CONFIG,
  HOMES,
  LEASES,
  LOG,
  LOGGER,
  METRICS,
  NATS,
  PROGRESS,
  REGISTRY,
  SERVICE,
} from './tokens.ts';

/** What a process may be given instead of making it itself; specifications do. */
export interface Given {
  /** Then no connection is made, and beat and checkpoints are in memory. */
  readonly log?: Log;
  readonly connection?: NatsConnection;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly beat?: Beat;
  readonly checkpoints?: Checkpoints;
  readonly leases?: Leases;
  /** Work on the connection before anything uses it, such as `ensureStreams`. */
  readonly onConnected?: (connection: NatsConnection, config: RegionConfig) => Promise<unknown>;
}

const GIVEN = Symbol('meridian.given');
/** The process's name for itself, new at each start. */
const INSTANCE = Symbol('meridian.instance');

/** Without a control cluster the region decides for its own home, for ever. */
function leasesOf(
  { controlUrl, region, epoch }: RegionConfig,
  beat: Beat,
  homes: Homes,
  instance: string,
): Leases {
  if (controlUrl === undefined) return staticLeases(region, epoch);
  return openLeases({ beat, region, instance, deciding: () => homes.deciding() });
}

async function connectRegion(
  config: RegionConfig,
  given: Given,
): Promise<NatsConnection | undefined> {
  if (given.connection === undefined && given.log !== undefined) return undefined;
  const connection = given.connection ?? (await connectTo(config));
  await given.onConnected?.(connection, config);
  return connection;
}

function connectTo({
  region,
  natsUrl,
  natsUser,
  natsPassword,
  natsSeedFile,
  natsCaFile,
}: RegionConfig): Promise<NatsConnection> {
  return connectNats({
    servers: natsUrl.split(','),
    name: `meridian-${region}`,
    ...(natsUser === undefined || natsPassword === undefined
      ? {}
      : { user: natsUser, pass: natsPassword }),
    ...(natsSeedFile === undefined ? {} : { seedFile: natsSeedFile }),
    ...(natsCaFile === undefined ? {} : { caFile: natsCaFile }),
  });
}

const regionProviders: Provider[] = [
  {
    provide: LOGGER,
    inject: [CONFIG, GIVEN],
    useFactory: (config: RegionConfig, given: Given) =>
      given.logger ?? createLogger(config, 'region'),
  },
  { provide: NATS, inject: [CONFIG, GIVEN], useFactory: connectRegion },
  {
    provide: Link,
    inject: [NATS],
    useFactory: (connection: NatsConnection | undefined) => new Link(connection),
  },
  {
    provide: LOG,
    inject: [NATS, GIVEN],
    useFactory: (connection: NatsConnection, given: Given) =>
      given.log ?? jetstreamLog({ connection }),
  },
  {
    provide: BEAT,
    inject: [CONFIG, NATS, GIVEN],
    useFactory: ({ region }: RegionConfig, connection: NatsConnection | undefined, given: Given) =>
      given.beat ?? (connection === undefined ? memoryBeat() : natsBeat(connection, region)),
  },
  {
    provide: CHECKPOINTS,
    inject: [CONFIG, NATS, GIVEN],
    useFactory: ({ region }: RegionConfig, connection: NatsConnection | undefined, given: Given) =>
      given.checkpoints ??
      (connection === undefined ? memoryCheckpoints() : kvCheckpoints(connection, region)),
  },
  {
    provide: CLOCK,
    inject: [CONFIG, BEAT, GIVEN],
    useFactory: ({ clock, region }: RegionConfig, beat: Beat, given: Given) =>
      given.clock ?? (clock === 'driven' ? openDrivenClock(beat, region) : systemClock()),
  },
  MetricsRegistry,
  { provide: REGISTRY, useExisting: MetricsRegistry },
  { provide: INSTANCE, useFactory: () => randomBytes(6).toString('hex') },
  {
    provide: HOMES,
    inject: [CONFIG, LOG],
    useFactory: ({ regions }: RegionConfig, log: Log) => new Homes(log, regions),
  },
  {
    provide: LEASES,
    inject: [CONFIG, BEAT, HOMES, INSTANCE, GIVEN],
    useFactory: (config: RegionConfig, beat: Beat, homes: Homes, instance: string, given: Given) =>
      given.leases ?? leasesOf(config, beat, homes, instance),
  },
  {
    provide: Services,
    inject: [
      CONFIG,
      LOG,
      CLOCK,
      BEAT,
      CHECKPOINTS,
      MetricsRegistry,
      LOGGER,
      HOMES,
      LEASES,
      INSTANCE,
    ],
    useFactory: (
      { region }: RegionConfig,
      log: Log,
      clock: Clock,
      beat: Beat,
      checkpoints: Checkpoints,
      registry: MetricsRegistry,
      logger: Logger,
      homes: Homes,
      leases: Leases,
      instance: string,
    ) =>
      new Services({
        region,
        log,
        clock,
        beat,
        checkpoints,
        registry,
        logger,
        homes,
        leases,
        instance,
      }),
  },
];

/** What the services of one process have in common: one connection, one log, one clock. */
@Global()
@Module({})
export class RegionModule implements OnApplicationShutdown {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #connection: NatsConnection | undefined;
  readonly #homes: Homes;
  readonly #leases: Leases;

  constructor(
    @Inject(LOG) log: Log,
    @Inject(CLOCK) clock: Clock,
    @Inject(HOMES) homes: Homes,
    @Inject(LEASES) leases: Leases,
    link: Link,
  ) {
    this.#log = log;
    this.#clock = clock;
    this.#homes = homes;
    this.#leases = leases;
    this.#connection = link.connection;
  }

  static forRoot(config: RegionConfig, given: Given = {}): DynamicModule {
    return {
      module: RegionModule,
      controllers: [HealthController],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: GIVEN, useValue: given },
        ...regionProviders,
      ],
      exports: [
        CONFIG,
        NATS,
        HOMES,
        LEASES,
        LOG,
        BEAT,
        CHECKPOINTS,
        CLOCK,
        LOGGER,
        REGISTRY,
        MetricsRegistry,
        Services,
        Link,
      ],
    };
  }

  /** The services have drained by now. */
  async onApplicationShutdown(): Promise<void> {
    this.#clock.close();
    this.#leases.close();
    await this.#homes.close();
    await this.#log.close();
    // Sends what is still in the buffer, last reports among it.
    if (this.#connection?.isClosed() === false) await this.#connection.drain();
  }
}

@Module({})
class ServiceModule {}

const serviceModules = new Map<string, DynamicModule>();

/**
 * What one service is given; its module imports it: SERVICE, ASIDE, PROGRESS, METRICS.
 * The same module at each call with one name.
 */
export function serviceModule(name: string): DynamicModule {
  let module = serviceModules.get(name);
  if (module === undefined) {
    module = {
      module: ServiceModule,
      providers: [
        {
          provide: SERVICE,
          inject: [Services],
          useFactory: (services: Services) => services.of(name),
        },
        {
          provide: ASIDE,
          inject: [SERVICE],
          useFactory: (service: ServiceRuntime) => service.aside,
        },
        {
          provide: PROGRESS,
          inject: [SERVICE],
          useFactory: (service: ServiceRuntime) => service.progress,
        },
        {
          provide: METRICS,
          inject: [MetricsRegistry],
          useFactory: (registry: MetricsRegistry) => registry.of(name),
        },
      ],
      exports: [SERVICE, ASIDE, PROGRESS, METRICS],
    };
    serviceModules.set(name, module);
  }
  return module;
}
