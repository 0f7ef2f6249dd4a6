import type { DomainEvent, Outcome } from '@meridian/journal';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Upper bounds in seconds: from a tenth of a millisecond to ten seconds. */
const durationBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The metrics of a process; those of its services are told apart by the label `service`. */
export class MetricsRegistry {
  readonly registry = new Registry();
  readonly events: Counter<'service' | 'type'>;
  readonly decisions: Counter<'service'>;
  readonly conflicts: Counter<'service'>;
  readonly rejections: Counter<'service' | 'code'>;
  readonly setAside: Counter<'service' | 'read' | 'code'>;
  readonly retries: Counter<'service' | 'read'>;
  readonly handlerSeconds: Histogram<'service' | 'read'>;
  readonly lagEvents: Gauge<'service' | 'read'>;
  readonly lagSeconds: Gauge<'service' | 'read'>;
  readonly position: Gauge<'service' | 'read'>;
  readonly offerSeconds: Histogram<'service'>;
  readonly queueLength: Gauge<'service' | 'tenant' | 'queue'>;
  readonly #services = new Map<string, Metrics>();

  constructor() {
    const registers = [this.registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
      new Counter({ name: `meridian_${name}`, help, labelNames, registers });
    const gauge = <L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> =>
      new Gauge({ name: `meridian_${name}`, help, labelNames, registers });
    const histogram = <L extends string>(
      name: string,
      help: string,
      labelNames: L[],
    ): Histogram<L> =>
      new Histogram({
        name: `meridian_${name}`,
        help,
        labelNames,
        registers,
        buckets: durationBuckets,
      });
    this.events = counter('events_total', 'Events decided and stored', ['service', 'type']);
    this.decisions = counter('decisions_total', 'Commands that led to events', ['service']);
    this.conflicts = counter(
      'conflicts_total',
      'Appends refused because another writer was first',
      ['service'],
    );
    this.rejections = counter('rejections_total', 'Commands that the decider refused', [
      'service',
      'code',
    ]);
    this.setAside = counter('set_aside_total', 'Messages that could not be handled', [
      'service',
      'read',
      'code',
    ]);
    this.retries = counter('retries_total', 'Attempts after a failure', ['service', 'read']);
    this.handlerSeconds = histogram('handler_duration_seconds', 'From delivery until settled', [
      'service',
      'read',
    ]);
    this.lagEvents = gauge('lag_events', 'Sequences between the last settled and the last stored', [
      'service',
      'read',
    ]);
    this.lagSeconds = gauge('lag_seconds', 'Age of the oldest message not settled', [
      'service',
      'read',
    ]);
    this.position = gauge('position', 'Sequence up to which everything is settled', [
      'service',
      'read',
    ]);
    this.offerSeconds = histogram('offer_latency_seconds', 'From queued to offered', ['service']);
    this.queueLength = gauge('queue_length', 'Contacts waiting', ['service', 'tenant', 'queue']);
    collectDefaultMetrics({ register: this.registry });
  }

  /** The metrics of one service; the same object at each call. */
  of(service: string): Metrics {
    let metrics = this.#services.get(service);
    if (metrics === undefined) {
      metrics = new Metrics(this, service);
      this.#services.set(service, metrics);
    }
    return metrics;
  }

  /** Everything in the Prometheus text format, `contentType` being its media type. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}

/** The metrics of one service. */
export class Metrics {
  readonly service: string;
  readonly #all: MetricsRegistry;

  constructor(all: MetricsRegistry, service: string) {
    this.#all = all;
    this.service = service;
  }

  /** One command's outcome. The strategy counts those that handlers return. */
  outcome(outcome: Outcome<DomainEvent>): void {
    if (outcome.kind === 'rejected') {
      this.#all.rejections.inc({ service: this.service, code: outcome.rejection.code });
      return;
    }
    if (outcome.events.length === 0) return;
    this.#all.decisions.inc({ service: this.service });
    for (const { type } of outcome.events) this.#all.events.inc({ service: this.service, type });
  }

  /** Another writer was first. */
  conflict(): void {
    this.#all.conflicts.inc({ service: this.service });
  }

  setAside(read: string, code: string): void {
    this.#all.setAside.inc({ service: this.service, read, code });
  }

  retried(read: string): void {
    this.#all.retries.inc({ service: this.service, read });
  }

  /** A message was settled, `durationMs` after it had been delivered. */
  handled(read: string, durationMs: number): void {
    this.#all.handlerSeconds.observe({ service: this.service, read }, durationMs / 1_000);
  }

  /** How far one follower is behind: in sequences, and in ms of the oldest message's age. */
  lag(
    read: string,
    lag: { readonly position: number; readonly sequences: number; readonly ageMs: number },
  ): void {
    const labels = { service: this.service, read };
    this.#all.position.set(labels, lag.position);
    this.#all.lagEvents.set(labels, lag.sequences);
    this.#all.lagSeconds.set(labels, lag.ageMs / 1_000);
  }

  /** A contact was offered, `latencyMs` after it had been queued. */
  offered(latencyMs: number): void {
    this.#all.offerSeconds.observe({ service: this.service }, latencyMs / 1_000);
  }

  queueLength(tenant: string, queue: string, contacts: number): void {
    this.#all.queueLength.set({ service: this.service, tenant, queue }, contacts);
  }
}
