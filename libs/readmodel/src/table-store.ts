import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import type { PoolClient } from 'pg';
import { keyText, type Row, type RowKey } from './projection.ts';

interface Field {
  /** The property of the row, and the column. */
  readonly property: string;
  readonly column: PgColumn;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Reads and writes many rows of one table at once: one statement and one JSON parameter whatever
 * the number of rows, so that Postgres plans it once and no limit on parameters is met.
 */
export class TableStore {
  readonly name: string;
  readonly #fields: readonly Field[];
  readonly #keyFields: readonly Field[];
  readonly #loadText: string;
  readonly #upsertText: string;
  readonly #addText: string;

  /** @throws Error when the table has no primary key */
  constructor(table: PgTable) {
    this.name = getTableName(table);
    this.#fields = Object.entries(getTableColumns(table)).flatMap(([property, column]) =>
      is(column, PgColumn) ? [{ property, column }] : [],
    );
    this.#keyFields = this.#primaryKey(table);
    const target = quote(this.name);
    const columns = this.#fields.map(({ column }) => quote(column.name)).join(', ');
    const values = this.#fields.map(({ property }) => `r.${quote(property)}`).join(', ');
    const key = this.#keyFields.map(({ column }) => quote(column.name)).join(', ');
    const insert =
      `insert into ${target} (${columns}) select ${values} ` +
      `from json_to_recordset($1::json) as r(${recordset(this.#fields)}) on conflict`;
    const others = this.#fields
      .filter((field) => !this.#keyFields.includes(field))
      .map(({ column }) => `${quote(column.name)} = excluded.${quote(column.name)}`);
    this.#addText = `${insert} do nothing`;
    this.#upsertText =
      others.length === 0 ? this.#addText : `${insert} (${key}) do update set ${others.join(', ')}`;
    const joined = this.#keyFields.map(
      ({ property, column }) => `t.${quote(column.name)} = k.${quote(property)}`,
    );
    const read = this.#fields.map(({ column }) => `t.${quote(column.name)}`).join(', ');
    this.#loadText =
      `select ${read} from json_to_recordset($1::json) ` +
      `as k(${recordset(this.#keyFields)}) join ${target} t on ${joined.join(' and ')}`;
  }

  /** The rows of the keys that there are, by `keyText`. */
  async load(client: PoolClient, keys: readonly RowKey[]): Promise<Map<string, Row>> {
    if (keys.length === 0) return new Map();
    const wanted = keys.map((key) =>
      Object.fromEntries(this.#keyFields.map(({ property }, at) => [property, key[at]])),
    );
    const { rows } = await client.query<unknown[]>({
      name: `load ${this.name}`,
      text: this.#loadText,
      values: [toJson(wanted)],
      rowMode: 'array',
    });
    return new Map(
      rows.map((values) => {
        const row = this.#decode(values);
        return [keyText(this.keyOf(row)), row];
      }),
    );
  }

  /** The values of a row's primary key. */
  keyOf(row: Row): RowKey {
    return this.#keyFields.map(({ property }) => String(row[property]));
  }

  /** Writes rows whether they are there or not. Each key may occur once. */
  async upsert(client: PoolClient, rows: readonly Row[]): Promise<void> {
    await this.#write(client, 'upsert', this.#upsertText, rows);
  }

  /** Adds rows; those whose key is there already stay as they are. */
  async add(client: PoolClient, rows: readonly Row[]): Promise<void> {
    await this.#write(client, 'add', this.#addText, rows);
  }

  async #write(
    client: PoolClient,
    verb: string,
    text: string,
    rows: readonly Row[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await client.query({ name: `${verb} ${this.name}`, text, values: [toJson(rows)] });
  }

  #decode(values: readonly unknown[]): Row {
    const row: Row = {};
    this.#fields.forEach(({ property, column }, at) => {
      const value = values[at];
      row[property] = value === null ? null : column.mapFromDriverValue(value);
    });
    return row;
  }

  #primaryKey(table: PgTable): Field[] {
    const { primaryKeys } = getTableConfig(table);
    const columns = primaryKeys[0]?.columns ?? [];
    const names =
      columns.length > 0
        ? columns.map(({ name }) => name)
        : this.#fields.filter(({ column }) => column.primary).map(({ column }) => column.name);
    if (names.length === 0) {
      throw new Error(`The table ${this.name} has no primary key.\nA projection needs one.`);
    }
    return names.map((name) => this.#fields.find(({ column }) => column.name === name) as Field);
  }
}

function recordset(fields: readonly Field[]): string {
  return fields
    .map(({ property, column }) => `${quote(property)} ${column.getSQLType()}`)
    .join(', ');
}

/** Escapes that JSON allows and Postgres does not store: NUL and halves of surrogate pairs. */
const unstorable = /\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** Rows as JSON that Postgres takes; what no text of its can hold becomes U+FFFD. */
function toJson(rows: readonly Row[]): string {
  const text = JSON.stringify(rows);
  return unstorable.test(text)
    ? JSON.stringify(rows, (_key, value: unknown) => storable(value))
    : text;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storable(name), inner]));
}
