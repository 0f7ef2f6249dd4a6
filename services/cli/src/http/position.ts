/** Where an event is: `EV_eu:41.2` is the third event of the entry at sequence 41. */
export interface EventPosition {
  readonly stream: string;
  readonly sequence: number;
  readonly index: number;
}

/** Reads `<stream>:<sequence>.<index>`; undefined when it is something else. */
export function parseEventPosition(text: string): EventPosition | undefined {
  const match = /^(\w+):(\d{1,15})\.(\d{1,6})$/.exec(text);
  if (match === null) return undefined;
  return { stream: match[1] ?? '', sequence: Number(match[2]), index: Number(match[3]) };
}

/** Whether `next` comes after `last` in its stream; always so when they are of different streams. */
export function isAfter(next: EventPosition, last: EventPosition | undefined): boolean {
  if (last === undefined || next.stream !== last.stream) return true;
  return (
    next.sequence > last.sequence || (next.sequence === last.sequence && next.index > last.index)
  );
}
