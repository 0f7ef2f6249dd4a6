import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RegionCopies, streamsOf } from './copies.ts';
import { lineOf } from './findings.ts';
import type { Stage } from './stage.ts';

/**
 * Writes every region's copy of every stream to `<folder>/<region>/<stream>.ndjson`, as
 * `meridian export` does: for `meridian check --file`, once the regions of a drill are gone.
 */
export async function exportAll({ mesh, regions }: Stage, folder: string): Promise<void> {
  for (const region of regions) {
    mkdirSync(join(folder, region), { recursive: true });
    const copies = await RegionCopies.open(mesh.region(region));
    try {
      for (const stream of streamsOf(regions)) {
        const file = createWriteStream(join(folder, region, `${stream}.ndjson`));
        for await (const batch of copies.log.replayBatches(stream)) {
          const lines = batch.map((message) => `${lineOf(message)}\n`).join('');
          if (!file.write(lines)) await once(file, 'drain');
        }
        file.end();
        await once(file, 'close');
      }
    } finally {
      await copies.close();
    }
  }
}
