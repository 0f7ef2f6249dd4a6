import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { NatsConnection } from '@nats-io/nats-core';
import type { FastifyServerOptions } from 'fastify';
import type { Logger } from 'pino';
import { readConfig, type RegionConfig } from './config.ts';
import { createLogger, NestLogger } from './logger.ts';
import { RegionModule, type Given } from './region.module.ts';
import { Services } from './services.ts';
import { LogStrategy } from './strategy.ts';
import { startTracing } from './tracing.ts';

export interface BootstrapOptions {
  /** The process's name in logs and traces; one service's, or `region` for several. */
  readonly service: string;
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Replaces what the environment says. */
  readonly config?: RegionConfig;
  readonly given?: Given;
  /** Options of Fastify's own: body limits, a router's options. */
  readonly fastify?: FastifyServerOptions;
  /** Work on the connection before anything uses it, such as `ensureStreams`. */
  readonly onConnected?: (connection: NatsConnection, config: RegionConfig) => Promise<unknown>;
  /** Sees the application before it listens: parsers, hooks. */
  readonly configure?: (app: NestFastifyApplication, config: RegionConfig) => Promise<void> | void;
  /** Whether SIGTERM and SIGINT drain and end the process; default true. */
  readonly signals?: boolean;
}

/** A process that runs. */
export interface Running {
  readonly app: NestFastifyApplication;
  readonly config: RegionConfig;
  /** Where it serves HTTP, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Resolves once every service follows. @throws what keeps one from opening for good */
  readonly opened: Promise<void>;
  /** Drains: ends delivery, lets handlers end, keeps checkpoints, closes the connection. */
  close(): Promise<void>;
}

@Module({})
class ProcessModule {}

/** How long a drain by signal may take before the process ends regardless, in ms. */
const drainLimitMs = 10_000;
/** How long requests under way may take to be answered in it, in ms. */
const answerLimitMs = 5_000;

/**
 * Starts a process: reads the configuration, connects, serves health, metrics and the module's own
 * routes on `MERIDIAN_HTTP_PORT`, and opens every service that the module imports by `serviceModule`.
 * Resolves once HTTP is served; `opened` resolves once everything is followed.
 * @throws ConfigInvalid when the environment is wrong
 * @throws LogUnavailable when there is no server at `MERIDIAN_NATS_URL`
 */
export async function bootstrap(
  module: Type | DynamicModule,
  options: BootstrapOptions,
): Promise<Running> {
  const config = options.config ?? readConfig(options.environment);
  const logger = options.given?.logger ?? createLogger(config, options.service);
  const tracing =
    config.otlpEndpoint === undefined
      ? undefined
      : startTracing({
          service: options.service,
          to: config.otlpEndpoint,
          attributes: { 'meridian.region': config.region },
        });
  const given: Given =
    options.onConnected === undefined
      ? { ...options.given }
      : { ...options.given, onConnected: options.onConnected };
  const root: DynamicModule = {
    module: ProcessModule,
    imports: [RegionModule.forRoot(config, { ...given, logger }), module],
  };
  const adapter = new FastifyAdapter({ forceCloseConnections: true, ...options.fastify });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  const strategies = app
    .get(Services)
    .all()
    .map((runtime) => new LogStrategy(runtime));
  for (const strategy of strategies) app.connectMicroservice({ strategy });
  await options.configure?.(app, config);
  answerBeforeClosing(app, logger);
  await app.listen(config.httpPort, config.httpHost);
  const url = await app.getUrl();
  await app.startAllMicroservices();
  const opened = Promise.all(strategies.map((strategy) => strategy.opened)).then(() => {});
  // What went wrong is logged and told by /health/live; who waits for `opened` gets it too.
  opened.then(
    () => logger.info('Everything is followed.'),
    () => {},
  );
  logger.info({ url }, `${options.service} serves ${url}`);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= app.close().then(() => tracing?.stop());
    return closed;
  };
  if (options.signals !== false) drainOnSignals(close, logger);
  return { app, config, url, opened, close };
}

/**
 * Lets requests under way be answered before their connections are closed; new ones are refused
 * with 503 meanwhile. What never ends by itself (streams) must be ended by its owner before.
 */
function answerBeforeClosing(app: NestFastifyApplication, logger: Logger): void {
  let underWay = 0;
  let onIdle: (() => void) | undefined;
  app.getHttpServer().on('request', (_request, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      if (underWay === 0) onIdle?.();
    });
  });
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preClose', async () => {
    if (underWay === 0) return;
    const idle = new Promise<boolean>((resolve) => {
      onIdle = () => resolve(true);
    });
    const limit = delay(answerLimitMs, false, { ref: false });
    if (await Promise.race([idle, limit])) return;
    logger.warn(`${underWay} requests were not answered when the drain ended.`);
  });
}

function drainOnSignals(close: () => Promise<void>, logger: Logger): void {
  const drain = (signal: NodeJS.Signals): void => {
    logger.info({ signal }, 'Draining.');
    setTimeout(() => {
      logger.error(
        'The drain took too long; what was not settled runs again after the next start.',
      );
      process.exit(1);
    }, drainLimitMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'The drain failed.');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', drain);
  process.once('SIGINT', drain);
}
