import { afterEach, describe, expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import {
  currentTraceparent,
  memorySpans,
  parseTraceparent,
  startTracing,
  traceparentOf,
  withSpan,
  type Tracing,
} from './tracing.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('withSpan', () => {
  let tracing: Tracing | undefined;
  afterEach(async () => {
    await tracing?.stop();
    tracing = undefined;
  });

  it('only calls the function while tracing is off', () => {
    expect(withSpan('x', traceparent, () => currentTraceparent() ?? 'none')).toBe('none');
  });

  it('goes on with the trace of the envelope, across awaits, and gives what is stored next', async () => {
    const spans = memorySpans();
    tracing = startTracing({ service: 'sessions', to: spans });
    const next = await withSpan('outer', traceparent, async () => {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return withSpan('inner', undefined, () => currentTraceparent());
    });
    const [inner, outer] = spans.getFinishedSpans();
    expect([inner?.name, outer?.name]).toEqual(['inner', 'outer']);
    expect(outer?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(next).toBe(`00-${traceId}-${inner?.spanContext().spanId}-01`);
    expect(outer?.resource.attributes['service.name']).toBe('sessions');
    expect(currentTraceparent()).toBeUndefined();
  });

  it('records what was thrown or rejected, and hands it on', async () => {
    const spans = memorySpans();
    tracing = startTracing({ service: 'sessions', to: spans });
    expect(() =>
      withSpan('thrown', undefined, () => {
        throw new Error('one');
      }),
    ).toThrow('one');
    await expect(
      withSpan('rejected', undefined, () => Promise.reject(new Error('two'))),
    ).rejects.toThrow('two');
    expect(
      spans.getFinishedSpans().map(({ name, status, events }) => [name, status, events.length]),
    ).toEqual([
      ['thrown', { code: SpanStatusCode.ERROR, message: 'one' }, 1],
      ['rejected', { code: SpanStatusCode.ERROR, message: 'two' }, 1],
    ]);
  });

  it('begins a trace of its own when the envelope has none', () => {
    tracing = startTracing({ service: 'sessions', to: memorySpans() });
    expect(withSpan('x', 'nonsense', () => currentTraceparent())).toMatch(
      /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/,
    );
  });
});

describe('traceparent', () => {
  it.each([
    undefined,
    '',
    'x',
    `ff-${traceId}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`,
  ])('%j is none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('is found in a stored text without parsing it', () => {
    expect(traceparentOf(`[{"id":"1","traceparent":"${traceparent}","data":{}}]`)).toBe(
      traceparent,
    );
    expect(traceparentOf('[{"id":"1"}]')).toBeUndefined();
  });
});
