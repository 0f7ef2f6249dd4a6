import { progressLine, renderProgress, type Progress } from './progress.ts';

/** Where the view is written to. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const redrawEveryMs = 200;
const lineEveryMs = 10_000;
const hourMs = 3_600_000;

/**
 * Shows how a play goes: on a terminal a few lines drawn over again, elsewhere one plain line an
 * hour of log time, or every ten seconds.
 */
export class View {
  readonly #screen: Screen;
  readonly #realNow: () => number;
  #drawnLines = 0;
  #drawnAtMs = -Infinity;
  #hour = Number.NaN;

  constructor(screen: Screen, realNow: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#realNow = realNow;
  }

  /** Whether it is time to show something: cheap, to be asked at every step. */
  isDue(logAt: number): boolean {
    const sinceMs = this.#realNow() - this.#drawnAtMs;
    if (this.#screen.isTTY === true) return sinceMs >= redrawEveryMs;
    return sinceMs >= lineEveryMs || Math.floor(logAt / hourMs) !== this.#hour;
  }

  /** Shows a line that stays; what is drawn over goes on below it. */
  say(line: string): void {
    const isDrawn = this.#drawnLines > 0;
    this.#screen.write(`${isDrawn ? `\u001B[${this.#drawnLines}A\u001B[J` : ''}${line}\n`);
    this.#drawnLines = 0;
  }

  show(progress: Progress): void {
    this.#drawnAtMs = this.#realNow();
    this.#hour = Math.floor(progress.logAt / hourMs);
    if (this.#screen.isTTY !== true) {
      this.#screen.write(`${progressLine(progress)}\n`);
      return;
    }
    const lines = renderProgress(progress);
    const up = this.#drawnLines === 0 ? '' : `\u001B[${this.#drawnLines}A`;
    // A narrow terminal cuts lines off: a wrapped one could not be drawn over.
    const text = lines.map((line) => `\u001B[2K${line}\n`).join('');
    this.#screen.write(`\u001B[?7l${up}${text}\u001B[?7h`);
    this.#drawnLines = lines.length;
  }
}
