import { epochOf, type Ledger, type LogMessage } from '@meridian/journal';
import { decodeEntry, eventTexts, parseSubject, type ParsedSubject } from '@meridian/wire';
import { entityOf, isMeant, type EventFilter, type FilteredEvent } from './event-filter.ts';
import { formatPosition } from '../domain/position.ts';
import type { Ringed } from '../domain/ring.ts';

interface Frame extends FilteredEvent {
  /** The event's own place: `EV_eu:12.0`. */
  readonly place: string;
  /** The event as server-sent, what comes after its id. */
  readonly rest: string;
  /** The same with the id of a stream that is alone. */
  readonly text: string;
}

/** The places of the other streams in an event's id: `EV_ap:5,` before its own and `,EV_us:7` after. */
export interface Others {
  readonly before: string;
  readonly after: string;
}

export const noOthers: Others = { before: '', after: '' };

/**
 * An entry as streams send it. It is taken apart at the first look, once for all who read it; the
 * events' texts are cut out of what is stored, never written anew.
 */
export class ParsedEntry implements Ringed {
  readonly sequence: number;
  readonly size: number;
  readonly storedAtMs: number;
  readonly #subject: ParsedSubject | undefined;
  #message: LogMessage | undefined;
  #epoch = 0;
  #frames: readonly Frame[] | undefined;
  /** The text for who reads everything of a stream that is alone. */
  #whole: string | undefined;
  /** What is said in place of an entry that nobody can read: a comment, so that nothing is passed over in silence. */
  #broken = '';

  constructor(message: LogMessage) {
    this.sequence = message.sequence;
    this.size = message.data.length;
    this.storedAtMs = message.storedAtMs;
    this.#subject = parseSubject(message.subject);
    this.#message = message;
  }

  /**
   * The text to send to a reader with this filter, from the event at `fromIndex` on; may be empty.
   * @param ledger says what does not count; without it everything does
   */
  framesFor(filter: EventFilter, fromIndex: number, others: Others, ledger?: Ledger): string {
    const subject = this.#subject;
    if (subject?.tenant !== filter.tenant) return '';
    if (filter.homes !== undefined && !filter.homes.has(subject.home)) return '';
    const frames = this.#parse();
    if (ledger !== undefined && this.#isOrphan(ledger, subject)) return '';
    const alone = others === noOthers;
    if (alone && fromIndex === 0 && isAll(filter)) {
      this.#whole ??= this.#broken + frames.map((frame) => frame.text).join('');
      return this.#whole;
    }
    let text = this.#broken;
    for (let index = fromIndex; index < frames.length; index += 1) {
      const frame = frames[index] as Frame;
      if (!isMeant(filter, frame)) continue;
      text += alone ? frame.text : `id: ${others.before}${frame.place}${others.after}${frame.rest}`;
    }
    return text;
  }

  /** Known to be beyond the seal of its epoch; what the ledger does not know yet is none. */
  #isOrphan(ledger: Ledger, { home, region }: ParsedSubject): boolean {
    return ledger.verdict(home, this.#epoch, region, this.sequence) === 'orphan';
  }

  #parse(): readonly Frame[] {
    if (this.#frames !== undefined) return this.#frames;
    const message = this.#message as LogMessage;
    try {
      this.#epoch = epochOf(message);
      this.#frames = parseFrames(message);
    } catch (error) {
      this.#broken = `: ${message.stream}:${message.sequence} cannot be read: ${(error as Error).name}\n\n`;
      this.#frames = [];
    }
    this.#message = undefined;
    return this.#frames;
  }
}

/** Whether every event of an entry is meant that is of the tenant and the home. */
function isAll({ entities, types, subjects }: EventFilter): boolean {
  return entities === undefined && types === undefined && subjects === undefined;
}

/** @throws SyntaxError when the entry is not what Meridian writes */
function parseFrames(message: LogMessage): Frame[] {
  const stored = message.text();
  const texts = eventTexts(stored);
  return decodeEntry(stored).map(({ type, subject }, index) => {
    const place = formatPosition(message.stream, { sequence: message.sequence, index });
    const rest = `\nevent: ${type}\ndata: ${texts[index]}\n\n`;
    return { entity: entityOf(type), type, subject, place, rest, text: `id: ${place}${rest}` };
  });
}
