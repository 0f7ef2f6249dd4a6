import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';

/** A tracer that runs, until `stop`. */
export interface Tracing {
  /** Sends what has ended and switches tracing off. */
  stop(): Promise<void>;
}

export interface TracingOptions {
  /** `service.name` of the process. */
  readonly service: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Where spans go: an OTLP endpoint over HTTP, such as `http://127.0.0.1:4318`, or an exporter. */
  readonly to: string | SpanExporter;
}

// Undefined while tracing is off: then a span costs one comparison.
let tracer: Tracer | undefined;

/** Whether spans are made. */
export function tracingIsOn(): boolean {
  return tracer !== undefined;
}

/** Starts tracing in this process; everything before costs nothing. */
export function startTracing({ service, attributes, to }: TracingOptions): Tracing {
  const processor =
    typeof to === 'string'
      ? new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url: `${to.replace(/\/$/, '')}/v1/traces` }),
        })
      : new SimpleSpanProcessor({ exporter: to });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, ...attributes }),
    spanProcessors: [processor],
  });
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  tracer = provider.getTracer('meridian');
  return {
    async stop() {
      tracer = undefined;
      await provider.forceFlush();
      await provider.shutdown();
      context.disable();
    },
  };
}

/** An exporter that keeps spans in memory, for specifications. */
export function memorySpans(): InMemorySpanExporter {
  return new InMemorySpanExporter();
}

const traceparentPattern =
  /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** Reads a W3C `traceparent`; undefined when it is none (or all zero). */
export function parseTraceparent(traceparent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceparentPattern.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

const spanKinds = { consumer: SpanKind.CONSUMER, server: SpanKind.SERVER } as const;

/**
 * Runs `fn` within a span whose parent is `traceparent` (of the envelope), or the span that is
 * active when there is none. What `fn` throws or rejects with is recorded and handed on.
 * Without tracing it is `fn()`.
 */
export function withSpan<T>(
  name: string,
  traceparent: string | undefined,
  fn: () => T,
  attributes: Readonly<Record<string, string | number>> = {},
  kind: 'consumer' | 'server' = 'consumer',
): T {
  if (tracer === undefined) return fn();
  const remote = parseTraceparent(traceparent);
  const parent =
    remote === undefined ? context.active() : trace.setSpanContext(ROOT_CONTEXT, remote);
  const span = tracer.startSpan(
    name,
    { kind: spanKinds[kind], attributes: { ...attributes } },
    parent,
  );
  const failed = (error: unknown): void => {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    });
    span.end();
  };
  try {
    const result = context.with(trace.setSpan(parent, span), fn);
    if (result instanceof Promise) result.then(() => span.end(), failed);
    else span.end();
    return result;
  } catch (error) {
    failed(error);
    throw error;
  }
}

/** The active span as a W3C `traceparent`, to be stored with what it leads to; undefined without one. */
export function currentTraceparent(): string | undefined {
  if (tracer === undefined) return undefined;
  const active = trace.getSpan(context.active())?.spanContext();
  if (active === undefined) return undefined;
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`;
}

/** The trace and span that are active, for log lines. */
export function currentTraceIds(): { trace_id: string; span_id: string } | undefined {
  if (tracer === undefined) return undefined;
  const active = trace.getSpan(context.active())?.spanContext();
  return active === undefined ? undefined : { trace_id: active.traceId, span_id: active.spanId };
}

const traceparentField = /"traceparent":"([0-9a-f-]{55})"/;

/** The `traceparent` of the first CloudEvent in a stored text, without parsing it. */
export function traceparentOf(text: string): string | undefined {
  return traceparentField.exec(text)?.[1];
}
