import { isUtf8 } from 'node:buffer';
import type { CustomAppended } from '@meridian/wire';
import { invalidArgument } from '../faults.ts';
import type { ProposedMessage, WireExpected } from '../protocol/messages.ts';
import { readUuid } from '../protocol/uuid.ts';
import { positionsPerRank } from '../recorded.ts';

/** What an append expects of its stream: the revision of its last event, or less than that. */
export type Expected = number | 'any' | 'no-stream' | 'exists';

const typeLimit = 512;

/** What the client expects; anything when it says nothing. */
export function readExpected(given: WireExpected): Expected {
  const revision = given.revision ?? given.streamPosition;
  if (revision !== undefined) return Number(revision);
  if (given.noStream !== undefined) return 'no-stream';
  return given.streamExists === undefined ? 'any' : 'exists';
}

/** Whether a stream whose last event has this revision (-1 without one) is as expected. */
export function isAsExpected(expected: Expected, revision: number): boolean {
  if (expected === 'any') return true;
  if (expected === 'exists') return revision >= 0;
  return revision === (expected === 'no-stream' ? -1 : expected);
}

/**
 * The events of one append as they are stored.
 * @throws CallRefused (INVALID_ARGUMENT) naming what is wrong
 */
export function readProposed(messages: readonly ProposedMessage[]): CustomAppended[] {
  if (messages.length > positionsPerRank) {
    throw invalidArgument(
      `The append has ${messages.length} events; at most ${positionsPerRank} are taken at once.`,
    );
  }
  return messages.map(({ id, metadata = {}, customMetadata, data }, index) => {
    const eventId = readUuid(id);
    const eventType = metadata['type'] ?? '';
    if (eventId === undefined) throw invalidArgument(`Event ${index} has no UUID as its id.`);
    if (eventType === '' || eventType.length > typeLimit || eventType.startsWith('$')) {
      throw invalidArgument(
        `Event ${index} has the type ${JSON.stringify(eventType.slice(0, 60))}; it must have ` +
          `1 to ${typeLimit} characters and not begin with $.`,
      );
    }
    const bytes = Buffer.from(data ?? []);
    const isJson = metadata['content-type'] === 'application/json';
    if (isJson && !isUtf8(bytes)) {
      throw invalidArgument(`Event ${index} says that it is JSON, but is no UTF-8 text.`);
    }
    const extra = Buffer.from(customMetadata ?? []);
    return {
      eventId,
      eventType,
      isJson,
      content: bytes.toString(isJson ? 'utf8' : 'base64'),
      ...(extra.length === 0 ? {} : { metadata: metadataText(extra) }),
    };
  });
}

/** Text where the bytes are the text of a JSON object, base64 otherwise: `{` is no base64. */
const metadataText = (bytes: Buffer): string =>
  bytes[0] === '{'.charCodeAt(0) && isUtf8(bytes) ? bytes.toString() : bytes.toString('base64');
