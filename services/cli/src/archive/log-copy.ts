import type { Context } from '../commands/command.ts';
import { edgeCopy, folderCopy } from '../verify/source.ts';
import type { RangedCopy } from './cursor.ts';

/** The log as the edge gives it, or as exports have it. */
export async function logCopy(context: Context, folder: string | undefined): Promise<RangedCopy> {
  if (folder !== undefined) return folderCopy(context, folder);
  const { streams } = await edgeCopy(context);
  const { client } = context;
  return { streams, read: (stream, range = {}) => client.log(stream, range) };
}
