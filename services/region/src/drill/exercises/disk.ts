import { setTimeout as wait } from 'node:timers/promises';
import { connectNats } from '@meridian/journal';
import { locationsIn } from '@meridian/topology';
import { FilledStore } from '../filled-store.ts';
import { Probe } from '../probe.ts';
import { StoreRoom } from '../store-room.ts';
import { untilTrue, type Stage } from '../stage.ts';
import { nothing, promised, type Exercise, type Preparation } from './exercise.ts';
import { childOf } from './processes.ts';

/** Enough for a small load; what is filled is memory of this machine. */
const roomMegabytes = 256;
/** How long the region may go on as if nothing was, once its store is full, in ms. */
const refusalLimitMs = 10_000;
/** Once space is given back, in ms. */
const backLimitMs = 60_000;

/** What fills a region's store, whichever way is possible here. */
interface Filler {
  readonly how: string;
  fill(stage: Stage): Promise<void>;
  empty(): Promise<void>;
}

/** A region's store has no space left for a while. */
export function diskFull(region: string): Exercise {
  let filler: Filler | undefined;
  let probe: Probe | undefined;
  let refusedAfterMs: number | null = null;
  let backAfterMs: number | null = null;
  const fillerOf = (): Filler => {
    if (filler === undefined) throw new Error('It was not prepared.');
    return filler;
  };
  return {
    name: 'disk-full',
    what: `no space left for the store of ${region}`,
    home: region,
    kind: 'UNPLANNED',
    lost: [],
    async prepare(dataDir) {
      const [made, preparation] = await prepareStore(dataDir, region);
      filler = made;
      return preparation;
    },
    async act(stage) {
      // Filling may take seconds: the blow falls when nothing more fits.
      await fillerOf().fill(stage);
      const at = stage.note(`no space is left for the store of ${region}: ${fillerOf().how}`);
      probe = Probe.begin(stage, region);
      const isRefused = await untilTrue(30_000, () =>
        Promise.resolve(probe?.firstRefusalAt !== undefined),
      );
      if (isRefused) refusedAfterMs = (probe.firstRefusalAt ?? at) - at;
      const looking = stage.regions.find((one) => one !== region) ?? '';
      await stage.untilOwner(looking, region, (owner) => owner !== region, 30_000);
      await wait(3_000);
      return at;
    },
    async mend(stage) {
      const at = stage.note(`give the space back to ${region}`);
      await fillerOf().empty();
      await startStoreAgain(stage, region);
      const startedAt = Date.now();
      const isBack = await untilTrue(backLimitMs, () =>
        Promise.resolve((probe?.lastStoredAt ?? 0) > startedAt),
      );
      if (isBack) backAfterMs = Date.now() - at;
      await probe?.end();
    },
    judge({ stage }) {
      const { counts } = probe ?? { counts: new Map<string, number>() };
      const other = [...counts].filter(([answer]) => answer !== '202' && answer !== '503');
      for (const [answer, count] of counts) {
        stage.say(`the edge of ${region} said: ${count} ${answer}`);
      }
      return Promise.resolve([
        promised(
          'REFUSED',
          `The edge of ${region} answers 503 within 10 s of the full disk`,
          refusedAfterMs,
          'at most',
          refusalLimitMs,
          'ms',
        ),
        promised(
          'ONLY_503',
          'It never answers anything but 202 and 503',
          other.reduce((sum, [, count]) => sum + count, 0),
          'at most',
          0,
          'answers',
        ),
        promised(
          'BACK',
          `${region} takes requests in again within a minute of the space`,
          backAfterMs,
          'at most',
          backLimitMs,
          'ms',
        ),
      ]);
    },
  };
}

/** A file system of the drill's own where that is allowed; else a stream that takes what is allowed. */
async function prepareStore(dataDir: string, region: string): Promise<[Filler, Preparation]> {
  const path = locationsIn(dataDir).store(region, `${region}-1`);
  try {
    const room = await StoreRoom.mount(path, roomMegabytes);
    const filler: Filler = {
      how: `a file takes all that is left of ${roomMegabytes} MB`,
      fill: () => Promise.resolve(room.fill()),
      empty: () => Promise.resolve(room.empty()),
    };
    return [filler, { mesh: {}, undo: () => room.unmount() }];
  } catch {
    const store = new FilledStore();
    const filler: Filler = {
      how: `a stream takes all that JetStream may store, ${roomMegabytes} MB`,
      async fill(stage) {
        const { natsUrl, seeds } = stage.mesh.region(region);
        const name = `drill-${region}`;
        const options = { servers: natsUrl, seedFile: seeds.services, name };
        await store.fill(await connectNats(options));
      },
      empty: () => store.empty(),
    };
    return [filler, { mesh: { storeLimit: `${roomMegabytes}MB` }, undo: nothing }];
  }
}

/** A stream whose write failed stores nothing more until its server is started again. */
async function startStoreAgain(stage: Stage, region: string): Promise<void> {
  const { monitorUrl } = stage.mesh.region(region);
  const answer = await fetch(`${monitorUrl}/healthz`);
  if (answer.ok) return;
  const { error = '' } = (await answer.json()) as { error?: string };
  stage.say(`nats-server of ${region}: ${error}`);
  stage.note(`stop nats-server of ${region}, whose streams still fail, and start it again`);
  const server = childOf(stage, region, 'nats-server');
  await server.stop();
  await server.start();
}
