import { breakGlass, serveAlone } from './exercises/alone.ts';
import { clockJump } from './exercises/clock.ts';
import { diskFull } from './exercises/disk.ts';
import type { Exercise } from './exercises/exercise.ts';
import { cutLinks, isolate, orphans } from './exercises/links.ts';
import { killProcess, killServices } from './exercises/processes.ts';
import {
  failoverDuringFailover,
  killRegion,
  planned,
  stopRegion,
  withoutQuorum,
} from './exercises/regions.ts';
import { WrongOption, type CutOrder, type DrillOptions } from './options.ts';

export type { Exercise } from './exercises/exercise.ts';

/** Shorter than a lease lasts, and than the RPO that is promised. */
const tailMs = 700;

/** What a command line asks for, or the long series. @throws WrongOption for a name that is none */
export function exercisesOf(options: DrillOptions): Exercise[] {
  const { kill, planned: isPlanned, cuts, all, only } = options;
  if (all) {
    const series = longSeries();
    const unknown = only.find((wanted) => !series.some(({ name }) => name === wanted));
    if (unknown !== undefined) {
      const advice = 'scripts/drill --list says what there is.';
      throw new WrongOption(`--only names ${JSON.stringify(unknown)}, which is none. ${advice}`);
    }
    return only.length === 0 ? series : series.filter(({ name }) => only.includes(name));
  }
  if (kill === undefined) return [cutLinks(cuts)];
  const next = kill === 'us' ? 'ap' : 'us';
  return [isPlanned ? planned(kill, next) : killRegion(kill)];
}

/** Every kill, stop, cut, jump and lack there is. */
export function longSeries(): Exercise[] {
  const cut = (from: string, to: string, by: CutOrder['by'], direction: CutOrder['direction']) => ({
    from,
    to,
    by,
    direction,
  });
  return [
    killRegion('eu'),
    killRegion('us'),
    planned('eu', 'us'),
    killProcess('eu', 'nats-server'),
    killProcess('us', 'region'),
    killServices('eu', ['sessions', 'routing', 'recovery', 'edge']),
    stopRegion('ap', 40),
    cutLinks([cut('eu', 'us', 'reset', 'both')]),
    cutLinks([cut('eu', 'us', 'black hole', 'both')]),
    cutLinks([cut('us', 'ap', 'black hole', 'forward')]),
    isolate('eu', ['us', 'ap'], 'black hole'),
    orphans('eu', tailMs),
    failoverDuringFailover('eu'),
    withoutQuorum(['us', 'ap']),
    breakGlass('eu', ['us', 'ap']),
    serveAlone('eu', ['us', 'ap']),
    diskFull('eu'),
    clockJump('eu', 'region'),
    clockJump('eu', 'sessions'),
    clockJump('eu', 'routing'),
    clockJump('eu', 'recovery'),
  ];
}
