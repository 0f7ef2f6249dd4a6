import { journalOf, memoryLog, type Journal, type Ledger, type MemoryLog } from '@meridian/journal';
import { encodeEntry, emptyHead, eventStream, eventSubject } from '@meridian/wire';
import { eventually } from '@meridian/testing';
import { aggregate } from './tally.ts';

/** A log that holds the streams of several regions, as each region does. */
export function meshLog(): MemoryLog {
  return memoryLog();
}

export const writerIn = (region: string, epoch: number) => ({
  region,
  home: 'eu',
  service: 'test',
  epoch,
});

export const journalIn = (log: MemoryLog, region: string, epoch: number, ledger: Ledger): Journal =>
  journalOf(log, writerIn(region, epoch), { ledger });

/** Stores an entry of one event that knows nothing of what came before: only its place matters. */
export async function write(
  log: MemoryLog,
  region: string,
  epoch: number,
  amount: number,
  id = aggregate.id,
): Promise<number> {
  const of = { ...aggregate, id };
  const { text } = encodeEntry(writerIn(region, epoch), of, emptyHead, [
    {
      type: 'meridian.contact.attributes_updated.v1',
      subject: id,
      data: { attributes: { amount: `${amount}` } },
      cause: { causationId: `/spec#${region}${epoch}${amount}` },
      timeMs: 1_000,
    },
  ]);
  const stored = await log.append(eventStream(region), {
    subject: eventSubject(region, 'eu', of),
    data: text,
  });
  return stored.sequence;
}

/** Waits until a list is as long as that, and then a little for what must not come. */
export async function hasLength(list: readonly unknown[], length: number): Promise<void> {
  await eventually(`${length} in the list`, () => list.length >= length);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
