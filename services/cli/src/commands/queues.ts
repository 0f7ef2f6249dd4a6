import { exitCodes } from '../fault.ts';
import { formatDuration, formatShare } from '../render/duration.ts';
import { table } from '../render/table.ts';
import { printJson, type CommandSpec } from './command.ts';
import { listAll } from './pages.ts';

/** A queue as the edge answers it, and as the fold of a replay gives it. */
export interface QueueRow {
  readonly id: string;
  readonly settings: { readonly serviceLevelMs?: number } | null;
  readonly deletedAt: string | null;
  readonly waiting: number;
  readonly longestWaitingSince: string | null;
  readonly totals: {
    readonly queued: number;
    readonly answered: number;
    readonly answeredWithinServiceLevel: number;
    readonly abandoned: number;
    readonly reaped: number;
  };
  readonly serviceLevel: number | null;
  readonly averageSpeedOfAnswerMs: number | null;
}

/** Queues as a table. @param nowMs the moment to which the longest wait counts, epoch ms */
export function renderQueues(queues: readonly QueueRow[], nowMs: number): string {
  return table(
    [
      { heading: 'queue' },
      { heading: 'waiting', isNumber: true },
      { heading: 'longest', isNumber: true },
      { heading: 'joined', isNumber: true },
      { heading: 'answered', isNumber: true },
      { heading: 'abandoned', isNumber: true },
      { heading: 'service level', isNumber: true },
      { heading: 'ASA', isNumber: true },
      { heading: '' },
    ],
    queues.map(({ id, settings, deletedAt, waiting, longestWaitingSince, totals, ...figures }) => [
      id,
      String(waiting),
      longestWaitingSince === null ? '-' : formatDuration(nowMs - Date.parse(longestWaitingSince)),
      String(totals.queued),
      String(totals.answered),
      String(totals.abandoned),
      `${formatShare(figures.serviceLevel)} in ${formatDuration(settings?.serviceLevelMs ?? 20_000)}`,
      formatDuration(figures.averageSpeedOfAnswerMs),
      deletedAt === null ? (settings === null ? 'not configured' : '') : 'deleted',
    ]),
  );
}

export const queuesCommand: CommandSpec = {
  usage: 'queues [id]',
  summary: 'Queues: who waits, for how long, service level, speed of answer, abandoned',
  examples: ['meridian queues', 'meridian queues sales', 'meridian queues --json'],
  async run(context, [id]) {
    const { client, io } = context;
    const answer =
      id === undefined
        ? await listAll<QueueRow>(client, 'queues')
        : await client
            .get<QueueRow>(`/v1/queues/${encodeURIComponent(id)}`)
            .then((row) => ({ ...row, rows: [row] }));
    if (context.json) {
      printJson(context, id === undefined ? { queues: answer.rows } : answer.rows[0]);
    } else io.out(renderQueues(answer.rows, await logNow(context)));
    return exitCodes.ok;
  },
};

/** The time of the log: the driven clock's, or this machine's when the key may not ask for it. */
async function logNow({ client, io }: Parameters<CommandSpec['run']>[0]): Promise<number> {
  try {
    return (await client.get<{ now: number | null }>('/v1/clock')).now ?? io.now();
  } catch {
    return io.now();
  }
}
