import { Inject, Injectable, Module } from '@nestjs/common';
import type { Log } from '@meridian/journal';
import {
  CLOCK,
  CONFIG,
  HOMES,
  LOG,
  LOGGER,
  NATS,
  SERVICE,
  serviceModule,
  type Clock,
  type Homes,
  type RegionConfig,
  type Service,
} from '@meridian/nest';
import { FollowedPrivacy } from '@meridian/privacy';
import { openVault, type Vault } from '@meridian/vault';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { PrivacyHandlers } from './handlers.ts';
import { KeyEraser } from './key-eraser.ts';

/** How often it looks whether keys are to be destroyed, in ms. */
const tickMs = 500;

/** Destroys keys in its region as long as the process runs. */
@Injectable()
export class KeyEraserRunner {
  #privacy: FollowedPrivacy | undefined;
  #vault: Vault | undefined;
  #working: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CONFIG) { region, regions }: RegionConfig,
    @Inject(LOG) log: Log,
    @Inject(NATS) nats: NatsConnection | undefined,
    @Inject(HOMES) homes: Homes,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    // On a log in memory there are no vaults.
    if (nats === undefined) return;
    const own = logger.child({ service: 'privacy' });
    const onFailure = (error: unknown): void =>
      own.error({ err: error }, 'What is decided about persons’ data cannot be followed.');
    service.onOpen(async () => {
      await homes.open(onFailure);
      this.#vault ??= await openVault({ nats, region, regions });
      this.#privacy ??= new FollowedPrivacy({ log, ledger: homes.ledger, regions, onFailure });
      const eraser = new KeyEraser({
        log,
        vault: this.#vault,
        privacy: this.#privacy,
        region,
        regions,
        now: () => clock.now(),
        monotonicMs: () => performance.now(),
        logger: own,
      });
      this.#timer = setInterval(() => {
        this.#working ??= eraser.work().finally(() => {
          this.#working = undefined;
        });
      }, tickMs);
      this.#timer.unref();
    });
    service.onClose(async () => {
      clearInterval(this.#timer);
      await this.#working;
      await this.#privacy?.close();
      await this.#vault?.close();
    });
  }
}

/** What is decided about persons' data, and the destroying of keys that follows from it. */
@Module({
  imports: [serviceModule('privacy')],
  controllers: [PrivacyHandlers],
  providers: [KeyEraserRunner],
})
export class PrivacyModule {}
