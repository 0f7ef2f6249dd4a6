/** One event's place: the entry's sequence in its stream, and the event's index in the entry. */
export interface Position {
  readonly sequence: number;
  readonly index: number;
}

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
