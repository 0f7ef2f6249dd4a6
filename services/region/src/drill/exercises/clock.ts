import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL, fileURLToPath } from 'node:url';
import type { Observation, Violation } from '@meridian/cli';
import { eventStream } from '@meridian/wire';
import { RegionCopies } from '../copies.ts';
import { entriesIn } from '../findings.ts';
import { eventsAhead } from '../jumped-times.ts';
import { untilTrue, type Stage } from '../stage.ts';
import { nothing, promised, type Evidence, type Exercise } from './exercise.ts';
import { childOf } from './processes.ts';

/** How far the clock jumps, and how long until it jumps back, in ms. */
const jumpMs = 600_000;
const jumpedMs = 5_000;
/** How long it may take at most until it decides something meanwhile, in ms. */
const decidedLimitMs = 30_000;

/** What they decide bears the time of their clock, several times a second. */
const deciders = new Set(['region', 'sessions', 'routing']);

/** From sources as from what is built: services run what is built. */
const preload = fileURLToPath(new URL('../../../dist/drill/clock-shift.js', import.meta.url));

/**
 * The wall clock of one process of a region jumps ahead by ten minutes, and back after a while.
 * @param process `region` where all services of a region are one process
 */
export function clockJump(region: string, process: string): Exercise {
  let file = '';
  const jump = (stage: Stage, ms: number, what: string): number => {
    const at = stage.note(`the wall clock of ${process} of ${region} jumps ${what}`);
    writeFileSync(file, String(ms));
    childOf(stage, region, process).kill('SIGUSR2');
    return at;
  };
  return {
    name: process === 'region' ? 'clock-jump' : `clock-jump-${process}`,
    what: `clock of ${process} of ${region} 10 min ahead, and back after at least ${jumpedMs / 1_000} s`,
    home: null,
    kind: 'NONE',
    lost: [],
    prepare(dataDir) {
      file = join(dataDir, 'clock-shift');
      const options = globalThis.process.env['NODE_OPTIONS'] ?? '';
      const environment = {
        NODE_OPTIONS: `${options} --import=${pathToFileURL(preload).href}`.trim(),
        MERIDIAN_DRILL_CLOCK_FILE: file,
      };
      const processes = process === 'region' ? 'together' : 'each';
      const mesh = { processes, environmentOf: { [region]: environment } } as const;
      return Promise.resolve({ mesh, undo: nothing });
    },
    async act(stage) {
      const at = jump(stage, jumpMs, 'ahead by 10 min');
      await (deciders.has(process) ? untilDecided(stage, region) : wait(jumpedMs));
      jump(stage, 0, 'back by 10 min');
      return at;
    },
    mend: nothing,
    excuses: (violation) => isEndedByJump(violation, region, jumpMs),
    judge: (evidence) => judgeJump(evidence, deciders.has(process)),
  };
}

/**
 * Waits as long as the jump lasts, and longer where the region has decided nothing by then: it may
 * have no lease at that moment, and a clock that nobody reads harms nobody.
 */
async function untilDecided(stage: Stage, region: string): Promise<void> {
  const stream = eventStream(region);
  const copies = await RegionCopies.open(stage.mesh.region(region));
  try {
    const from = (await copies.log.lastSequence(stream)) + 1;
    await wait(jumpedMs);
    const hasDecided = async (): Promise<boolean> =>
      (await eventsAhead([entriesIn(copies.log, stream, from)], jumpMs / 2)).size > 0;
    if (!(await untilTrue(decidedLimitMs, hasDecided, 500))) {
      stage.say(`${region} decides nothing while its clock is ahead`);
    }
  } finally {
    await copies.close();
  }
}

/** An offer that was out when the clock jumped ends at once, which is late by the time of the log. */
export function isEndedByJump(
  { rule, aggregate, expected, found }: Violation,
  region: string,
  byMs: number,
): boolean {
  if (rule !== 'offer-end' || !aggregate.startsWith(`ev.${region}.${region}.`)) return false;
  const lateMs = Date.parse(found) - Date.parse(expected.split(' ').at(-1) ?? '');
  return lateMs > 0 && lateMs < byMs;
}

/** @param decides whether events bear the process's times */
async function judgeJump(
  { stage, entries, settled, blowAt, excused, agentsPerRegion }: Evidence,
  decides: boolean,
): Promise<Observation[]> {
  const epochs = settled.findings.takeovers.filter(({ completedAt }) => completedAt >= blowAt);
  const streams = stage.regions.map((region) => entries(region, eventStream(region)));
  const counts = await eventsAhead(streams, jumpMs / 2);
  for (const [type, count] of counts) stage.say(`ahead of its time: ${count} ${type}`);
  const ahead = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    promised(
      'ENDED_BY_JUMP',
      'The jump ends no more offers than there are agents',
      excused.length,
      'at most',
      agentsPerRegion,
      'offers',
    ),
    promised('LEASES_HOLD', 'No epoch begins', epochs.length, 'at most', 0, 'epochs'),
    ...(decides
      ? [promised('JUMPED', 'Events bear the time that jumped', ahead, 'at least', 1, 'events')]
      : []),
  ];
}
