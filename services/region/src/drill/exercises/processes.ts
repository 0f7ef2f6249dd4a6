import { setTimeout as wait } from 'node:timers/promises';
import type { Stage } from '../stage.ts';
import { nothing, promised, type Exercise, type Preparation } from './exercise.ts';

/** A process of a region ends (SIGKILL) and is started again by its supervisor at once. */
export function killProcess(region: string, process: string): Exercise {
  return {
    name: `kill-${region}-${process}`,
    what: `kill ${process} of ${region}`,
    home: null,
    kind: 'NONE',
    lost: [],
    act(stage) {
      const at = stage.note(`kill -9 of ${process} of ${region}`);
      childOf(stage, region, process).kill('SIGKILL');
      return Promise.resolve(at);
    },
    mend: nothing,
  };
}

export const apart = (): Promise<Preparation> =>
  Promise.resolve({ mesh: { processes: 'each' }, undo: nothing });

export function childOf(stage: Stage, region: string, process: string) {
  const child = stage.mesh.region(region).children.get(process);
  if (child === undefined) throw new Error(`${region} has no process ${process}.`);
  return child;
}

/** How long a service may take until it is ready again, in ms. */
const readyLimitMs = 30_000;
/** After one is ready again, before the next one is killed, in ms. */
const betweenMs = 500;

/** Every service of a region, a process each, is killed: one after the other, under load. */
export function killServices(region: string, names: readonly string[]): Exercise {
  const tookMs: number[] = [];
  return {
    name: `kill-${region}-services`,
    what: `kill ${names.join(', ')} of ${region}, one after the other`,
    home: null,
    kind: 'NONE',
    lost: [],
    prepare: apart,
    async act(stage) {
      let first: number | undefined;
      for (const name of names) {
        const child = childOf(stage, region, name);
        const { pid } = child;
        const at = stage.note(`kill -9 of ${name} of ${region}`);
        first ??= at;
        child.kill('SIGKILL');
        while (child.pid === undefined || child.pid === pid) await wait(10);
        await child.whenReady();
        tookMs.push(Date.now() - at);
        await wait(betweenMs);
      }
      return first ?? Date.now();
    },
    mend: nothing,
    judge: () =>
      Promise.resolve([
        promised(
          'READY_AGAIN',
          'Each service is ready again within 30 s of its kill',
          tookMs.length === names.length ? Math.max(...tookMs) : null,
          'at most',
          readyLimitMs,
          'ms',
        ),
      ]),
  };
}
