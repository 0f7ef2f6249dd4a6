/**
 * A span of time for people: `850 ms`, `12.4 s`, `3 min 05 s`, `2 h 05 min`; `-` when there is none.
 * Seconds keep one decimal below a minute; more is cut off, never rounded up to a full minute.
 */
export function formatDuration(spanMs: number | null | undefined): string {
  if (spanMs === null || spanMs === undefined || !Number.isFinite(spanMs)) return '-';
  if (spanMs < 0) return `-${formatDuration(-spanMs)}`;
  if (spanMs < 1000) return `${Math.round(spanMs)} ms`;
  if (spanMs < 60_000) return `${(Math.floor(spanMs / 100) / 10).toFixed(1)} s`;
  const minutes = Math.floor(spanMs / 60_000);
  const two = (count: number): string => String(count).padStart(2, '0');
  if (minutes < 60) return `${minutes} min ${two(Math.floor(spanMs / 1000) % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** The time of day of an RFC 3339 time, in UTC with milliseconds: `08:15:02.000`. */
export function timeOfDay(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toISOString().slice(11, 23);
}

/** The day of an RFC 3339 time, in UTC: `2026-03-02`. */
export function dayOf(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}

/** A share of one as a percentage with one decimal: `83.3 %`; `-` when there is none. */
export function formatShare(share: number | null | undefined): string {
  return share === null || share === undefined ? '-' : `${(share * 100).toFixed(1)} %`;
}
