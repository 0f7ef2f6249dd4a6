import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Log } from '@meridian/journal';
import {
  CLOCK,
  CONFIG,
  HOMES,
  LEASES,
  LOG,
  LOGGER,
  NATS,
  SERVICE,
  type Clock,
  type Homes,
  type Leases,
  type RegionConfig,
  type Service,
} from '@meridian/nest';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { OrderedLog } from '../order/ordered-log.ts';
import { ORDERED_LOG } from '../order/tokens.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import { KeyWatch } from './keys.ts';
import { followPersonal, type FollowedPersonal } from './personal.ts';
import { readEventStoreSettings, type EventStoreSettings } from './settings.ts';

const retryMs = 2_000;

/** Begins and ends the gateway of the event-store protocol with its process, if it has a port. */
@Injectable()
export class EventStoreRunner {
  readonly #closing = new AbortController();
  #gateway: Gateway | undefined;
  #keys: KeyWatch | undefined;
  #personal: FollowedPersonal | undefined;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CONFIG) { region, regions }: RegionConfig,
    @Inject(LOG) log: Log,
    @Inject(NATS) nats: NatsConnection | undefined,
    @Inject(ORDERED_LOG) ordered: OrderedLog,
    @Inject(HOMES) homes: Homes,
    @Inject(LEASES) leases: Leases,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    const settings = readEventStoreSettings();
    if (settings === undefined) return;
    const own = logger.child({ service: 'audit' });
    homes.decides('eventstore', () => this.#gateway?.deciding() ?? {});
    service.onOpen(() => {
      const keys = new KeyWatch(log, region, regions, (error) =>
        own.error({ err: error }, 'API keys can no longer be followed.'),
      );
      this.#keys = keys;
      const grants = leases;
      const { ledger } = homes;
      void this.#serve(own, async () => ({
        log,
        ordered,
        ledger,
        region,
        regions,
        grants,
        keys,
        personal: (this.#personal ??= await followPersonal({
          log,
          ledger,
          region,
          regions,
          nats,
          own,
        })),
        ...optionsOf(settings, region),
        now: () => clock.now(),
        onFault: (error) => own.error({ err: error }, 'A call of an event-store client failed.'),
      }));
    });
    service.onClose(async () => {
      this.#closing.abort();
      await this.#gateway?.close();
      await this.#keys?.close();
      await this.#personal?.close();
    });
  }

  /** A port that is taken, or a certificate that is not there yet, keeps no other service waiting. */
  async #serve(logger: Logger, options: () => Promise<GatewayOptions>): Promise<void> {
    // Only who serves it pays for gRPC.
    const { openGateway } = await import('./gateway.ts');
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const gateway = await openGateway(await options());
        const { host, port } = gateway;
        if (signal.aborted) await gateway.close();
        else this.#gateway = gateway;
        logger.info({ host, port }, `The event-store protocol is served on ${host}:${port}.`);
        return;
      } catch (error) {
        logger.error({ err: error }, 'The event-store protocol is not served: it is tried again.');
        await delay(retryMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }
}

function optionsOf(
  { host, port, certificateFile, keyFile, gateways, loopbackKeyFile }: EventStoreSettings,
  region: string,
): Pick<GatewayOptions, 'host' | 'port' | 'tls' | 'advertise' | 'gatewayOf' | 'loopbackToken'> {
  const advertise = gateways.get(region);
  const isClear = certificateFile === undefined || keyFile === undefined;
  return {
    host,
    port,
    gatewayOf: (other) => gateways.get(other),
    ...(advertise === undefined ? {} : { advertise }),
    ...(isClear
      ? {}
      : { tls: { certificate: readFileSync(certificateFile), key: readFileSync(keyFile) } }),
    ...(isClear && loopbackKeyFile !== undefined
      ? { loopbackToken: () => tokenIn(loopbackKeyFile) }
      : {}),
  };
}

/** Read at each call: the edge writes the file when the region is new. */
const tokenIn = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
