import { Gauge, Histogram, type Registry } from 'prom-client';
import type { Waited } from '../domain/held-by.ts';

/** Bounds in seconds: a link within a continent takes some ms, across the world some hundred. */
const waitBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** How long answers wait for other regions, and what is not there yet. */
export class DurabilityMetrics {
  readonly #seconds: Histogram<'level' | 'reached'>;

  /** @param atRisk how many messages of each stream no other region holds; asked at each scrape */
  constructor(registry: Registry, atRisk: () => Promise<Readonly<Record<string, number>>>) {
    this.#seconds = new Histogram({
      name: 'meridian_durability_wait_seconds',
      help: 'How long requests waited for other regions, by the level asked for',
      labelNames: ['level', 'reached'],
      buckets: waitBuckets,
      registers: [registry],
    });
    registry.registerMetric(atRiskGauge(atRisk));
  }

  waited(level: Waited, durationMs: number, reached: boolean): void {
    this.#seconds.observe({ level, reached: String(reached) }, durationMs / 1_000);
  }
}

function atRiskGauge(atRisk: () => Promise<Readonly<Record<string, number>>>): Gauge<'stream'> {
  return new Gauge({
    name: 'meridian_at_risk_messages',
    help: 'Messages of this region that no other region is known to hold',
    labelNames: ['stream'],
    registers: [],
    async collect() {
      try {
        for (const [stream, count] of Object.entries(await atRisk())) this.set({ stream }, count);
      } catch {
        // The log does not say where it ends: no figure is better than an old one.
        this.reset();
      }
    },
  });
}
