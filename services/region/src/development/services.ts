import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { until } from './ports.ts';

const servicesDir = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * A region in development has 400 MiB. Collecting garbage earlier than the runtimes do by
 * themselves saves a quarter of what they took (`scripts/bench offer`).
 */
const smallNursery = ['--max-semi-space-size=16'];
const smallGoHeap = { GOGC: '100', GOMEMLIMIT: '128MiB' };

/** Services that a region of one runs, a process each. */
export const serviceNames = ['edge', 'sessions', 'routing', 'audit'] as const;
export type ServiceName = (typeof serviceNames)[number] | 'recovery' | 'region';

/** Whether a service was built and can be started. */
export const isBuilt = (name: ServiceName): boolean =>
  existsSync(join(servicesDir, name, 'dist', 'main.js'));

/** Whether there is a service that grants regions what they decide for. */
export const hasRecovery = (): boolean => isBuilt('recovery');

export interface ProcessOptions {
  /** Its output goes to `output/<name>.log` there. */
  readonly dataDir: string;
  readonly clock?: 'system' | 'driven';
  /** Told when a process ended by itself. */
  readonly say?: (line: string) => void;
}

/** With a driven clock nothing is ready before the clock is set: then being alive is enough. */
async function isUp(url: string, clock: 'system' | 'driven'): Promise<boolean> {
  const answer = await fetch(`${url}/health/${clock === 'driven' ? 'live' : 'ready'}`);
  await answer.arrayBuffer();
  return answer.ok;
}

/** A service's process, not started yet. */
export function serviceChild(
  name: ServiceName,
  port: number,
  environment: NodeJS.ProcessEnv,
  { dataDir, clock = 'system', say }: ProcessOptions,
): Child {
  return new Child({
    name,
    command: process.execPath,
    args: ['--enable-source-maps', ...smallNursery, join(servicesDir, name, 'dist', 'main.js')],
    env: {
      MERIDIAN_AUDIT_DIR: join(dataDir, 'audit'),
      ...environment,
      MERIDIAN_HTTP_PORT: String(port),
    },
    logFile: join(dataDir, 'output', `${name}.log`),
    whenReady: () => until(`${name} being ready`, () => isUp(`http://127.0.0.1:${port}`, clock)),
    onRestart: (child, how, pauseMs) =>
      say?.(
        `${child} ended (${how}) and is started again` +
          (pauseMs === 0 ? '' : ` in ${pauseMs / 1_000} s`),
      ),
  });
}

/** A nats-server, not started yet. It counts as ready when it serves its own part of JetStream. */
export function natsChild(
  name: string,
  natsServer: string,
  configFile: string,
  monitorPort: number,
  { dataDir, say }: ProcessOptions,
): Child {
  return new Child({
    name,
    command: natsServer,
    args: ['-c', configFile],
    env: smallGoHeap,
    logFile: join(dataDir, 'output', `${name}.log`),
    whenReady: () =>
      until('JetStream', async () => {
        // A control server is of use to its cluster before the cluster has a quorum.
        const health = `http://127.0.0.1:${monitorPort}/healthz?js-server-only=true`;
        return (await fetch(health)).ok;
      }),
    onRestart: (child, how) => say?.(`${child} ended (${how})`),
  });
}
