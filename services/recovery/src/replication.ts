import { PatientFollower, type Follower, type Log, type LogMessage } from '@meridian/journal';
import { heldSubject, parseHeldReport, type Beat, type HeldReport } from '@meridian/nest';
import { eventStream, intakeStream } from '@meridian/wire';
import type { Position } from './domain/actions.ts';
import { Backlog } from './domain/backlog.ts';
import type { Every } from './keeper.ts';

export interface ReplicationOptions {
  readonly log: Log;
  readonly beat: Beat;
  readonly region: string;
  readonly regions: readonly string[];
  readonly wallMs: () => number;
  readonly monotonicMs: () => number;
  readonly every: Every;
  /** An entry of another region has arrived, so long after it had been stored there. */
  readonly onArrival: (origin: string, stream: string, lagMs: number) => void;
  /** Every message that a local copy got, the own streams' too. */
  readonly onMessage: (message: LogMessage) => void;
  readonly onFailure: (error: unknown) => void;
}

/** How long reports are held back to be told together, in ms. */
const coalesceMs = 2;
/** How often a region says what it holds although nothing has changed, in ms. */
const livenessMs = 1_000;

/**
 * Reads where the local copies end; tells each other region what of its streams is held here, and hears
 * from each what it holds of the own ones.
 */
export class Replication {
  readonly #options: ReplicationOptions;
  readonly #positions = new Map<string, Position>();
  readonly #backlogs: ReadonlyMap<string, Backlog>;
  readonly #heardMs = new Map<string, number>();
  readonly #due = new Map<string, NodeJS.Timeout>();
  readonly #ends: (() => void)[] = [];
  #followers: Follower[] = [];

  constructor(options: ReplicationOptions) {
    this.#options = options;
    const { region } = options;
    const peers = this.peers;
    this.#backlogs = new Map(
      [intakeStream(region), eventStream(region)].map((stream) => [stream, new Backlog(peers)]),
    );
  }

  get peers(): readonly string[] {
    const { regions, region } = this.#options;
    return regions.filter((one) => one !== region);
  }

  /** Begins with where the copies end now. */
  async open(): Promise<void> {
    const { regions, region, beat, every } = this.#options;
    const streams = regions.flatMap((origin) =>
      [intakeStream(origin), eventStream(origin)].map((stream) => ({ origin, stream })),
    );
    this.#followers = await Promise.all(
      streams.map(async ({ origin, stream }) => this.#follow(origin, stream)),
    );
    this.#ends.push(
      beat.subscribe(heldSubject(region, '*'), (text) => this.#onReport(text)),
      every(livenessMs, () => {
        for (const peer of this.peers) this.#report(peer);
      }),
    );
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    for (const timer of this.#due.values()) clearTimeout(timer);
    await Promise.all(this.#followers.map((follower) => follower.close()));
  }

  /** Where the local copy of each region's `EV_` ends. */
  positions(): Record<string, Position> {
    const { regions } = this.#options;
    return Object.fromEntries(
      regions.map((origin) => [
        origin,
        this.#positions.get(eventStream(origin)) ?? { sequence: 0 },
      ]),
    );
  }

  /** The own streams, and how much of them the peers lack. */
  get backlogs(): ReadonlyMap<string, Backlog> {
    return this.#backlogs;
  }

  /** When a peer was last heard, in monotonic ms; undefined before it ever was. */
  heardMs(peer: string): number | undefined {
    return this.#heardMs.get(peer);
  }

  async #follow(origin: string, stream: string): Promise<Follower> {
    const { log, region, onArrival, onMessage, onFailure, wallMs } = this.#options;
    let last = 0;
    try {
      last = await log.lastSequence(stream);
      const message = last === 0 ? undefined : await log.get(stream, last);
      if (last > 0) this.#moved(origin, stream, last, message?.storedAtMs);
    } catch {
      // The copy is not there yet: it is followed from its start.
    }
    return new PatientFollower(log, stream, { after: last, shared: true, onFailure }, (message) => {
      if (origin !== region) onArrival(origin, stream, Math.max(0, wallMs() - message.storedAtMs));
      this.#moved(origin, stream, message.sequence, message.storedAtMs);
      onMessage(message);
    });
  }

  #moved(origin: string, stream: string, sequence: number, storedAtMs: number | undefined): void {
    this.#positions.set(stream, {
      sequence,
      ...(storedAtMs === undefined ? {} : { storedAtMs }),
    });
    const { region, wallMs } = this.#options;
    if (origin === region) this.#backlogs.get(stream)?.stored(sequence, storedAtMs ?? wallMs());
    else if (!this.#due.has(origin)) {
      this.#due.set(
        origin,
        setTimeout(() => {
          this.#due.delete(origin);
          this.#report(origin);
        }, coalesceMs),
      );
    }
  }

  #report(origin: string): void {
    const { beat, region } = this.#options;
    const report: HeldReport = {
      region,
      streams: Object.fromEntries(
        [intakeStream(origin), eventStream(origin)].map((stream) => [
          stream,
          this.#positions.get(stream)?.sequence ?? 0,
        ]),
      ),
    };
    beat.publish(heldSubject(origin, region), JSON.stringify(report));
  }

  #onReport(text: string): void {
    const report = parseHeldReport(text);
    if (report === undefined || !this.peers.includes(report.region)) return;
    this.#heardMs.set(report.region, this.#options.monotonicMs());
    for (const [stream, sequence] of Object.entries(report.streams)) {
      this.#backlogs.get(stream)?.held(report.region, sequence);
    }
  }
}
