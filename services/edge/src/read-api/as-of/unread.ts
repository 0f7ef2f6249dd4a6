import type { LogMessage } from '@meridian/journal';
import type { DomainEnvelope, RecordedEvent } from '@meridian/readmodel';
import { contractOf, eventTexts } from '@meridian/wire';

/** What stands before an event's type, in every event that Meridian writes. */
const beginning = '{"specversion":"1.0","id":"';
const typeMark = '"type":"';

/** An event's text and its type, read off the text: nothing of it is parsed. */
export interface UnreadEvent {
  readonly type: string;
  readonly text: string;
}

/** An entry that waits to be parsed, perhaps for ever. It holds text alone, not what it came in. */
export interface UnreadEntry {
  readonly stream: string;
  readonly sequence: number;
  readonly events: readonly UnreadEvent[];
  /** About how much memory the text takes, in bytes. */
  readonly bytes: number;
}

/** Takes an entry apart; undefined when it is not laid out as Meridian writes entries. */
export function unreadEntry({ stream, sequence, data, ...rest }: Unread): UnreadEntry | undefined {
  const texts = eventTexts(rest.text);
  const events: UnreadEvent[] = [];
  for (const text of texts) {
    if (!text.startsWith(beginning)) return undefined;
    // The texts before it are quoted: the first one is the envelope's own.
    const from = text.indexOf(typeMark) + typeMark.length;
    const end = text.indexOf('"', from);
    if (from < typeMark.length || end === -1) return undefined;
    events.push({ type: text.slice(from, end), text });
  }
  return { stream, sequence, events, bytes: data.length };
}

interface Unread extends Pick<LogMessage, 'stream' | 'sequence' | 'data'> {
  readonly text: string;
}

/** The events of an entry that are wanted, parsed; those that are unknown or no JSON are left out. */
export function readEvents(
  { stream, sequence, events }: UnreadEntry,
  isWanted: (type: string) => boolean,
): RecordedEvent[] {
  const read: RecordedEvent[] = [];
  for (const [index, { type, text }] of events.entries()) {
    if (!isWanted(type) || contractOf(type) === undefined) continue;
    try {
      read.push({ stream, sequence, index, event: JSON.parse(text) as DomainEnvelope, text });
    } catch {
      // What cannot be read is left out, as where read models are made.
    }
  }
  return read;
}
