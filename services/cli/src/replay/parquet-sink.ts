import { ParquetFile, type Column } from './parquet.ts';
import type { PlacedEvent } from './place.ts';
import type { Sink } from './sink.ts';

const text = (name: string, attribute = name): Column<PlacedEvent> => ({
  name,
  type: 'STRING',
  value: ({ event }) => {
    const value = event.attributes[attribute];
    if (value === undefined || value === null) return null;
    return typeof value === 'string' ? value : JSON.stringify(value);
  },
});

const whole = (name: string): Column<PlacedEvent> => ({
  name,
  type: 'INT32',
  value: ({ event }) => Number(event.attributes[name] ?? 0),
});

/** The events of a log as columns: where each is, its envelope, and the whole of it as JSON. */
export const eventColumns: readonly Column<PlacedEvent>[] = [
  { name: 'stream', type: 'STRING', value: ({ stream }) => stream },
  { name: 'sequence', type: 'INT64', value: ({ sequence }) => BigInt(sequence) },
  { name: 'index', type: 'INT32', value: ({ index }) => index },
  {
    name: 'stored_at',
    type: 'TIMESTAMP',
    value: ({ storedAtMs }) => (Number.isNaN(storedAtMs) ? null : new Date(storedAtMs)),
  },
  {
    name: 'time',
    type: 'TIMESTAMP',
    value: ({ event }) => (Number.isNaN(event.timeMs) ? null : new Date(event.timeMs)),
  },
  text('type'),
  text('subject'),
  text('tenant'),
  { name: 'home', type: 'STRING', value: ({ home }) => home },
  text('id'),
  text('source'),
  whole('epoch'),
  whole('revision'),
  text('correlation_id', 'correlationid'),
  text('causation_id', 'causationid'),
  text('actor'),
  { name: 'event', type: 'STRING', value: ({ event }) => JSON.stringify(event.attributes) },
];

/** A Parquet file of events. */
export function parquetSink(path: string): Sink {
  const file = new ParquetFile(path, eventColumns);
  return {
    write: (placed) => file.write(placed),
    async close(events) {
      await file.close();
      return `${events.toLocaleString('en')} events are in ${path}.`;
    },
  };
}
