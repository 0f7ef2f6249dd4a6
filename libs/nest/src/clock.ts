import type { Beat } from './beat.ts';

/** What time it is for deciders: the system's clock, or one that is driven through the log. */
export interface Clock {
  readonly source: 'system' | 'driven';
  /** False until a driven clock has seen its first message; nothing is followed before. */
  readonly started: boolean;
  /** The last clock message; undefined for the system's clock and before the first message. */
  readonly setting: ClockSetting | undefined;
  /**
   * Now, in epoch milliseconds (whole).
   * @throws Error when a driven clock has not seen a message yet
   */
  now(): number;
  /**
   * How many milliseconds of real time until the clock shows `epochMs`: 0 when it does already,
   * Infinity when it stands still before it.
   */
  realMsUntil(epochMs: number): number;
  /** Calls back, in the order of registration, after each change of a driven clock's setting. */
  onChange(callback: () => void): () => void;
  /** Ends what the clock holds open. */
  close(): void;
}

/** A message on `beat.<region>.clock`: now = at + (wall − wallAt) · rate. */
export interface ClockSetting {
  /** Log time at `wallAt`, in epoch milliseconds. */
  readonly at: number;
  /** Real time when the clock showed `at`, in epoch ms; strictly increasing from message to message. */
  readonly wallAt: number;
  /** Log milliseconds per real millisecond; 0 stands still until the next message. */
  readonly rate: number;
}

/** The subject of a region's driven clock. */
export const clockSubject = (region: string): string => `beat.${region}.clock`;

/** The clock of the machine. */
export function systemClock(): Clock {
  return {
    source: 'system',
    started: true,
    setting: undefined,
    now: () => Date.now(),
    realMsUntil: (epochMs) => Math.max(0, epochMs - Date.now()),
    onChange: () => () => {},
    close: () => {},
  };
}

/** Reads a clock message; undefined when it is none. */
export function parseClockSetting(text: string): ClockSetting | undefined {
  let value: Partial<ClockSetting> | null;
  try {
    value = JSON.parse(text) as Partial<ClockSetting> | null;
  } catch {
    return undefined;
  }
  const { at, wallAt, rate } = value ?? {};
  if (![at, wallAt, rate].every(Number.isFinite) || (rate as number) < 0) return undefined;
  return { at: at as number, wallAt: wallAt as number, rate: rate as number };
}

/** A clock that shows what it is last told. Specifications drive it by `set`. */
export class DrivenClock implements Clock {
  readonly source = 'driven';
  #setting: ClockSetting | undefined;
  readonly #callbacks = new Set<() => void>();
  readonly #realNow: () => number;

  constructor(realNow: () => number = () => Date.now()) {
    this.#realNow = realNow;
  }

  get started(): boolean {
    return this.#setting !== undefined;
  }

  get setting(): ClockSetting | undefined {
    return this.#setting;
  }

  now(): number {
    if (this.#setting === undefined) {
      throw new Error(
        'The driven clock has not been set yet.\n' +
          'Set it with POST /v1/clock, or start with MERIDIAN_CLOCK=system.',
      );
    }
    const { at, wallAt, rate } = this.#setting;
    if (rate === 0) return at;
    return Math.floor(at + Math.max(0, this.#realNow() - wallAt) * rate);
  }

  realMsUntil(epochMs: number): number {
    if (this.#setting === undefined) return Infinity;
    const missingMs = epochMs - this.now();
    if (missingMs <= 0) return 0;
    return this.#setting.rate === 0 ? Infinity : Math.ceil(missingMs / this.#setting.rate);
  }

  /**
   * Takes a setting unless it is older than the present one by `wallAt`, or the same: a message
   * may arrive twice, and one read from the stream may be overtaken by one that came directly.
   */
  set(setting: ClockSetting): void {
    if (this.#setting !== undefined && setting.wallAt <= this.#setting.wallAt) return;
    this.#setting = setting;
    for (const callback of this.#callbacks) callback();
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  close(): void {
    this.#callbacks.clear();
  }
}

/** How often the stream is asked whether a clock message was missed. */
const pollEveryMs = 1_000;

/**
 * The clock driven by the messages on `beat.<region>.clock`: the last one kept, then each as it
 * comes. Direct messages can be lost (a reconnect), so the stream is asked again every second. The
 * stream itself keeps them for a minute and not beyond a restart of its server: when it knows less
 * than this clock, it is told again, so that a service that starts later finds the time.
 * @throws whatever the first look at the stream throws (no such stream, no answer)
 */
export async function openDrivenClock(beat: Beat, region: string): Promise<Clock> {
  const clock = new DrivenClock();
  const subject = clockSubject(region);
  const take = (text: string | undefined): void => {
    const setting = text === undefined ? undefined : parseClockSetting(text);
    if (setting !== undefined) clock.set(setting);
  };
  const compare = (kept: string | undefined): void => {
    take(kept);
    const { setting } = clock;
    const known = kept === undefined ? undefined : parseClockSetting(kept);
    if (setting === undefined || (known?.wallAt ?? -Infinity) >= setting.wallAt) return;
    beat.publish(subject, JSON.stringify(setting));
  };
  const lookAgain = (): void => {
    // A stream that is gone keeps nothing: who missed a message hears it from those who did not.
    beat.last(subject).then(compare, () => compare(undefined));
  };
  const unsubscribe = beat.subscribe(subject, take);
  const forget = beat.onReconnect(lookAgain);
  take(await beat.last(subject));
  const poll = setInterval(lookAgain, pollEveryMs);
  poll.unref();
  const close = clock.close.bind(clock);
  clock.close = () => {
    clearInterval(poll);
    unsubscribe();
    forget();
    close();
  };
  return clock;
}

/** Until the clock shows a new setting, it is sent again this often: a message can be lost. */
const repeatEveryMs = 250;

/**
 * Sets a region's driven clock as `publishClock` does, and sends the same again until `clock` shows
 * it: on a connection that was just lost the first message may go nowhere.
 * @returns ends the repeating
 */
export function setClock(
  beat: Beat,
  region: string,
  to: { readonly at: number; readonly rate: number },
  clock: Clock,
): () => void {
  const setting = publishClock(beat, region, to, clock.setting);
  const repeat = setInterval(() => {
    if ((clock.setting?.wallAt ?? -Infinity) >= setting.wallAt) clearInterval(repeat);
    else beat.publish(clockSubject(region), JSON.stringify(setting));
  }, repeatEveryMs);
  return () => clearInterval(repeat);
}

/**
 * Sets a region's driven clock. `wallAt` is made later than `previous`', because settings are
 * told apart by it.
 * @returns what was sent
 */
export function publishClock(
  beat: Beat,
  region: string,
  to: { readonly at: number; readonly rate: number },
  previous?: ClockSetting,
): ClockSetting {
  const wallAt = Math.max(Date.now(), (previous?.wallAt ?? 0) + 1);
  const setting = { at: to.at, wallAt, rate: to.rate };
  beat.publish(clockSubject(region), JSON.stringify(setting));
  return setting;
}
