import { openLeases, type Leases, type LeasesOptions } from '@meridian/nest';
import type { Instance, SimulatedRegion, Task } from '@meridian/testing';
import { beatOf } from './beat.ts';

/** Asks are this much rarer than those of real processes: most of a world's time goes into them. */
const slower = 4;

/** The timers of one life of a process: they stand still with it and end with it. */
function timersOf(instance: Instance): NonNullable<LeasesOptions['timers']> {
  return {
    every(periodMs, run) {
      let task: Task;
      const again = (): void => {
        task = instance.after(periodMs * slower, () => {
          again();
          run();
        });
      };
      again();
      return () => instance.cancel(task);
    },
    after(delayMs, run) {
      const task = instance.after(delayMs, run);
      return () => instance.cancel(task);
    },
  };
}

/** What a simulated process may decide, as its region's recovery grants it. */
export function simulatedLeases(
  region: SimulatedRegion,
  instance: Instance,
  name: string,
  deciding: () => Readonly<Record<string, number>>,
): Leases {
  return openLeases({
    beat: beatOf(region, instance),
    region: region.name,
    instance: `${name}-${instance.number}`,
    deciding,
    monotonicMs: instance.monotonicMs,
    timers: timersOf(instance),
  });
}
