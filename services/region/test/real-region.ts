import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentRegion, type DevelopmentRegion, type DevelopmentRegionOptions } from '../src/index.ts';

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

/** A region of real processes for one test, on free ports, in a temporary folder. */
export async function startRegion(
  options: Pick<DevelopmentRegionOptions, 'processes' | 'clock' | 'say' | 'environment'>,
): Promise<DevelopmentRegion> {
  requireBuilt();
  const folder = temporaryFolder('meridian-region-');
  try {
    const region = await startDevelopmentRegion({ ...options, dataDir: folder.path, natsServer: natsServerBinary() });
    return {
      ...region,
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
