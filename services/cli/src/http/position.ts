/** Where an event is: `EV_eu:41.2` is the third event of the entry at sequence 41. */
export interface EventPosition {
  readonly stream: string;
  readonly sequence: number;
  readonly index: number;
}

/**
 * Reads the id of an event: `<stream>:<sequence>.<index>`, or among several regions a vector such
 * as `EV_ap:5,EV_eu:41.2,EV_us:77`, in which the event's own place may be given as the stream of
 * the region that wrote it.
 * @param writer the region that wrote the event, to tell which place of a vector is its own where
 *   more than one has an index
 * @returns undefined when it is something else
 */
export function parseEventPosition(text: string, writer?: string): EventPosition | undefined {
  const places = text.split(',').map(parsePlace);
  const indexed = places.filter((place) => place?.index !== undefined);
  if (places.includes(undefined)) return undefined;
  const own =
    indexed.length > 1 ? indexed.find((place) => place?.stream === `EV_${writer}`) : indexed[0];
  return own as EventPosition | undefined;
}

function parsePlace(
  text: string,
): { readonly stream: string; readonly sequence: number; readonly index?: number } | undefined {
  const match = /^(\w+):(\d{1,15})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const [, stream = '', sequence, index] = match;
  return {
    stream,
    sequence: Number(sequence),
    ...(index === undefined ? {} : { index: Number(index) }),
  };
}

/** The region that wrote an event: the first part of its source, `/<region>/<service>`. */
export function writerOf({ source }: { readonly source?: string }): string | undefined {
  return source?.split('/')[1];
}

/** Whether `next` comes after `last` in its stream; always so when they are of different streams. */
export function isAfter(next: EventPosition, last: EventPosition | undefined): boolean {
  if (last === undefined || next.stream !== last.stream) return true;
  return (
    next.sequence > last.sequence || (next.sequence === last.sequence && next.index > last.index)
  );
}
