import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { memoryLog, type Log } from '@meridian/journal';
import { bootstrap, readConfig, type BootstrapOptions, type Running } from '@meridian/nest';
import { temporaryFolder } from '@meridian/testing';
import { EdgeModule, edgeServerOptions } from '../src/index.ts';

export interface NestEdge extends Running {
  /** An admin key of the tenant `demo`; empty when there were keys before. */
  readonly token: string;
  readonly log: Log | undefined;
  /** The permissions of the file that the token was read from; 0 when there is none. */
  readonly keyFileMode: number;
  /** Every route that the server was given: `GET /v1/keys/:id`. */
  readonly served: readonly string[];
}

/** The edge as a process runs it, with Nest; on a log in memory unless `natsUrl` is given. */
export async function startNestEdge(
  options: {
    readonly natsUrl?: string;
    readonly clock?: 'driven';
    /** All regions, `eu` first; default that one alone. */
    readonly regions?: readonly string[];
    readonly durabilityWaitMs?: number;
    readonly given?: BootstrapOptions['given'];
  } = {},
): Promise<NestEdge> {
  const folder = temporaryFolder();
  const keyFile = join(folder.path, 'key');
  Object.assign(process.env, {
    MERIDIAN_DEV: '1',
    MERIDIAN_KEY_FILE: keyFile,
    MERIDIAN_READ_MODELS: 'off',
    MERIDIAN_DURABILITY_WAIT_MS: String(options.durabilityWaitMs ?? 10_000),
  });
  const log = options.natsUrl === undefined ? memoryLog() : undefined;
  const served: string[] = [];
  const running = await bootstrap(EdgeModule, {
    service: 'edge',
    fastify: edgeServerOptions,
    signals: false,
    configure: (app) => {
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('onRoute', ({ method, url }) => {
          served.push(...[method].flat().map((one) => `${one} ${url}`));
        });
    },
    config: readConfig({
      MERIDIAN_HTTP_PORT: '0',
      LOG_LEVEL: 'silent',
      MERIDIAN_CLOCK: options.clock ?? 'system',
      ...(options.regions === undefined ? {} : { MERIDIAN_REGIONS: options.regions.join(',') }),
      ...(options.natsUrl === undefined ? {} : { MERIDIAN_NATS_URL: options.natsUrl }),
    }),
    given: { ...(log === undefined ? {} : { log }), ...options.given },
  });
  // An edge that found keys made none.
  const token = existsSync(keyFile) ? readFileSync(keyFile, 'utf8').trim() : '';
  return {
    ...running,
    token,
    log,
    served,
    keyFileMode: token === '' ? 0 : statSync(keyFile).mode & 0o777,
    async close() {
      await running.close();
      folder.remove();
    },
  };
}
