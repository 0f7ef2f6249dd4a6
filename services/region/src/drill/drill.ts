import { buildReceipt, type Receipt } from '@meridian/cli';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { startDevelopmentMesh } from '../development/mesh.ts';
import type { Exercise } from './exercises/exercise.ts';
import type { LoadOptions } from './load-options.ts';
import { drillRegions } from './options.ts';
import { runDrill } from './run.ts';
import { Stage } from './stage.ts';

export interface DrillSettings {
  readonly processes?: 'together' | 'each';
  /** One line for each step of the drill. */
  readonly say: (line: string) => void;
  /** One line for each step of starting the regions. */
  readonly sayOfRegions?: (line: string) => void;
}

/**
 * One exercise on regions of its own, in a temporary folder, from their start to their end.
 * @param load the load, given when the drill began (epoch ms)
 * @param keep called with the receipt while the regions still run
 */
export async function drillOnce(
  exercise: Exercise,
  load: (startedAt: number) => LoadOptions,
  { processes = 'together', say, sayOfRegions }: DrillSettings,
  keep: (stage: Stage, receipt: Receipt) => Promise<void> = () => Promise.resolve(),
): Promise<Receipt> {
  const folder = temporaryFolder('meridian-drill-');
  const prepared = await exercise.prepare?.(folder.path).catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  try {
    const mesh = await startDevelopmentMesh({
      dataDir: folder.path,
      natsServer: natsServerBinary(),
      regions: drillRegions,
      processes,
      cuttable: true,
      ...prepared?.mesh,
      ...(sayOfRegions === undefined ? {} : { say: sayOfRegions }),
    });
    try {
      const stage = new Stage(mesh, say);
      const receipt = buildReceipt(await runDrill(stage, exercise, load(stage.startedAt)));
      await keep(stage, receipt);
      return receipt;
    } finally {
      await mesh.stop();
    }
  } finally {
    await prepared?.undo();
    folder.remove();
  }
}
