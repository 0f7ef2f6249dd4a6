import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import type { DevelopmentRegion } from '../src/index.ts';
import { startOtlpCollector, type CollectedSpan, type OtlpCollector } from './otlp-collector.ts';
import {
  configureQueue, decisionsUntil, enterQueue, initiate, publish, signIn, storedEvents, type StoredEvent,
} from './publishing.ts';
import { startRegion } from './real-region.ts';

const serverKind = 2;
const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpanId = 'b7ad6b7169203331';

let collector: OtlpCollector;
let region: DevelopmentRegion;
let events: StoredEvent[];

beforeAll(async () => {
  collector = await startOtlpCollector();
  region = await startRegion({
    processes: 'together',
    clock: 'system',
    // Spans are sent soon after they end: nobody waits for the default of 5 s.
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
  await publish(region, configureQueue('support', 'english'));
  await publish(region, signIn('ada', 'english'));
  await publish(region, initiate('c1'));
  await decisionsUntil(region, 'meridian.contact.ivr_started.v1', 'c1');
  await publish(region, enterQueue('c1', 'support'), { traceparent: `00-${traceId}-${callersSpanId}-01` });
  events = storedEvents(await decisionsUntil(region, 'meridian.contact.offered.v1', 'c1'));
}, 60_000);

afterAll(async () => {
  await region?.stop();
  await collector?.close();
});

/** Spans of one trace, once the last of them has come. */
function spansOf(trace: string, last: string): Promise<CollectedSpan[]> {
  return eventually(`the span ${last} of the trace ${trace}`, () => {
    const spans = collector.spans.filter((span) => span.traceId === trace);
    return spans.some(({ name }) => name === last) ? spans : undefined;
  });
}

/** The names from a span up to the one that has no parent here. */
function ancestry(spans: readonly CollectedSpan[], spanId: string): string[] {
  const names: string[] = [];
  for (let id: string | undefined = spanId; id !== undefined;) {
    const span = spans.find((one) => one.spanId === id);
    if (span === undefined) return names;
    names.push(span.name);
    id = span.parentSpanId;
  }
  return names;
}

const partsOf = (traceparent = ''): { trace: string; span: string } => {
  const [, trace = '', span = ''] = traceparent.split('-');
  return { trace, span };
};

describe('the trace of a request', () => {
  it('goes on from the caller, through every service, to the last event that it caused', async () => {
    const spans = await spansOf(traceId, 'sessions.routing');
    const [request, ...more] = spans.filter(({ kind }) => kind === serverKind);
    expect(more).toEqual([]);
    expect(request).toMatchObject({ name: 'POST /v1/events', parentSpanId: callersSpanId });

    const caused = events.filter(({ traceparent }) => partsOf(traceparent).trace === traceId);
    expect(caused.map(({ type }) => type)).toEqual([
      'meridian.contact.ivr_ended.v1', 'meridian.contact.queued.v1',
      'meridian.routing.decided.v1', 'meridian.reservation.created.v1',
      'meridian.contact.offered.v1',
    ]);
    const path = await eventually('all spans have come', () => {
      const paths = caused.map(({ traceparent }) => ancestry(spans, partsOf(traceparent).span));
      return paths.every((names) => names.at(-1) === 'POST /v1/events') ? paths.at(-1) : undefined;
    });
    // Each span's parent is the one whose events it was handling.
    expect(path).toEqual([
      'contact.offer', 'routing.contact_queued', 'meridian.contact.enter_queue.v1', 'POST /v1/events',
    ]);
    const handlers = ['sessions.requests', 'routing.decisions', 'sessions.routing'];
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(handlers));
  });

  it('begins with the request when the caller sends none', async () => {
    const initiated = events.find(({ type }) => type === 'meridian.contact.initiated.v1');
    const { trace, span } = partsOf(initiated?.traceparent);
    const spans = await spansOf(trace, 'sessions.requests');
    expect(ancestry(spans, span)).toEqual(['meridian.contact.initiate.v1', 'POST /v1/events']);
    expect(spans.find(({ kind }) => kind === serverKind)?.parentSpanId ?? '').toBe('');
    expect(trace).not.toBe(traceId);
  });
});
