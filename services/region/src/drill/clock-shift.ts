/**
 * Loaded before a service in drills alone (`node --import`). At each SIGUSR2 the wall clock of the
 * process shows as many milliseconds more than the machine's as stand in the file that
 * `MERIDIAN_DRILL_CLOCK_FILE` names; monotonic time goes on as it was.
 */
import { readFileSync } from 'node:fs';

const file = process.env['MERIDIAN_DRILL_CLOCK_FILE'];
if (file !== undefined) shiftable(file);

function shiftable(path: string): void {
  const machine = { now: Date.now.bind(Date), origin: performance.timeOrigin };
  let shiftMs = 0;
  const now = (): number => machine.now() + shiftMs;
  globalThis.Date = new Proxy(Date, {
    apply: (target) => new target(now()).toString(),
    construct: (target, args: unknown[], newTarget: typeof Date) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    get: (target, key, receiver) =>
      key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown),
  });
  Object.defineProperty(performance, 'timeOrigin', {
    configurable: true,
    get: () => machine.origin + shiftMs,
  });
  process.on('SIGUSR2', () => {
    shiftMs = Number(readFileSync(path, 'utf8'));
    process.stdout.write(`The wall clock is shifted by ${shiftMs} ms.\n`);
  });
}
