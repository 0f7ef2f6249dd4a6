import { randomBytes } from 'node:crypto';
import { identifierPattern } from '@meridian/wire';
import type { Logger } from 'pino';
import type { MetricsRegistry } from './metrics.ts';
import { ServiceRuntime, type ServiceRuntimeOptions } from './service-runtime.ts';

export interface ServicesOptions extends Pick<
  ServiceRuntimeOptions,
  'region' | 'log' | 'clock' | 'beat' | 'checkpoints'
> {
  readonly registry: MetricsRegistry;
  readonly logger: Logger;
}

/** The services of a process. */
export class Services {
  /** The process's name for itself, new at each start. */
  readonly instance = randomBytes(6).toString('hex');
  readonly #options: ServicesOptions;
  readonly #services = new Map<string, ServiceRuntime>();

  constructor(options: ServicesOptions) {
    this.#options = options;
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
