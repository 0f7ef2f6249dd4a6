export { csvHeader, csvRecord, recordColumns } from './records.ts';
export type { ContactRecord } from './records.ts';
export { uuidOf, vconOf } from './vcon.ts';
export type { Vcon } from './vcon.ts';
