import { parseRawEntry, type RawEntry } from '../check/raw.ts';

/** What stands in the place of a message that was deleted. */
export interface Marker {
  readonly stream: string;
  readonly sequence: number;
  /** The name of the record's file. */
  readonly deleted: string;
}

export type ArchivedLine =
  | { readonly kind: 'message'; readonly entry: RawEntry; readonly line: string }
  | { readonly kind: 'deleted'; readonly marker: Marker; readonly line: string }
  | { readonly kind: 'wrong'; readonly why: string };

const isMarker = (value: Partial<Marker>): value is Marker =>
  typeof value.deleted === 'string' &&
  typeof value.stream === 'string' &&
  Number.isSafeInteger(value.sequence);

/** Reads a line of a segment. */
export function parseLine(line: string): ArchivedLine {
  const entry = parseRawEntry(line);
  if (typeof entry !== 'string') return { kind: 'message', entry, line };
  if (line.includes('"deleted"')) {
    try {
      const value = JSON.parse(line) as Partial<Marker>;
      if (isMarker(value)) return { kind: 'deleted', marker: value, line };
    } catch {
      // It is no line of either kind.
    }
  }
  return { kind: 'wrong', why: entry };
}

export const markerLine = ({ stream, sequence, deleted }: Marker): string =>
  JSON.stringify({ stream, sequence, deleted });

/** The tenant whose message it is, as its subject says; undefined when it is no subject of the log. */
export function tenantOf(subject: string): string | undefined {
  const [kind, , ...rest] = subject.split('.');
  if (kind === 'in') return rest[0];
  return kind === 'ev' ? rest[1] : undefined;
}

/** First and last time, and how many, by tenant. */
export class TenantParts {
  readonly #parts = new Map<string, { messages: number; first: number; last: number }>();

  add(tenant: string, storedMs: number): void {
    const part = this.#parts.get(tenant);
    if (part === undefined) {
      this.#parts.set(tenant, { messages: 1, first: storedMs, last: storedMs });
      return;
    }
    part.messages += 1;
    part.first = Math.min(part.first, storedMs);
    part.last = Math.max(part.last, storedMs);
  }

  /** As a manifest has them. */
  all(): Record<string, { messages: number; firstStoredAt: string; lastStoredAt: string }> {
    return Object.fromEntries(
      [...this.#parts].map(([tenant, { messages, first, last }]) => [
        tenant,
        {
          messages,
          firstStoredAt: new Date(first).toISOString(),
          lastStoredAt: new Date(last).toISOString(),
        },
      ]),
    );
  }
}
