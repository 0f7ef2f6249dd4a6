import type { Context } from '../commands/command.ts';
import { edgeCopy, folderCopy } from '../verify/source.ts';
import type { RangedCopy } from './cursor.ts';

/**
 * The log as the edge gives it, or as exports have it.
 * @param reason for the edge, which records who read the log and why
 */
export async function logCopy(
  context: Context,
  folder: string | undefined,
  reason: string | undefined,
): Promise<RangedCopy> {
  if (folder !== undefined) return folderCopy(context, folder);
  const { streams } = await edgeCopy(context);
  const { client } = context;
  return { streams, read: (stream, range = {}) => client.log(stream, range, reason) };
}
