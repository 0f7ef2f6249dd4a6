import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseRawEntry, type RawEntry } from '../check/raw.ts';
import { regionsOf } from '../commands/check-mesh.ts';
import type { Context } from '../commands/command.ts';
import { fileLines } from '../commands/log-lines.ts';
import { eventStreamOf } from '../commands/pages.ts';
import { usageFault } from '../fault.ts';

/** A copy of the log that can be read as often as needed. */
export interface LogCopy {
  /** The `IN_` and `EV_` streams that there are. */
  readonly streams: readonly string[];
  /** Why a message may be missing from it, beyond that it was taken away. */
  readonly caution?: string;
  /** Lines of a stream as `meridian export` writes them. */
  read(stream: string): AsyncIterable<readonly string[]>;
}

const exportPattern = /^((?:IN|EV)_[a-z0-9]+)\.ndjson$/;

/** The exports in a folder, `<stream>.ndjson` each. @throws CommandFault (usage) when there is none */
export function folderCopy(context: Context, folder: string): LogCopy {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw usageFault(`${folder} cannot be read (${(error as Error).message}).`);
  }
  const streams = names.flatMap((name) => exportPattern.exec(name)?.[1] ?? []).toSorted();
  if (streams.length === 0) {
    throw usageFault(
      `There is no export in ${folder}: a file for each stream, such as EV_eu.ndjson.\n` +
        `Make them with meridian export --stream EV_eu --out ${join(folder, 'EV_eu.ndjson')}`,
    );
  }
  return { streams, read: (stream) => fileLines(context, join(folder, `${stream}.ndjson`)) };
}

/**
 * The streams of all regions as the edge holds them, up to where they ended when this was called:
 * what comes while it is read belongs to the next time.
 */
export async function edgeCopy({ client }: Context): Promise<LogCopy> {
  const known = await regionsOf(client);
  const own = await eventStreamOf(client);
  const regions = known.length > 0 ? known : [own.slice('EV_'.length)];
  const streams = regions.flatMap((region) => [`IN_${region}`, `EV_${region}`]).toSorted();
  const caution =
    'An API key shows its own tenant only: where there are several, use one of the tenant meridian.';
  return { streams, caution, read: (stream) => client.log(stream) };
}

/** Reads a stream entry by entry. @param onWrong told of a line that is none, by its number from 1 */
export async function* entriesOf(
  copy: LogCopy,
  stream: string,
  onWrong: (line: number, why: string) => void = () => {},
): AsyncGenerator<RawEntry> {
  let number = 0;
  for await (const lines of copy.read(stream)) {
    for (const line of lines) {
      number += 1;
      if (line.trim() === '') continue;
      const entry = parseRawEntry(line);
      if (typeof entry === 'string') onWrong(number, entry);
      else yield entry;
    }
  }
}
