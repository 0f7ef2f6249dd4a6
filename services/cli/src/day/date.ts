import { DayFault } from './fault.ts';

/**
 * The midnight at which a day begins, epoch ms, UTC.
 * @param date as in 1999-08-02
 * @throws DayFault for a text that is no date of the calendar
 */
export function midnightOf(date: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(date)) return at;
  throw new DayFault(
    `The day ${JSON.stringify(date)} is not a date.`,
    'Write it as year-month-day, such as 1999-08-02.',
  );
}
