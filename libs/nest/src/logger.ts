import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { RegionConfig } from './config.ts';
import { currentTraceIds } from './tracing.ts';

/** The logger of a process: JSON lines with region, service and, within a span, the trace's ids. */
export function createLogger(
  config: Pick<RegionConfig, 'region' | 'logLevel'>,
  service: string,
  destination?: DestinationStream,
): Logger {
  const options = {
    level: config.logLevel,
    base: { region: config.region, service },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: () => currentTraceIds() ?? {},
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Nest's own messages through pino. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...rest: unknown[]): void {
    // Nest tells of every route and module it sets up; that is detail.
    this.#write('debug', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  #write(
    level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    const context = typeof rest.at(-1) === 'string' ? { context: rest.at(-1) } : {};
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    if (message instanceof Error) {
      this.#logger[level]({ ...context, err: message }, message.message);
    } else {
      this.#logger[level](
        { ...context, ...stack },
        typeof message === 'string' ? message : JSON.stringify(message),
      );
    }
  }
}
