import { exitCodes } from '../fault.ts';
import { timeOfDay } from '../render/duration.ts';
import { table } from '../render/table.ts';
import { countOption, printJson, textOption, type CommandSpec } from './command.ts';

/** What a service could not process, or refused. */
export interface AsideRow {
  readonly id: string;
  readonly status: 'rejected' | 'failed' | 'retry_requested' | 'resolved';
  readonly service: string;
  readonly subject: string;
  readonly reason: { readonly code: string; readonly detail: string };
  readonly attempts: number;
  readonly at: string;
}

const renderAside = (items: readonly AsideRow[]): string =>
  table(
    [
      { heading: 'id' },
      { heading: 'status' },
      { heading: 'at' },
      { heading: 'attempts', isNumber: true },
      { heading: 'subject' },
      { heading: 'reason' },
    ],
    items.map(({ id, status, at, attempts, subject, reason }) => [
      id,
      status,
      timeOfDay(at),
      String(attempts),
      subject,
      `${reason.code}: ${reason.detail}`,
    ]),
  );

export const setAsideCommands: readonly CommandSpec[] = [
  {
    usage: 'list',
    summary: 'What could not be processed or was refused, by its present state',
    options: [
      { flags: '--status <status>', text: 'rejected, failed, retry_requested or resolved' },
      { flags: '--service <name>', text: 'such as sessions or routing' },
      { flags: '--limit <count>', text: 'how many at most; 100 by default' },
    ],
    examples: ['meridian set-aside list --status failed', 'meridian set-aside list --json'],
    async run(context, _args, options) {
      const query = new URLSearchParams();
      for (const name of ['status', 'service']) {
        const value = textOption(options, name);
        if (value !== undefined) query.set(name, value);
      }
      query.set('limit', String(countOption(options, 'limit') ?? 100));
      const answer = await context.client.get<{ items: readonly AsideRow[]; next?: number }>(
        `/v1/set-aside?${query.toString()}`,
      );
      if (context.json) printJson(context, answer);
      else {
        context.io.out(renderAside(answer.items));
        if (answer.next !== undefined) context.io.out('There are more: raise --limit.\n');
      }
      return exitCodes.ok;
    },
  },
  {
    usage: 'retry <id>',
    summary: 'Ask the service to try again',
    examples: ['meridian set-aside retry sessions.IN_eu.42'],
    async run(context, [id = '']) {
      const item = await context.client.post<AsideRow>(
        `/v1/set-aside/${encodeURIComponent(id)}/retry`,
      );
      if (context.json) printJson(context, item);
      else context.io.out(`${item.id} is ${item.status}.\n`);
      return exitCodes.ok;
    },
  },
];
