import type { Source } from '../check/index.ts';
import { edgeSources, fileSources, regionsOf } from './check-mesh.ts';
import { listOption, textOption, type Context, type Options } from './command.ts';
import { fileLines } from './log-lines.ts';
import { eventStreamOf } from './pages.ts';

/**
 * What a command on the whole log reads: the exports of `--file`, else the one stream of `--stream`,
 * else the `EV_` streams of all regions as the edge holds them.
 */
export async function logSources(context: Context, options: Options): Promise<Source[]> {
  const files = listOption(options, 'file') ?? [];
  if (files.length > 1) return fileSources(context, files);
  const [file] = files;
  if (file !== undefined) {
    return [{ stream: file, grows: false, read: () => fileLines(context, file) }];
  }
  const { client } = context;
  const stream = textOption(options, 'stream');
  if (stream !== undefined) {
    return [{ stream, grows: false, read: () => client.log(stream) }];
  }
  const regions = await regionsOf(client);
  if (regions.length > 0) return edgeSources(client, regions.toSorted());
  const own = await eventStreamOf(client);
  return [{ stream: own, grows: false, read: () => client.log(own) }];
}
