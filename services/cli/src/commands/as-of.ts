import { table } from '../render/table.ts';
import {
  diffFloors,
  edgeFloor,
  foldedFloor,
  renderDiff,
  type ContactRow,
  type Floor,
  type Place,
} from '../replay/index.ts';
import { renderAgents } from './agents.ts';
import { printJson, textOption, type Context, type Options } from './command.ts';
import { logSources } from './mesh-sources.ts';
import { renderQueues } from './queues.ts';

/** Whether the log itself is folded here: an export, or one stream alone. */
const isFolded = (options: Options): boolean =>
  textOption(options, 'file') !== undefined || textOption(options, 'stream') !== undefined;

/** `replay --as-of`: queues, agents and living contacts at a moment. */
export async function printMoment(context: Context, options: Options, place: Place): Promise<void> {
  const floor = isFolded(options)
    ? await foldedFloor(await logSources(context, options), place)
    : await edgeFloor(context.client, place);
  const { at, places, queues, agents, contacts } = floor;
  if (context.json) {
    printJson(context, floor);
    return;
  }
  const { io, paint } = context;
  const where = Object.entries(places).map(([source, sequence]) => `${source} ${sequence}`);
  io.out(
    `${paint('bold', at ?? 'before the first event')}  (${where.join(', ') || 'nothing'})\n\n`,
  );
  io.out(`${renderQueues(queues, Date.parse(at ?? ''))}\n${renderAgents(agents)}\n`);
  io.out(
    table(
      [
        { heading: 'contact' },
        { heading: 'state' },
        { heading: 'queue' },
        { heading: 'agent' },
        { heading: 'since' },
      ],
      contacts.map(({ id, state, queueId, agentId, initiatedAt }) => [
        id,
        state,
        queueId ?? '',
        agentId ?? '',
        initiatedAt,
      ]),
    ),
  );
}

/** `replay --diff`: what changed from one moment to another. */
export async function printDiff(
  context: Context,
  options: Options,
  from: Place,
  to: Place,
): Promise<void> {
  const [before, after] = isFolded(options)
    ? await foldedFloors(context, options, from, to)
    : await edgeFloors(context, from, to);
  const diff = diffFloors(before, after);
  if (context.json) printJson(context, diff);
  else context.io.out(renderDiff(diff));
}

async function foldedFloors(
  context: Context,
  options: Options,
  from: Place,
  to: Place,
): Promise<[Floor, Floor]> {
  const sources = await logSources(context, options);
  const before = await foldedFloor(sources, from, true);
  return [before, await foldedFloor(sources, to, true)];
}

/** Both floors of an edge, the later one only with those contacts that can have changed. */
async function edgeFloors({ client }: Context, from: Place, to: Place): Promise<[Floor, Floor]> {
  if (!('timeMs' in from)) {
    const all = (): boolean => false;
    const before = await edgeFloor(client, from, all);
    return [before, await edgeFloor(client, to, all)];
  }
  const before = await edgeFloor(client, from);
  const missing = new Set(before.contacts.map(({ id }) => id));
  const living = new Set(missing);
  const beganBefore = ({ initiatedAt }: ContactRow): boolean =>
    Date.parse(initiatedAt) <= from.timeMs;
  // They come by falling time: those that began since, then the ones that were living.
  const after = await edgeFloor(client, to, (contact) => {
    const isEnough = beganBefore(contact) && missing.size === 0;
    missing.delete(contact.id);
    return isEnough;
  });
  const contacts = after.contacts.filter(
    (contact) => living.has(contact.id) || !beganBefore(contact),
  );
  return [before, { ...after, contacts }];
}
