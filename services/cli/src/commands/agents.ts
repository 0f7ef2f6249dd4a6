import { exitCodes } from '../fault.ts';
import { timeOfDay } from '../render/duration.ts';
import { table } from '../render/table.ts';
import { printJson, type CommandSpec } from './command.ts';
import { listAll } from './pages.ts';

/** An agent as the edge answers it, and as the fold of a replay gives it. */
export interface AgentRow {
  readonly id: string;
  readonly presence: string;
  readonly reason: string | null;
  readonly presenceSince: string | null;
  readonly signingOut: boolean;
  readonly skills: readonly { readonly skill: string; readonly level: number }[];
  readonly channels: readonly {
    readonly channel: string;
    readonly state: string;
    readonly limit: number;
    readonly offered: number;
    readonly interacting: number;
    readonly wrapping: number;
  }[];
  readonly reservations: readonly { readonly contactId: string; readonly stage: string }[];
}

export function renderAgents(agents: readonly AgentRow[]): string {
  return table(
    [
      { heading: 'agent' },
      { heading: 'presence' },
      { heading: 'since' },
      { heading: 'channels' },
      { heading: 'contacts' },
      { heading: 'skills' },
    ],
    agents.map((agent) => [
      agent.id,
      agent.presence +
        (agent.reason === null ? '' : ` (${agent.reason})`) +
        (agent.signingOut ? ', signing out' : ''),
      agent.presenceSince === null ? '-' : timeOfDay(agent.presenceSince),
      agent.channels
        .map(
          ({ channel, state, limit, offered, interacting, wrapping }) =>
            `${channel} ${state} ${offered + interacting + wrapping}/${limit}`,
        )
        .join(', '),
      agent.reservations
        .map(({ contactId, stage }) => `${contactId} ${stage.toLowerCase()}`)
        .join(', '),
      agent.skills.map(({ skill, level }) => `${skill} ${level}`).join(', '),
    ]),
  );
}

export const agentsCommand: CommandSpec = {
  usage: 'agents [id]',
  summary: 'Agents: presence, what each channel does, their contacts and skills',
  examples: ['meridian agents', 'meridian agents ada --json'],
  async run(context, [id]) {
    const { client, io } = context;
    const rows =
      id === undefined
        ? (await listAll<AgentRow>(client, 'agents')).rows
        : [await client.get<AgentRow>(`/v1/agents/${encodeURIComponent(id)}`)];
    if (context.json) printJson(context, id === undefined ? { agents: rows } : rows[0]);
    else io.out(renderAgents(rows));
    return exitCodes.ok;
  },
};
