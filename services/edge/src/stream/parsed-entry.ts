import type { LogMessage } from '@meridian/journal';
import { decodeEntry, eventTexts } from '@meridian/wire';
import {
  entityOf,
  isMeant,
  tenantOf,
  type EventFilter,
  type FilteredEvent,
} from './event-filter.ts';
import { formatPosition, type Position } from '../domain/position.ts';
import type { Ringed } from '../domain/ring.ts';

interface Frame extends FilteredEvent {
  /** The event as server-sent: id, event, data. */
  readonly text: string;
}

/**
 * An entry as streams send it. It is taken apart at the first look, once for all who read it; the
 * events' texts are cut out of what is stored, never written anew.
 */
export class ParsedEntry implements Ringed {
  readonly sequence: number;
  readonly size: number;
  readonly tenant: string | undefined;
  #message: LogMessage | undefined;
  #frames: readonly Frame[] | undefined;
  /** What is said in place of an entry that nobody can read: a comment, so that nothing is passed over in silence. */
  #broken = '';

  constructor(message: LogMessage) {
    this.sequence = message.sequence;
    this.size = message.data.length;
    this.tenant = tenantOf(message.subject);
    this.#message = message;
  }

  /** The text to send to a reader with this filter, from the event at `fromIndex` on; may be empty. */
  framesFor(filter: EventFilter, fromIndex: number): string {
    if (this.tenant !== filter.tenant) return '';
    const frames = this.#parse();
    let text = this.#broken;
    for (let index = fromIndex; index < frames.length; index += 1) {
      const frame = frames[index] as Frame;
      if (isMeant(filter, frame)) text += frame.text;
    }
    return text;
  }

  #parse(): readonly Frame[] {
    if (this.#frames !== undefined) return this.#frames;
    const message = this.#message as LogMessage;
    try {
      this.#frames = parseFrames(message);
    } catch (error) {
      this.#broken = `: ${message.stream}:${message.sequence} cannot be read: ${(error as Error).name}\n\n`;
      this.#frames = [];
    }
    this.#message = undefined;
    return this.#frames;
  }
}

/** @throws SyntaxError when the entry is not what Meridian writes */
function parseFrames(message: LogMessage): Frame[] {
  const stored = message.text();
  const texts = eventTexts(stored);
  return decodeEntry(stored).map(({ type, subject }, index) => {
    const position: Position = { sequence: message.sequence, index };
    const text = `id: ${formatPosition(message.stream, position)}\nevent: ${type}\ndata: ${texts[index]}\n\n`;
    return { entity: entityOf(type), type, subject, text };
  });
}
