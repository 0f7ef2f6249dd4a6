import {
  LogFault,
  meshTenant,
  PatientFollower,
  readRequest,
  type Follower,
} from '@meridian/journal';
import type { Log, LogMessage } from '@meridian/journal';
import { causeOf, intakeStream, type EventToEncode } from '@meridian/wire';
import type { Records } from './records.ts';

interface Wanted {
  readonly home: string;
  readonly id: string;
  readonly event: EventToEncode;
}

export interface DrillsOptions {
  readonly log: Log;
  readonly regions: readonly string[];
  readonly records: Records;
  readonly epochOf: (home: string) => number | undefined;
  readonly onFailure: (error: unknown) => void;
}

/** Keeps the receipts of drills: each once, by the owner of the home where it came in. */
export class Drills {
  readonly #options: DrillsOptions;
  readonly #wanted = new Map<string, Wanted>();
  #followers: Follower[] = [];
  #working: Promise<void> | undefined;

  constructor(options: DrillsOptions) {
    this.#options = options;
  }

  open(): void {
    const { log, regions, onFailure } = this.#options;
    this.#followers = regions.map(
      (region) =>
        new PatientFollower(
          log,
          intakeStream(region),
          { after: 0, filters: [`in.${region}.${meshTenant}.*.drill.*`], onFailure },
          (message) => this.#onRequest(message),
        ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
    await this.#working;
  }

  /** Stores what is wanted of the homes that are decided here. */
  work(): Promise<void> {
    this.#working ??= this.#store().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #store(): Promise<void> {
    const { records, epochOf, onFailure } = this.#options;
    for (const [key, { home, id, event }] of this.#wanted) {
      if (epochOf(home) === undefined) continue;
      try {
        await records.store(
          home,
          { entity: 'drill', id },
          [event],
          ({ type }) => type === event.type,
        );
        this.#wanted.delete(key);
      } catch (error) {
        if (!(error instanceof LogFault) || !error.retryable) onFailure(error);
      }
    }
  }

  #onRequest(message: LogMessage): void {
    try {
      const { event, address } = readRequest(message);
      if (event.type !== 'meridian.drill.record.v1') return;
      this.#wanted.set(`${address.home} ${event.subject}`, {
        home: address.home,
        id: event.subject,
        event: {
          type: 'meridian.drill.completed.v1',
          subject: event.subject,
          data: event.data,
          cause: {
            causationId: causeOf(event),
            ...(event.actor === undefined ? {} : { actor: event.actor }),
          },
          timeMs: message.storedAtMs,
        },
      });
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}
