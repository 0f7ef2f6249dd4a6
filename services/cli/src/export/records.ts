import type { Column, ContactRow } from '../replay/index.ts';

/** A contact record: the fields that the read models have of a contact. */
export type ContactRecord = ContactRow & {
  readonly reservationId?: string | null;
  readonly attributes?: Readonly<Record<string, string>>;
};

const text = (name: string, value: (row: ContactRecord) => string | null | undefined) =>
  ({
    name,
    type: 'STRING',
    value: (row) => value(row) ?? null,
  }) as const satisfies Column<ContactRecord>;

const moment = (name: string, value: (row: ContactRecord) => string | null) =>
  ({
    name,
    type: 'TIMESTAMP',
    value: (row) => {
      const time = value(row);
      return time === null ? null : new Date(time);
    },
  }) as const satisfies Column<ContactRecord>;

/** Milliseconds between two moments; null where one of them is not known. */
const span = (from: string | null, to: string | null): number | null =>
  from === null || to === null ? null : Date.parse(to) - Date.parse(from);

/** The columns of a contact record, in CSV and in Parquet. Times are UTC, spans milliseconds. */
export const recordColumns: readonly Column<ContactRecord>[] = [
  text('contact_id', ({ id }) => id),
  text('home', ({ home }) => home),
  text('state', ({ state }) => state),
  text('channel', ({ channel }) => channel),
  text('method', ({ method }) => method),
  text('queue_id', ({ queueId }) => queueId),
  { name: 'priority', type: 'INT32', value: ({ priority }) => priority },
  text('agent_id', ({ agentId }) => agentId),
  text('reservation_id', ({ reservationId }) => reservationId),
  moment('initiated_at', ({ initiatedAt }) => initiatedAt),
  moment('queued_at', ({ queuedAt }) => queuedAt),
  moment('connected_at', ({ connectedAt }) => connectedAt),
  moment('ended_at', ({ endedAt }) => endedAt),
  { name: 'waited_ms', type: 'DOUBLE', value: ({ waitedMs }) => waitedMs },
  {
    name: 'duration_ms',
    type: 'DOUBLE',
    value: ({ initiatedAt, endedAt }) => span(initiatedAt, endedAt),
  },
  text('disposition', ({ disposition }) => disposition),
  text('attributes', ({ attributes }) => JSON.stringify(attributes ?? {})),
];

/** A line of CSV (RFC 4180): quoted where a cell holds a comma, a quote or a line break. */
export function csvLine(cells: readonly unknown[]): string {
  return `${cells.map((cell) => csvCell(cell)).join(',')}\r\n`;
}

function plainText(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === 'string' ? cell : JSON.stringify(cell);
}

function csvCell(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  const plain = plainText(cell);
  // A spreadsheet would run a cell that begins like a formula.
  const safe = /^[=+\-@\t\r]/.test(plain) && Number.isNaN(Number(plain)) ? `'${plain}` : plain;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvHeader = (): string => csvLine(recordColumns.map(({ name }) => name));

export const csvRecord = (row: ContactRecord): string =>
  csvLine(recordColumns.map(({ value }) => value(row)));
