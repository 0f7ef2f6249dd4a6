/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  /** The type: `message` unless the server named one. */
  readonly event: string;
  readonly data: string;
  /** The last event id so far; empty when none was sent. */
  readonly id: string;
}

/**
 * Reads `text/event-stream` as the HTML standard says (section 9.2.6): lines end in LF, CR or CRLF,
 * a blank line dispatches, an event without data is not dispatched but its id counts.
 */
export class SseParser {
  #rest = '';
  #started = false;
  #event = '';
  #data: string[] = [];
  #idBuffer = '';
  /** The last event id so far; what `Last-Event-ID` says when the stream is opened again. */
  lastEventId = '';
  /** How long to wait before opening the stream again, in ms; undefined until the server says. */
  retryMs: number | undefined;

  /** @param lastEventId where a stream that is opened again goes on */
  constructor(lastEventId = '') {
    this.lastEventId = lastEventId;
    this.#idBuffer = lastEventId;
  }

  /** Takes the next piece of text, and gives the events that it completed. */
  push(text: string): ServerSentEvent[] {
    let all = this.#rest + text;
    if (!this.#started && all !== '') {
      this.#started = true;
      if (all.startsWith('\uFEFF')) all = all.slice(1);
    }
    // A CR at the very end may be the first half of a CRLF.
    const held = all.endsWith('\r') ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + (held === 1 ? '\r' : '');
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      if (line !== '') this.#field(line);
      else {
        const event = this.#dispatch();
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    // A comment: the server says that it is alive.
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const raw = colon === -1 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#idBuffer = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): ServerSentEvent | undefined {
    this.lastEventId = this.#idBuffer;
    const data = this.#data;
    const event = this.#event === '' ? 'message' : this.#event;
    this.#data = [];
    this.#event = '';
    if (data.length === 0) return undefined;
    return { event, data: data.join('\n'), id: this.lastEventId };
  }
}
