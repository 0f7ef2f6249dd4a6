import { isSealed, sealedParts, type SubjectKey, type Vault } from '@meridian/vault';
import {
  clearPersonal,
  contractOf,
  holdsPersonal,
  replacePersonal,
  type Contract,
  type IntakeEnvelope,
} from '@meridian/wire';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';

/** The regions in which a tenant's keys may be, sorted. */
export type ResidencyOf = (tenant: string) => readonly string[];

export interface SealingParts {
  readonly vault: Vault;
  readonly residencyOf: ResidencyOf;
  /** Resolves once it is known what was decided of residency until then. @throws LogFault */
  readonly residencyKnown: () => Promise<void>;
}

/** Seals the personal fields of requests with the keys of those whom they are about. */
export class Sealing {
  readonly #vault: Vault;
  readonly #residencyOf: ResidencyOf;
  readonly #residencyKnown: () => Promise<void>;

  constructor({ vault, residencyOf, residencyKnown }: SealingParts) {
    this.#vault = vault;
    this.#residencyOf = residencyOf;
    this.#residencyKnown = residencyKnown;
  }

  /**
   * Accepted requests as they are to be stored: what is sealed already stays as it is, and what has
   * nothing personal is the same object.
   * @param prefixOf the JSON pointer of a request within what was sent
   * @throws Refusal 421 when the tenant's keys may not be in this region, 400 when it is not said
   *   whose the data is, 503 when the vault does not answer; nothing was stored of any of them
   */
  async seal(
    events: readonly IntakeEnvelope[],
    prefixOf: (place: number) => string,
  ): Promise<readonly IntakeEnvelope[]> {
    const places = events.flatMap((event, place) => (clearOf(event).length > 0 ? [place] : []));
    if (places.length === 0) return events;
    await orRefuse(this.#residencyKnown());
    const sealed = [...events];
    await Promise.all(
      places.map(async (place) => {
        sealed[place] = await this.#sealOne(events[place] as IntakeEnvelope, prefixOf(place));
      }),
    );
    return sealed;
  }

  async #sealOne(event: IntakeEnvelope, prefix: string): Promise<IntakeEnvelope> {
    const residency = this.#residencyOf(event.tenant);
    if (!residency.includes(this.#vault.region)) throw this.#outside(event.tenant, residency);
    const key = await this.#keyOf(event, residency, prefix);
    const data = replacePersonal(contractOf(event.type) as Contract, event.data, (text) =>
      text === '' || isSealed(text) ? text : key.seal(text),
    );
    return { ...event, data };
  }

  /** The key of whom a request names as its customer. */
  async #keyOf(
    { tenant, data }: IntakeEnvelope,
    residency: readonly string[],
    prefix: string,
  ): Promise<SubjectKey> {
    const { customer } = data as { readonly customer?: unknown };
    const pointer = `${prefix}/data/customer`;
    if (typeof customer !== 'string' || customer === '') {
      throw invalid(
        pointer,
        'missing',
        `${pointer} is missing: it says whose the personal fields are, and by whose key they are sealed.`,
      );
    }
    const keyId = sealedParts(customer)?.keyId;
    if (keyId === undefined) return orRefuse(this.#vault.keyFor(tenant, customer, residency));
    const key = await orRefuse(this.#vault.keyById(tenant, keyId));
    if (key !== undefined) return key;
    throw invalid(
      pointer,
      'not_allowed',
      `${pointer} is sealed under a key that is not held in ${this.#vault.region}, or was destroyed: ` +
        'nothing more can be sealed with it. Name the customer in the clear.',
    );
  }

  #outside(tenant: string, regions: readonly string[]): Refusal {
    return new Refusal(
      'outside-residency',
      `Personal data of ${tenant} is taken in ${regions.join(', ')} only, not in ` +
        `${this.#vault.region}; nothing was stored. Send it there.`,
      { regions },
    );
  }
}

function clearOf({ type, data }: IntakeEnvelope): readonly string[] {
  const contract = contractOf(type);
  return contract !== undefined && holdsPersonal(contract) ? clearPersonal(contract, data) : [];
}

function invalid(pointer: string, code: string, detail: string): Refusal {
  return new Refusal('invalid-event', detail, { errors: [{ pointer, code, detail }] });
}
