import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectNats } from '@meridian/journal';
import { kvCheckpoints } from '@meridian/nest';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import {
  startDevelopmentRegion, type DevelopmentRegion, type DevelopmentRegionOptions,
} from '../src/index.ts';

const services = new URL('../../', import.meta.url);

/** @throws Error when a service was not built: its processes run what is in dist */
function requireBuilt(): void {
  for (const service of ['edge', 'sessions', 'routing', 'region']) {
    const main = fileURLToPath(new URL(`${service}/dist/main.js`, services));
    if (!existsSync(main)) {
      throw new Error(`${main} is missing: this test starts the services' real processes.\nBuild first: npx tsc -b`);
    }
  }
}

export interface RealRegion extends DevelopmentRegion {
  /** Forgets how far the services had read: whoever starts next has only what the log says. */
  forgetCheckpoints(): Promise<void>;
}

const readers = ['sessions', 'routing'] as const;

async function forgetCheckpoints({ region, natsUrl }: DevelopmentRegion, dataDir: string): Promise<void> {
  const secrets = JSON.parse(readFileSync(join(dataDir, 'nats-secrets.json'), 'utf8')) as { service: string };
  const connection = await connectNats({ servers: natsUrl, user: 'meridian', pass: secrets.service });
  try {
    const checkpoints = kvCheckpoints(connection, region);
    for (const service of readers) await checkpoints.save(service, `requests.${region}.${region}.1`, 0);
  } finally {
    await connection.close();
  }
}

/** A region of real processes for one test, on free ports, in a temporary folder. */
export async function startRegion(
  options: Pick<DevelopmentRegionOptions, 'processes' | 'clock' | 'say' | 'environment'>,
): Promise<RealRegion> {
  requireBuilt();
  const folder = temporaryFolder('meridian-region-');
  try {
    const region = await startDevelopmentRegion({ ...options, dataDir: folder.path, natsServer: natsServerBinary() });
    return {
      ...region,
      forgetCheckpoints: () => forgetCheckpoints(region, folder.path),
      async stop() {
        await region.stop();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
