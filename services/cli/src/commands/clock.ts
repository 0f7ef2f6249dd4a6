import { exitCodes, usageFault } from '../fault.ts';
import { formatDuration } from '../render/duration.ts';
import { numberOption, printJson, textOption, type CommandSpec } from './command.ts';

interface ClockDocument {
  readonly source: 'system' | 'driven';
  readonly now: number | null;
  readonly setting: { readonly at: number; readonly rate: number } | null;
}

/** Epoch milliseconds of an RFC 3339 time, or of digits. @throws CommandFault (usage) */
export function parseMoment(name: string, text: string): number {
  const atMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(atMs)) return atMs;
  throw usageFault(
    `--${name} is ${JSON.stringify(text)}.\nGive a time such as 2026-03-02T08:00:00Z, or epoch milliseconds.`,
  );
}

const shown = (epochMs: number | null): string =>
  epochMs === null ? 'not set yet' : new Date(epochMs).toISOString();

export const clockCommand: CommandSpec = {
  usage: 'clock',
  summary: 'What time it is in the log; with --set, drive it there and wait until all is done',
  options: [
    { flags: '--set <time>', text: 'RFC 3339 or epoch milliseconds; only with a driven clock' },
    {
      flags: '--rate <rate>',
      text: 'log milliseconds per real millisecond from then on; 0 stands still',
    },
  ],
  examples: ['meridian clock', 'meridian clock --set 2026-03-02T08:00:00Z --rate 10'],
  async run(context, _args, options) {
    const { client, io } = context;
    const set = textOption(options, 'set');
    const rate = numberOption(options, 'rate', 0);
    if (set !== undefined || rate !== undefined) {
      const answer =
        set === undefined
          ? await client.post<{ at: number; nextDueMs: number | null }>('/v1/clock', { rate })
          : await client.settle(parseMoment('set', set), rate ?? 0);
      if (context.json) printJson(context, answer);
      else {
        const due =
          answer.nextDueMs === null
            ? 'nothing is due'
            : `next due in ${formatDuration(answer.nextDueMs - answer.at)}`;
        io.out(`${shown(answer.at)}; everything until then is done; ${due}.\n`);
      }
      return exitCodes.ok;
    }
    const clock = await client.get<ClockDocument>('/v1/clock');
    if (context.json) printJson(context, clock);
    else if (clock.source === 'system') {
      const driftMs = (clock.now ?? io.now()) - io.now();
      const apart = `${formatDuration(Math.abs(driftMs))} ${driftMs < 0 ? 'behind' : 'ahead of'}`;
      io.out(`${shown(clock.now)}, the system's clock (${apart} this machine).\n`);
    } else {
      const rate = clock.setting?.rate ?? 0;
      io.out(
        `${shown(clock.now)}, driven, ${rate === 0 ? 'standing still' : `at rate ${rate}`}.\n`,
      );
    }
    return exitCodes.ok;
  },
};
