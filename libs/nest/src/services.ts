import { randomBytes } from 'node:crypto';
import { identifierPattern } from '@meridian/wire';
import type { Logger } from 'pino';
import { Homes } from './homes.ts';
import { staticLeases, type Leases } from './leases.ts';
import type { MetricsRegistry } from './metrics.ts';
import { ServiceRuntime, type ServiceRuntimeOptions } from './service-runtime.ts';

export interface ServicesOptions extends Pick<
  ServiceRuntimeOptions,
  'region' | 'log' | 'clock' | 'beat' | 'checkpoints'
> {
  readonly registry: MetricsRegistry;
  readonly logger: Logger;
  /** By default the region is alone and decides for its own home. */
  readonly homes?: Homes;
  readonly leases?: Leases;
  /** The process's name for itself; a new one when absent. */
  readonly instance?: string;
}

/** The services of a process. */
export class Services {
  /** The process's name for itself, new at each start. */
  readonly instance: string;
  readonly #options: ServicesOptions;
  readonly #homes: Homes;
  readonly #leases: Leases;
  readonly #services = new Map<string, ServiceRuntime>();

  constructor(options: ServicesOptions) {
    this.#options = options;
    const { log, region } = options;
    this.instance = options.instance ?? randomBytes(6).toString('hex');
    this.#homes = options.homes ?? new Homes(log, [region]);
    this.#leases = options.leases ?? staticLeases(region);
  }

  /** The runtime of a service; the same at each call. */
  of(name: string): ServiceRuntime {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    if (!identifierPattern.test(name)) {
      throw new RangeError(`The service name ${JSON.stringify(name)} cannot be part of a subject.`);
    }
    const { registry, logger, ...rest } = this.#options;
    const runtime = new ServiceRuntime({
      ...rest,
      homes: this.#homes,
      leases: this.#leases,
      name,
      instance: this.instance,
      metrics: registry.of(name),
      logger: logger.child({ service: name }),
    });
    this.#services.set(name, runtime);
    return runtime;
  }

  all(): ServiceRuntime[] {
    return [...this.#services.values()];
  }
}
