import { fileWriter, ParquetWriter, schemaFromColumnData, type BasicType } from 'hyparquet-writer';
import { usageFault } from '../fault.ts';

/** A column of a Parquet file: its name, its type, and its value in a row; null where it has none. */
export interface Column<Row> {
  readonly name: string;
  readonly type: Extract<BasicType, 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'TIMESTAMP'>;
  readonly value: (row: Row) => string | number | bigint | Date | null;
}

/** How many rows are held in memory before they are written as a row group. */
const rowGroupRows = 10_000;

/** Writes rows into a Parquet file (Snappy), a row group at a time. */
export class ParquetFile<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #writer: ParquetWriter;
  #rows: Row[] = [];

  /** @throws CommandFault (usage) when the file cannot be written */
  constructor(path: string, columns: readonly Column<Row>[]) {
    this.#columns = columns;
    try {
      const writer = fileWriter(path);
      const schema = schemaFromColumnData({ columnData: this.#columnData([], true) });
      this.#writer = new ParquetWriter({ writer, schema, createdBy: 'meridian' });
    } catch (error) {
      throw usageFault(`--out ${path} cannot be written (${(error as Error).message}).`);
    }
  }

  write(row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length >= rowGroupRows) this.#flush();
  }

  async close(): Promise<void> {
    if (this.#rows.length > 0) this.#flush();
    await this.#writer.finish();
  }

  #flush(): void {
    const columnData = this.#columnData(this.#rows, false);
    void this.#writer.write({ columnData, rowGroupSize: rowGroupRows });
    this.#rows = [];
  }

  #columnData(rows: readonly Row[], withType: boolean) {
    return this.#columns.map(({ name, type, value }) => ({
      name,
      data: rows.map(value),
      ...(withType ? { type, nullable: true } : {}),
    }));
  }
}
