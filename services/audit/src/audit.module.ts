import { Inject, Injectable, Module } from '@nestjs/common';
import type { Log } from '@meridian/journal';
import {
  BEAT,
  CLOCK,
  CONFIG,
  HOMES,
  LEASES,
  LOG,
  LOGGER,
  REGISTRY,
  SERVICE,
  serviceModule,
  type Beat,
  type Clock,
  type Homes,
  type Leases,
  type MetricsRegistry,
  type RegionConfig,
  type Service,
} from '@meridian/nest';
import type { Logger } from 'pino';
import { Audit } from './audit.ts';
import { EventStoreRunner } from './eventstore/runner.ts';
import { AuditMetrics } from './metrics.ts';
import type { OrderedLog } from './order/ordered-log.ts';
import { ORDERED_LOG } from './order/tokens.ts';
import { PrivacyModule } from './privacy/privacy.module.ts';
import { readAuditSettings } from './settings.ts';

/** Begins and ends the audit with its process. */
@Injectable()
export class AuditRunner {
  readonly #audit: Audit;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CONFIG) config: RegionConfig,
    @Inject(LOG) log: Log,
    @Inject(BEAT) beat: Beat,
    @Inject(HOMES) homes: Homes,
    @Inject(LEASES) leases: Leases,
    @Inject(CLOCK) clock: Clock,
    @Inject(REGISTRY) registry: MetricsRegistry,
    @Inject(LOGGER) logger: Logger,
  ) {
    const { region, regions, controlUrl } = config;
    const own = logger.child({ service: 'audit' });
    const onFailure = (error: unknown): void =>
      own.error({ err: error }, 'The order cannot be followed.');
    const audit = new Audit({
      log,
      ledger: homes.ledger,
      grants: leases,
      beat,
      region,
      regions,
      isReported: regions.length > 1 && controlUrl !== undefined,
      now: () => clock.now(),
      settings: readAuditSettings(),
      metrics: new AuditMetrics(registry.registry),
      logger: own,
      onFailure,
    });
    this.#audit = audit;
    homes.decides('audit', () => audit.deciding());
    service.onOpen(async () => {
      await homes.open(onFailure);
      await audit.open();
    });
    service.onClose(() => audit.close());
  }

  get ordered(): OrderedLog {
    return this.#audit.ordered;
  }
}

@Module({
  imports: [serviceModule('audit'), PrivacyModule],
  providers: [
    AuditRunner,
    {
      provide: ORDERED_LOG,
      inject: [AuditRunner],
      useFactory: (runner: AuditRunner) => runner.ordered,
    },
    EventStoreRunner,
  ],
  exports: [ORDERED_LOG],
})
export class AuditModule {}
