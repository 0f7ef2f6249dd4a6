/** Sequences by source: a stream's name, or `EV_<region>.<home>` for one home's part of it. */
export type Positions = Readonly<Record<string, number>>;

/** What an entry says of the reading of its writer. */
export interface Places {
  /** The place of the last message that was decided into the aggregate. */
  readonly consumed: Positions;
  /** Up to here the writer had settled everything that it reads from the source. */
  readonly settled: Positions;
}

const nothing: Places = { consumed: {}, settled: {} };

/** Reads places from their header form, `IN_eu=12/9,EV_eu.eu=40,IN_us=/7`. */
export function parsePlaces(text: string | undefined): Places {
  if (text === undefined || text === '') return nothing;
  const consumed: Record<string, number> = {};
  const settled: Record<string, number> = {};
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    const source = part.slice(0, equals);
    const slash = part.indexOf('/', equals);
    const place = slash === -1 ? part.slice(equals + 1) : part.slice(equals + 1, slash);
    if (place !== '') consumed[source] = Number(place);
    if (slash !== -1) settled[source] = Number(part.slice(slash + 1));
  }
  return { consumed, settled };
}

/**
 * The header form of places.
 * @param only the sources of which the settled position is stated; all when absent
 */
export function formatPlaces(consumed: Positions, settled: Positions, only?: Positions): string {
  const parts: string[] = [];
  for (const source in consumed) {
    const position = settled[source];
    parts.push(`${source}=${consumed[source]}${position === undefined ? '' : `/${position}`}`);
  }
  if (only === undefined) {
    for (const source in settled) {
      if (consumed[source] === undefined) parts.push(`${source}=/${settled[source]}`);
    }
  }
  return parts.join(',');
}
