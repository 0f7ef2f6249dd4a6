import { toTimestamp } from '@meridian/core';
import {
  foldRows,
  type DomainEnvelope,
  type RecordedEvent,
  type Row,
  type RowProjection,
} from '@meridian/readmodel';
import type { DomainEvent } from '@meridian/wire';

/** Tests count the time from here, in epoch ms. */
export const dayMs = Date.UTC(2026, 0, 5, 8);

export const at = (offsetMs: number): Date => new Date(dayMs + offsetMs);

/** An event `offsetMs` after the test's beginning, alone in its entry. */
export function recorded(event: DomainEvent, offsetMs: number, sequence: number): RecordedEvent {
  const envelope = {
    ...event,
    specversion: '1.0',
    id: `demo.${sequence}`,
    source: '/eu/test',
    time: toTimestamp(dayMs + offsetMs),
    datacontenttype: 'application/json',
    dataschema: '',
    tenant: 'demo',
    region: 'eu',
    epoch: 1,
    revision: sequence - 1,
    prevhash: '',
    correlationid: '',
    causationid: '',
    actor: 'test',
    configversion: 0,
    dataclass: 'none',
  } as DomainEnvelope;
  return { stream: 'EV_eu', sequence, index: 0, event: envelope, text: JSON.stringify(envelope) };
}

/** The events with their offsets in ms, as entries 1, 2, 3 ... */
export function given(
  ...events: readonly (readonly [offsetMs: number, event: DomainEvent])[]
): RecordedEvent[] {
  return events.map(([offsetMs, event], index) => recorded(event, offsetMs, index + 1));
}

/** The rows after the events, by key. A projection that throws fails the test. */
export function rowsAfter(
  projection: RowProjection,
  events: Iterable<RecordedEvent>,
): Map<string, Row> {
  const rows = new Map<string, Row>();
  foldRows(projection, rows, events, (_, error) => {
    throw error;
  });
  return rows;
}
