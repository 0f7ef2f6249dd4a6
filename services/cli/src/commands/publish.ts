import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { exitCodes, usageFault } from '../fault.ts';
import type { Accepted, EventToPublish } from '../http/client.ts';
import { table } from '../render/table.ts';
import { printJson, textOption, type CommandSpec, type Context, type Options } from './command.ts';

/** How many events go in one request. */
const batchSize = 100;

/**
 * The events of a text: one JSON object, a JSON list, or one object a line (NDJSON).
 * @throws CommandFault (usage) that names the line
 */
export function parseEvents(text: string, where: string): Record<string, unknown>[] {
  const whole = tryParse(text);
  const values: unknown[] =
    whole !== undefined
      ? Array.isArray(whole)
        ? whole
        : [whole]
      : text.split('\n').flatMap((line, index) => {
          if (line.trim() === '') return [];
          const value = tryParse(line);
          if (value !== undefined) return [value];
          throw usageFault(
            `${where}, line ${index + 1}: it is no JSON.\nGive one CloudEvent, a list of them, or one a line.`,
          );
        });
  return values.map((value, index) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    throw usageFault(`${where}, event ${index + 1}: a CloudEvent must be a JSON object.`);
  });
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** An event with the id and source that it must have; both are kept when given. */
export function complete(
  event: Readonly<Record<string, unknown>>,
  newId: () => string,
): EventToPublish {
  return {
    ...event,
    id: event['id'] ?? newId(),
    source: event['source'] ?? '/cli',
  } as unknown as EventToPublish;
}

async function readAll(source: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

async function eventsToPublish(
  { io }: Context,
  options: Options,
): Promise<Record<string, unknown>[]> {
  const file = textOption(options, 'file');
  const type = textOption(options, 'type');
  const subject = textOption(options, 'subject');
  if (file !== undefined) {
    if (type !== undefined) throw usageFault('Give either --file or --type, not both.');
    const text =
      file === '-'
        ? await readAll(io.stdin)
        : await readFile(file, 'utf8').catch((error: Error) => {
            throw usageFault(`--file ${file} cannot be read (${error.message}).`);
          });
    return parseEvents(text, file === '-' ? 'the standard input' : file);
  }
  if (type === undefined || subject === undefined) {
    throw usageFault('Nothing to publish.\nGive --type and --subject (and --data), or --file.');
  }
  const data = tryParse(textOption(options, 'data') ?? '{}');
  if (data === undefined) throw usageFault(`--data is no JSON: ${textOption(options, 'data')}`);
  const given = Object.fromEntries(
    ['id', 'source', 'time'].flatMap((name) => {
      const value = textOption(options, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return [
    { ...given, type: type.startsWith('meridian.') ? type : `meridian.${type}.v1`, subject, data },
  ];
}

export const publishCommand: CommandSpec = {
  usage: 'publish',
  summary: 'Publish requests: one, a batch, or a file of them',
  options: [
    { flags: '--type <type>', text: 'meridian.contact.initiate.v1, or contact.initiate for short' },
    { flags: '--subject <id>', text: 'the contact, reservation, agent or queue' },
    { flags: '--data <json>', text: 'what the type asks for; {} by default' },
    { flags: '--id <id>', text: 'a new one by default' },
    { flags: '--source <source>', text: '/cli by default' },
    { flags: '--time <time>', text: 'RFC 3339; by default the time at which it is accepted' },
    {
      flags: '--file <file>',
      text: 'CloudEvents: one, a JSON list, or one a line; - for the standard input',
    },
  ],
  examples: [
    'meridian publish --type contact.initiate --subject c1 --data \'{"method":"INBOUND","channel":"VOICE"}\'',
    'meridian publish --file requests.ndjson',
    'generate-requests | meridian publish --file - --json',
  ],
  async run(context, _args, options) {
    const events = (await eventsToPublish(context, options)).map((event) =>
      complete(event, randomUUID),
    );
    const accepted: Accepted[] = [];
    for (let from = 0; from < events.length; from += batchSize) {
      accepted.push(...(await context.client.publish(events.slice(from, from + batchSize))));
    }
    if (context.json) printJson(context, { accepted });
    else {
      context.io.out(
        table(
          [
            { heading: 'stream' },
            { heading: 'sequence', isNumber: true },
            { heading: 'id' },
            { heading: '' },
          ],
          accepted.map(({ stream, sequence, id, duplicate }) => [
            stream,
            String(sequence),
            id,
            duplicate ? 'stored before' : '',
          ]),
        ),
      );
    }
    return exitCodes.ok;
  },
};
