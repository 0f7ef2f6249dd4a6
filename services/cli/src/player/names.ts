import { DayFault, type DayPlan, type PlannedContact } from '../day/index.ts';

const runPattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;

/**
 * The ids of one play of a day. Contacts, sessions and requests bear the name of the run, so
 * that a region can hold many; agents and queues keep their names.
 */
export class RunNames {
  readonly run: string;
  /** The CloudEvents source of every request. */
  readonly source: string;
  readonly #planned = new Map<string, PlannedContact>();
  readonly #contactIds = new Map<string, string>();

  /** @throws DayFault when the name of the run cannot be part of an id */
  constructor(run: string, plan: Pick<DayPlan, 'contacts'>) {
    if (!runPattern.test(run)) {
      throw new DayFault(
        `The run is called ${JSON.stringify(run)}.`,
        'Name it with 1 to 32 letters, digits and hyphens, a letter or digit first.',
      );
    }
    this.run = run;
    this.source = `player/${run}`;
    for (const [index, contact] of plan.contacts.entries()) {
      const id = `c-${run}-${String(index + 1).padStart(5, '0')}`;
      this.#planned.set(id, contact);
      this.#contactIds.set(contact.id, id);
    }
  }

  /** The contact of the plan; undefined for a contact that is not of this run. */
  planned(contactId: string): PlannedContact | undefined {
    return this.#planned.get(contactId);
  }

  /** The id in the region of a contact of the plan. */
  contactId(contact: PlannedContact): string {
    return this.#contactIds.get(contact.id) ?? contact.id;
  }

  /** The ids of all contacts of the run, by arrival. */
  contactIds(): IterableIterator<string> {
    return this.#planned.keys();
  }

  sessionId(agentId: string, shift: number): string {
    return `s-${this.run}-${agentId}-${shift}`;
  }
}
