import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitCodes } from '../fault.ts';
import { formatDuration } from '../render/duration.ts';
import { table } from '../render/table.ts';
import { renderReceipt, verifyReceipt } from '../receipt/index.ts';
import { countOption, printJson, textOption, type CommandSpec } from './command.ts';

/** A drill as `GET /v1/drills` has it; with its receipt, as `GET /v1/drills/{id}` has it. */
interface Drill {
  readonly id: string;
  readonly exercise: string;
  readonly passed: boolean;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Where it is: `EV_us:12`. */
  readonly at: string;
}

export const drillsCommand: CommandSpec = {
  usage: 'drills [id]',
  summary: 'Past drills, the latest first; with an id, its receipt',
  options: [
    { flags: '--limit <count>', text: 'how many at most; 50 by default' },
    {
      flags: '--out <file>',
      text: 'with an id: write the receipt as it was signed, for `receipt verify`',
    },
  ],
  examples: [
    'meridian drills',
    'meridian drills drill-20260302T080000-kill-eu',
    'meridian drills drill-20260302T080000-kill-eu --out drill.json',
  ],
  async run(context, [id], options) {
    const { client, io, paint } = context;
    if (id !== undefined) {
      const path = `/v1/drills/${encodeURIComponent(id)}`;
      const drill = await client.get<Drill & { readonly receipt: string }>(path);
      const file = textOption(options, 'out');
      if (file !== undefined) writeFileSync(resolve(io.folder, file), `${drill.receipt}\n`);
      if (context.json) printJson(context, drill);
      else io.out(renderReceipt(verifyReceipt(drill.receipt).receipt, paint));
      return exitCodes.ok;
    }
    const limit = countOption(options, 'limit') ?? 50;
    const { drills } = await client.get<{ drills: readonly Drill[] }>(`/v1/drills?limit=${limit}`);
    if (context.json) printJson(context, { drills });
    else {
      io.out(
        table(
          [
            { heading: 'drill' },
            { heading: 'exercise' },
            { heading: 'began' },
            { heading: 'took', isNumber: true },
            { heading: 'promises' },
            { heading: 'at' },
          ],
          drills.map(({ passed, startedAt, endedAt, ...drill }) => [
            drill.id,
            drill.exercise,
            startedAt,
            formatDuration(Date.parse(endedAt) - Date.parse(startedAt)),
            passed ? paint('green', 'kept') : paint('red', 'BROKEN'),
            drill.at,
          ]),
        ),
      );
    }
    return exitCodes.ok;
  },
};
