import { exitCodes } from '../fault.ts';
import { dayOf } from '../render/duration.ts';
import { eventLine } from '../render/event-line.ts';
import { countOption, listOption, printJson, textOption, type CommandSpec } from './command.ts';

export const tailCommand: CommandSpec = {
  usage: 'tail',
  summary: 'Show decisions as they are made, without a gap and without a repeat',
  options: [
    {
      flags: '--entity <names>',
      text: 'contact, reservation, agent, queue, routing; several with commas',
    },
    { flags: '--type <types>', text: 'such as meridian.contact.queued.v1; several with commas' },
    {
      flags: '--subject <ids>',
      text: 'contacts, reservations, agents, queues; several with commas',
    },
    { flags: '--home <regions>', text: 'where contacts and agents entered; several with commas' },
    {
      flags: '--from <place>',
      text: 'start, now (default), a sequence, or the position of an event to go on after',
    },
    { flags: '--limit <count>', text: 'end after so many events' },
  ],
  examples: [
    'meridian tail',
    'meridian tail --entity reservation,agent',
    'meridian tail --subject c1 --from start --json',
  ],
  streams: true,
  async run(context, _args, options) {
    const { io, client, paint } = context;
    const limit = countOption(options, 'limit') ?? Infinity;
    const filter = Object.fromEntries(
      (['home', 'entity', 'type', 'subject'] as const).flatMap((name) => {
        const values = listOption(options, name);
        return values === undefined ? [] : [[name, values]];
      }),
    );
    const from = textOption(options, 'from') ?? 'now';
    const onLost = (reason: string, delayMs: number): void => {
      io.err(`meridian: the connection is lost (${reason}); trying again in ${delayMs} ms\n`);
    };
    let seen = 0;
    let day = '';
    for await (const { position, event } of client.stream(
      { ...filter, from },
      { signal: io.signal, onLost },
    )) {
      if (context.json) printJson(context, { position, event });
      else {
        if (dayOf(event.time) !== day) {
          day = dayOf(event.time);
          io.out(`${paint('bold', day)}\n`);
        }
        io.out(`${eventLine(event, paint)}\n`);
      }
      seen += 1;
      if (seen >= limit) break;
    }
    return exitCodes.ok;
  },
};
