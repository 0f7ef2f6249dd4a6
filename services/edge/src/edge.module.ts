import { Inject, Module, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { Log } from '@meridian/journal';
import {
  BEAT,
  CLOCK,
  CONFIG,
  LEASES,
  LOG,
  LOGGER,
  NATS,
  REGISTRY,
  type Beat,
  type Clock,
  type Leases,
  type MetricsRegistry,
  type RegionConfig,
} from '@meridian/nest';
import type { NatsConnection } from '@nats-io/nats-core';
import type { FastifyInstance } from 'fastify';
import { readEdgeConfig } from './config.ts';
import { openEdge, type Edge } from './edge.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { serve } from './http/serve.ts';

/** The little of a logger that the edge needs. */
interface Logger {
  info(line: string): void;
  error(facts: object, line: string): void;
}

const EDGE = Symbol('meridian.edge');

const onFault =
  (logger: Logger) =>
  (error: unknown): void =>
    logger.error({ err: error }, 'The edge failed at something.');

/**
 * The edge of a region. Its routes are Fastify's own, in a scope of their own: nothing of Nest is
 * in the way of a request. Start the process with `edgeServerOptions`.
 */
@Module({
  providers: [
    {
      provide: EDGE,
      inject: [CONFIG, LOG, CLOCK, BEAT, NATS, LOGGER, REGISTRY, LEASES],
      useFactory: (
        { region, regions, leaseMs }: RegionConfig,
        log: Log,
        clock: Clock,
        beat: Beat,
        nats: NatsConnection | undefined,
        logger: Logger,
        { registry }: MetricsRegistry,
        leases: Leases,
      ) =>
        openEdge({
          region,
          regions,
          leaseMs,
          registry,
          leases,
          log,
          clock,
          beat,
          nats,
          config: readEdgeConfig(),
          onFault: onFault(logger),
          onNote: (line) => logger.info(line),
        }),
    },
    {
      provide: APP_FILTER,
      inject: [EDGE, LOGGER],
      useFactory: ({ routes }: Edge, logger: Logger) => new ProblemFilter(routes, onFault(logger)),
    },
  ],
})
export class EdgeModule implements OnModuleInit, BeforeApplicationShutdown {
  readonly #edge: Edge;
  readonly #host: HttpAdapterHost;
  readonly #logger: Logger;

  constructor(@Inject(EDGE) edge: Edge, host: HttpAdapterHost, @Inject(LOGGER) logger: Logger) {
    this.#edge = edge;
    this.#host = host;
    this.#logger = logger;
  }

  onModuleInit(): void {
    const fastify = this.#host.httpAdapter.getInstance<FastifyInstance>();
    serve(fastify, { ...this.#edge, onFault: onFault(this.#logger) });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#edge.close();
  }
}
