import { setTimeout as wait } from 'node:timers/promises';
import { post } from './post.ts';
import type { Stage } from './stage.ts';

const everyMs = 250;

/**
 * Somebody who turns to one region's edge, whatever it answers, several times a second: what is
 * acknowledged must be kept as everything else, what is refused is not sent again.
 */
export class Probe {
  readonly #stage: Stage;
  readonly #region: string;
  readonly #counts = new Map<string, number>();
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #firstRefusalAt: number | undefined;
  #lastStoredAt: number | undefined;

  private constructor(stage: Stage, region: string) {
    this.#stage = stage;
    this.#region = region;
  }

  static begin(stage: Stage, region: string): Probe {
    const probe = new Probe(stage, region);
    probe.#running = probe.#run();
    return probe;
  }

  /** How often there was which answer: a status, or why there was none. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** When it was first refused with 503, epoch ms. */
  get firstRefusalAt(): number | undefined {
    return this.#firstRefusalAt;
  }

  /** When it was last told that something is stored, epoch ms. */
  get lastStoredAt(): number | undefined {
    return this.#lastStoredAt;
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    for (let turn = 0; !signal.aborted; turn += 1) {
      const answer = await this.#ask(`probe-${this.#region}-${this.#stage.startedAt}-${turn}`);
      this.#counts.set(answer, (this.#counts.get(answer) ?? 0) + 1);
      if (answer === '202') this.#lastStoredAt = Date.now();
      if (answer === '503') this.#firstRefusalAt ??= Date.now();
      await wait(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  async #ask(id: string): Promise<string> {
    const request = {
      id,
      type: 'meridian.contact.initiate.v1',
      subject: id,
      region: this.#region,
      data: { method: 'INBOUND', channel: 'CHAT' },
    };
    const posted = await post(this.#stage.edge(this.#region), [request], 'region');
    if (posted.kind === 'stored') {
      this.#stage.acknowledgements.add('region', posted.places);
      return '202';
    }
    return /^\d{3} /.test(posted.why) ? posted.why.slice(0, 3) : posted.why;
  }
}
