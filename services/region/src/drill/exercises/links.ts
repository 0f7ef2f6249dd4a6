import { setTimeout as wait } from 'node:timers/promises';
import { judgeIsolation } from '../isolation.ts';
import type { CutOrder } from '../options.ts';
import { Probe } from '../probe.ts';
import { promised, type Exercise } from './exercise.ts';

/** Links and control routes are cut as ordered, and healed after the load. */
export function cutLinks(cuts: readonly CutOrder[]): Exercise {
  const text = cuts
    .map(
      ({ from, to, by, direction }) => `${from}${direction === 'both' ? '-' : '>'}${to} by ${by}`,
    )
    .join(', ');
  return {
    name: `cut-${cuts.map(({ from, to, by }) => `${from}-${to}-${by.replace(' ', '')}`).join('-')}`,
    what: `cut ${text}`,
    home: null,
    kind: 'NONE',
    lost: [],
    act(stage) {
      const at = stage.note(`cut ${text}`);
      for (const { from, to, by, direction } of cuts) {
        stage.mesh.links?.cut([from], [to], by === 'reset' ? { by } : { by, direction });
      }
      return Promise.resolve(at);
    },
    mend(stage) {
      stage.note('heal all links');
      stage.mesh.links?.heal();
      return Promise.resolve();
    },
  };
}

/**
 * A region is cut off from both others, and its recovery from their control servers. Somebody keeps
 * turning to its edge: the publishers near it may go on to another one and stay there.
 */
export function isolate(region: string, others: readonly string[], by: CutOrder['by']): Exercise {
  const cut = cutLinks(others.map((to) => ({ from: region, to, by, direction: 'both' })));
  let probe: Probe | undefined;
  return {
    ...cut,
    name: `isolate-${region}`,
    act(stage) {
      probe = Probe.begin(stage, region);
      return cut.act(stage);
    },
    async mend(stage) {
      await probe?.end();
      for (const [answer, count] of probe?.counts ?? []) {
        stage.say(`${region} alone answered ${answer}: ${count} times`);
      }
      await cut.mend(stage);
    },
    judge: (evidence) => judgeIsolation(region, evidence),
  };
}

/**
 * What leaves a region is lost for a moment, then the region: the last of what it acknowledged and
 * decided is nowhere else, until it returns. The lease outlives the moment.
 */
export function orphans(region: string, tailMs: number): Exercise {
  return {
    name: 'orphans',
    what: `lose what ${region} sends for ${tailMs} ms, then kill ${region}`,
    home: region,
    kind: 'UNPLANNED',
    lost: [region],
    async act(stage) {
      const { links } = stage.mesh;
      const others = stage.regions.filter((one) => one !== region);
      stage.note(`black hole for all that ${region} sends`);
      links?.cut([region], others, { by: 'black hole', direction: 'forward' });
      await wait(tailMs);
      const at = stage.note(`kill -9 of every process of ${region}`);
      await stage.mesh.region(region).kill();
      // What waits in the black hole must not arrive after all.
      links?.cut([region], others, { by: 'reset' });
      links?.heal();
      return at;
    },
    async mend(stage) {
      stage.note(`start ${region}`);
      await stage.mesh.region(region).start();
    },
    judge: ({ settled }) =>
      Promise.resolve([
        promised(
          'TAIL',
          `${region} decided something that nobody else held`,
          settled.findings.check.orphans.length,
          'at least',
          1,
          'orphans',
        ),
      ]),
  };
}
