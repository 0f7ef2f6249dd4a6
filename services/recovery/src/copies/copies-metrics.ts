import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CopyNote } from './notes.ts';

const mendBuckets = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];

/**
 * - `meridian_copies_compared_total{peer,outcome}`: comparisons of a stream with a peer's copy, `same` or `differs`
 * - `meridian_copies_wrong{stream,region,fault}`: 1 while a copy is held for wrong
 * - `meridian_copies_undecided{stream}`: 1 while copies differ and nothing says which is right
 * - `meridian_copies_mending{stream}`: 1 while this region's copy is being mended
 * - `meridian_copies_mended_total{stream,fault}`, `meridian_copies_mend_failures_total{stream}`
 * - `meridian_copies_mend_seconds`: from the first sign of the damage to the end
 * - `meridian_copies_set_aside_total{stream}`: messages that only a replaced copy had
 * - `meridian_copies_unhashed_messages{stream}`: stored here and not hashed yet
 * - `meridian_copies_scrub_round_seconds`: how long the last round over all old messages took
 */
export class CopiesMetrics {
  readonly compared: Counter<'peer' | 'outcome'>;
  readonly unhashed: Gauge<'stream'>;
  readonly scrubRound: Gauge;
  readonly #wrong: Gauge<'stream' | 'region' | 'fault'>;
  readonly #undecided: Gauge<'stream'>;
  readonly #mending: Gauge<'stream'>;
  readonly #mended: Counter<'stream' | 'fault'>;
  readonly #failures: Counter<'stream'>;
  readonly #seconds: Histogram;
  readonly #setAside: Counter<'stream'>;
  readonly #shown = new Map<string, { stream: string; region: string; fault: string }[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    const prefix = 'meridian_copies_';
    this.compared = new Counter({
      name: `${prefix}compared_total`,
      help: "Comparisons of a stream's copy with that of a peer",
      labelNames: ['peer', 'outcome'],
      registers,
    });
    this.#wrong = new Gauge({
      name: `${prefix}wrong`,
      help: 'Copies held for wrong',
      labelNames: ['stream', 'region', 'fault'],
      registers,
    });
    this.#undecided = new Gauge({
      name: `${prefix}undecided`,
      help: 'Streams whose copies differ without a sign of which is right',
      labelNames: ['stream'],
      registers,
    });
    this.#mending = new Gauge({
      name: `${prefix}mending`,
      help: 'Copies of this region that are being mended',
      labelNames: ['stream'],
      registers,
    });
    this.#mended = new Counter({
      name: `${prefix}mended_total`,
      help: 'Copies of this region that were mended',
      labelNames: ['stream', 'fault'],
      registers,
    });
    this.#failures = new Counter({
      name: `${prefix}mend_failures_total`,
      help: 'Attempts at mending that did not come to their end',
      labelNames: ['stream'],
      registers,
    });
    this.#seconds = new Histogram({
      name: `${prefix}mend_seconds`,
      help: 'From the first sign of damage until a copy was whole again',
      buckets: mendBuckets,
      registers,
    });
    this.#setAside = new Counter({
      name: `${prefix}set_aside_total`,
      help: 'Messages that only a replaced copy had',
      labelNames: ['stream'],
      registers,
    });
    this.unhashed = new Gauge({
      name: `${prefix}unhashed_messages`,
      help: 'Messages stored here and not hashed yet',
      labelNames: ['stream'],
      registers,
    });
    this.scrubRound = new Gauge({
      name: `${prefix}scrub_round_seconds`,
      help: 'How long the last round over all old messages took',
      registers,
    });
  }

  take(note: CopyNote): void {
    const { stream } = note;
    switch (note.what) {
      case 'wrong':
        this.#showWrong({ stream, region: note.region, fault: note.fault });
        break;
      case 'undecided':
        this.#undecided.set({ stream }, 1);
        break;
      case 'same_again':
        for (const labels of this.#shown.get(stream) ?? []) this.#wrong.remove(labels);
        this.#shown.delete(stream);
        this.#undecided.remove({ stream });
        break;
      case 'mending':
        this.#mending.set({ stream }, 1);
        break;
      case 'mended': {
        const { fault, figures } = note;
        this.#mending.set({ stream }, 0);
        this.#mended.inc({ stream, fault });
        this.#seconds.observe(figures.sinceNoticedMs / 1_000);
        this.#setAside.inc({ stream }, figures.setAside);
        break;
      }
      case 'mend_failed':
        this.#mending.set({ stream }, 0);
        this.#failures.inc({ stream });
        break;
      case 'looked_after':
        break;
    }
  }

  #showWrong(labels: { stream: string; region: string; fault: string }): void {
    this.#wrong.set(labels, 1);
    this.#shown.set(labels.stream, [...(this.#shown.get(labels.stream) ?? []), labels]);
  }
}
