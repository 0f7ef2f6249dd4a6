import { readEntry, type LogMessage } from '@meridian/journal';
import { heldSubject, type HeldReport, type Leases } from '@meridian/nest';
import type { Instance, SimulatedRegion } from '@meridian/testing';
import {
  eventStream,
  intakeMessageId,
  intakeStream,
  intakeSubject,
  type IntakeEnvelope,
} from '@meridian/wire';

/** Who must hold a request before it is answered. */
export type Durability = 'region' | 'mirrored' | 'all';

/** What an edge answers once it has stored a request. */
export interface Stored {
  readonly stream: string;
  readonly sequence: number;
  readonly duplicate: boolean;
  /** Under which home. */
  readonly home: string;
}

/** The edge does not take the request now; nothing was stored, or not as durably as asked. */
export class EdgeUnavailable extends Error {
  override readonly name = 'EdgeUnavailable';
}

/** How long a request waits for other regions to hold it, in ms. */
const durabilityTimeoutMs = 2_500;

/** The events with which what lives at a home begins, and what that is. */
const beginnings: Readonly<Record<string, string>> = {
  'meridian.contact.initiated.v1': 'contact',
  'meridian.agent.signed_in.v1': 'agent',
  'meridian.reservation.created.v1': 'reservation',
};

/**
 * The way in of one region: stores each request in its own intake, under the home of what it is
 * for, and answers when it is held by as many regions as asked.
 */
export class SimulatedEdge {
  readonly #instance: Instance;
  readonly #region: string;
  readonly #others: readonly string[];
  readonly #leases: Leases;
  /** `<entity> <id>` to home. */
  readonly #homes = new Map<string, string>();
  /** The last sequence of the own intake that each other region holds. */
  readonly #held = new Map<string, number>();
  #waiting: (() => void)[] = [];

  constructor(
    instance: Instance,
    { name, beats }: SimulatedRegion,
    regions: readonly string[],
    leases: Leases,
  ) {
    this.#instance = instance;
    this.#region = name;
    this.#others = regions.filter((region) => region !== name);
    this.#leases = leases;
    for (const region of regions) {
      instance.log.follow(
        eventStream(region),
        { after: 0, onFailure: (error) => instance.fail(error) },
        (message) => this.#see(message),
      );
    }
    beats.subscribe(heldSubject(name, '*'), instance.gate, (body) => {
      const { region, streams } = body as HeldReport;
      this.#held.set(region, streams[intakeStream(name)] ?? 0);
      for (const look of this.#waiting.splice(0)) look();
    });
  }

  /**
   * Stores a request.
   * @throws EdgeUnavailable when it may be tried again, here or elsewhere
   * @throws LogFault
   */
  async accept(event: IntakeEnvelope, durability: Durability): Promise<Stored> {
    if (!this.#leases.intakeOpen) {
      throw new EdgeUnavailable(`The way into ${this.#region} is closed.`);
    }
    const [, entity = ''] = event.type.split('.');
    const { tenant, subject } = event;
    const home = this.#homeOf(event, entity);
    const stream = intakeStream(this.#region);
    const { sequence, duplicate } = await this.#instance.log.append(stream, {
      subject: intakeSubject(this.#region, home, { tenant, entity, id: subject }),
      data: JSON.stringify(event),
      messageId: intakeMessageId(event),
    });
    if (durability !== 'region') await this.#untilHeld(sequence, durability);
    return { stream, sequence, duplicate, home };
  }

  #homeOf({ subject, region }: IntakeEnvelope, entity: string): string {
    if (entity === 'queue') return this.#region;
    return region ?? this.#homes.get(`${entity} ${subject}`) ?? this.#region;
  }

  #see(message: LogMessage): void {
    for (const { type, subject, region } of readEntry(message).events) {
      const entity = beginnings[type];
      if (entity !== undefined) this.#homes.set(`${entity} ${subject}`, region);
    }
  }

  async #untilHeld(sequence: number, durability: Exclude<Durability, 'region'>): Promise<void> {
    let isLate = false;
    const timeout = this.#instance.after(durabilityTimeoutMs, () => {
      isLate = true;
      for (const look of this.#waiting.splice(0)) look();
    });
    for (;;) {
      const held = this.#others.filter((region) => (this.#held.get(region) ?? 0) >= sequence);
      if (held.length >= (durability === 'all' ? this.#others.length : 1)) break;
      if (isLate) {
        throw new EdgeUnavailable(`${sequence} is held by ${held.length} other regions so far.`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    this.#instance.cancel(timeout);
  }
}
