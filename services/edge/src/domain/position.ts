/** One event's place: the entry's sequence in its stream, and the event's index in the entry. */
export interface Position {
  readonly sequence: number;
  readonly index: number;
}

/** How far a stream was sent: up to an event, or (without an index) up to the whole entry. */
export interface Place {
  readonly sequence: number;
  readonly index?: number;
}

/** How far each stream was sent, by its name. */
export type Vector = ReadonlyMap<string, Place>;

/** `EV_eu:123.0`: what a stream's events are known by. */
export function formatPosition(stream: string, { sequence, index }: Position): string {
  return `${stream}:${sequence}.${index}`;
}

/** Reads the id of an event of a stream; undefined when it is none. */
export function parsePosition(stream: string, text: string): Position | undefined {
  const prefix = `${stream}:`;
  const [, sequence, index] =
    (text.startsWith(prefix) ? /^(\d{1,15})\.(\d{1,6})$/.exec(text.slice(prefix.length)) : null) ??
    [];
  if (sequence === undefined || index === undefined || Number(sequence) < 1) return undefined;
  return { sequence: Number(sequence), index: Number(index) };
}

/**
 * Reads a vector, such as `EV_eu:12.0,EV_us:77`: places of different streams in any order.
 * @returns undefined when it is none, or names a stream that is not there
 */
export function parseVector(streams: readonly string[], text: string): Vector | undefined {
  const vector = new Map<string, Place>();
  for (const part of text.split(',', streams.length + 1)) {
    const [, stream = '', sequence, index] =
      /^(\w{1,40}):(\d{1,15})(?:\.(\d{1,6}))?$/.exec(part) ?? [];
    if (!streams.includes(stream) || vector.has(stream)) return undefined;
    if (index !== undefined && Number(sequence) < 1) return undefined;
    vector.set(stream, {
      sequence: Number(sequence),
      ...(index === undefined ? {} : { index: Number(index) }),
    });
  }
  return vector;
}

/** The event after a place: the next one of the entry, or the first of the next entry. */
export function after({ sequence, index }: Place): Position {
  return index === undefined
    ? { sequence: sequence + 1, index: 0 }
    : { sequence, index: index + 1 };
}

/** The place before an event, as it stands in a vector: `EV_us:76`, or `EV_us:77.1` within an entry. */
export function formatBefore(stream: string, { sequence, index }: Position): string {
  return index === 0 ? `${stream}:${sequence - 1}` : `${stream}:${sequence}.${index - 1}`;
}
