/**
 * What `region` says of the streams of `origin` that it holds, on `heldSubject(origin, region)`:
 * stream to the last sequence held; everything up to it is there.
 */
export interface HeldReport {
  readonly region: string;
  readonly streams: Readonly<Record<string, number>>;
}

/**
 * `beat.<origin>.held.<region>`: where a region tells another what of its streams it holds.
 * @param region the one that holds; `*` for all of them
 */
export function heldSubject(origin: string, region: string): string {
  return `beat.${origin}.held.${region}`;
}

/** Reads a report; undefined when the text is none. Sequences are whole numbers from 0 on. */
export function parseHeldReport(text: string): HeldReport | undefined {
  try {
    const report = JSON.parse(text) as Partial<HeldReport> | null;
    if (typeof report?.region !== 'string') return undefined;
    const { region, streams } = report;
    if (typeof streams !== 'object' || streams === null) return undefined;
    const isSequence = (value: unknown): boolean =>
      Number.isSafeInteger(value) && Number(value) >= 0;
    return Object.values(streams).every(isSequence) ? { region, streams } : undefined;
  } catch {
    return undefined;
  }
}
