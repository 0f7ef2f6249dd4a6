import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  clientEdge,
  EdgeClient,
  MeshEdge,
  playDay,
  type Blow,
  type DayPlan,
  type PlayReport,
  type RawEntry,
} from '@meridian/cli';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import {
  startDevelopmentMesh,
  type DevelopmentMesh,
  type DevelopmentMeshOptions,
} from '../src/index.ts';

const services = new URL('../../', import.meta.url);

/** Regions of real processes for one test, on free ports, in a temporary folder, their clocks driven. */
export async function startRegions(
  regions: readonly string[],
  options: Pick<DevelopmentMeshOptions, 'ownership'>,
): Promise<DevelopmentMesh> {
  const main = fileURLToPath(new URL('region/dist/main.js', services));
  if (!existsSync(main)) {
    throw new Error(
      `${main} is missing: this test starts the services' real processes.\nBuild first: npx tsc -b`,
    );
  }
  const folder = temporaryFolder('meridian-day-');
  try {
    const mesh = await startDevelopmentMesh({
      dataDir: folder.path,
      natsServer: natsServerBinary(),
      regions,
      clock: 'driven',
      ...options,
    });
    return {
      ...mesh,
      async stop() {
        await mesh.stop();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

export interface PlayedDay {
  readonly report: PlayReport;
  /** The event streams of all regions, by their names. */
  readonly decisions: ReadonlyMap<string, readonly RawEntry[]>;
  readonly intake: ReadonlyMap<string, readonly RawEntry[]>;
}

/** Plays a day in lockstep across all regions of a mesh, over HTTP, and reads their logs back. */
export async function playAcross(
  mesh: DevelopmentMesh,
  plan: DayPlan,
  {
    run,
    killed,
  }: {
    readonly run: string;
    readonly killed?: { readonly region: string; readonly timeOfDayMs: number };
  },
): Promise<PlayedDay> {
  const clients = [...mesh.regions.values()].map(
    ({ name, url, key }) => [name, new EdgeClient({ url, key })] as const,
  );
  try {
    const doors = new Map(clients.map(([name, client]) => [name, clientEdge(client)]));
    const edge = new MeshEdge(doors, killed?.region);
    const blow: Blow | undefined = killed && {
      ...killed,
      kill: () => mesh.region(killed.region).kill(),
      restart: () => mesh.region(killed.region).start(),
    };
    const report = await playDay({
      edge,
      plan,
      real: null,
      speed: 'max',
      run,
      ...(blow && { blow }),
    });
    const read = async (kind: 'IN' | 'EV') => {
      const streams = new Map<string, readonly RawEntry[]>();
      for (const region of edge.regions) {
        const entries: RawEntry[] = [];
        for await (const batch of edge.log(`${kind}_${region}`)) entries.push(...batch);
        streams.set(`${kind}_${region}`, entries);
      }
      return streams;
    };
    return { report, decisions: await read('EV'), intake: await read('IN') };
  } finally {
    for (const [, client] of clients) client.close();
  }
}
