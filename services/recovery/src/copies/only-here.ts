import { areEqual, type CopiedMessage } from './copied-message.ts';
import type { LocalCopy } from './local-copy.ts';
import { readRange, type CopyPlace } from './read-copy.ts';
import { chunkOf, firstOf, lastOf } from './rolling-hashes.ts';

/** More messages differ from the source's than may be set aside by themselves. */
export class TooMuchToKeep extends Error {
  constructor(stream: string, source: string, most: number) {
    super(
      `${stream} has more than ${most} messages that the copy in ${source} has not.\n` +
        'Nothing was changed. Save the stream (nats stream backup), then raise keepMost or delete it.',
    );
    this.name = 'TooMuchToKeep';
  }
}

/**
 * The messages of the own copy that can be read and that the source has not, or has otherwise: what
 * would be lost if the own copy were replaced. Chunks whose hashes agree are not read.
 * @throws TooMuchToKeep, LogUnavailable
 */
export async function onlyHere(
  copy: LocalCopy,
  own: CopyPlace,
  source: CopyPlace & { readonly peer: string },
  theirs: { readonly last: number; readonly hashes: readonly string[] },
  most: number,
): Promise<CopiedMessage[]> {
  const kept: CopiedMessage[] = [];
  const { stream, last, hashes } = copy;
  for (let chunk = 0; last >= firstOf(chunk); chunk += 1) {
    const hash = hashes.chunk(chunk);
    if (hash !== undefined && hash === theirs.hashes[chunk]) continue;
    const to = Math.min(lastOf(chunk), last);
    // Beyond the source's end every message counts that can still be read.
    const stride = to > theirs.last ? 1 : undefined;
    const mine = await readRange(own, stream, firstOf(chunk), to, stride);
    const there =
      theirs.last < firstOf(chunk)
        ? new Map<number, CopiedMessage>()
        : await readRange(source, stream, firstOf(chunk), Math.min(to, theirs.last));
    for (const [sequence, message] of mine) {
      const other = there.get(sequence);
      if (other === undefined || !areEqual(message, other)) kept.push(message);
    }
    if (kept.length > most) throw new TooMuchToKeep(stream, source.peer, most);
  }
  return kept.toSorted((a, b) => a.sequence - b.sequence);
}

/** Whether a copy that was just hashed as a whole is the same as its source's. */
export async function isSameAs(
  copy: LocalCopy,
  own: CopyPlace,
  source: CopyPlace,
  hashes: readonly string[],
): Promise<boolean> {
  const { chunks, upTo } = copy.hashes;
  const unhashed: number[] = [];
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const theirs = hashes[chunk];
    if (theirs === undefined) unhashed.push(chunk);
    else if (theirs !== copy.hashes.chunk(chunk)) return false;
  }
  if (upTo >= firstOf(chunks)) unhashed.push(chunkOf(upTo));
  for (const chunk of unhashed) {
    const to = Math.min(lastOf(chunk), upTo);
    const mine = await readRange(own, copy.stream, firstOf(chunk), to);
    const there = await readRange(source, copy.stream, firstOf(chunk), to);
    for (let sequence = firstOf(chunk); sequence <= to; sequence += 1) {
      const [one, other] = [mine.get(sequence), there.get(sequence)];
      if (one === undefined || other === undefined || !areEqual(one, other)) return false;
    }
  }
  return true;
}
