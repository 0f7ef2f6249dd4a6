/** What the directory looks at in a decided event. */
export interface Sighting {
  readonly type: string;
  readonly tenant: string;
  readonly subject: string;
}

/** How much is kept. One entry takes about 200 bytes. */
export interface DirectoryLimits {
  /** Contacts, agents and reservations that are alive in other homes. */
  readonly live: number;
  /** Contacts and reservations that ended there last. */
  readonly ended: number;
}

export const directoryLimits: DirectoryLimits = { live: 500_000, ended: 100_000 };

/** What begins to live at a home with an event of this type, and what ends. */
const beginnings: ReadonlyMap<string, string> = new Map([
  ['meridian.contact.initiated.v1', 'contact'],
  ['meridian.agent.signed_in.v1', 'agent'],
  ['meridian.reservation.created.v1', 'reservation'],
]);
const endings: ReadonlyMap<string, string> = new Map([
  ['meridian.contact.completed.v1', 'contact'],
  ['meridian.contact.abandoned.v1', 'contact'],
  ['meridian.contact.orphan_reaped.v1', 'contact'],
  ['meridian.agent.signed_out.v1', 'agent'],
  ['meridian.reservation.rejected.v1', 'reservation'],
  ['meridian.reservation.timed_out.v1', 'reservation'],
  ['meridian.reservation.rescinded.v1', 'reservation'],
  ['meridian.reservation.canceled.v1', 'reservation'],
  ['meridian.reservation.completed.v1', 'reservation'],
]);

/** Whether an entry's text may hold an event that the directory looks at; cheaper than parsing it. */
export function mayBeSeen(entryText: string): boolean {
  return seenPattern.test(entryText);
}

const seenPattern = new RegExp(
  `"type":"meridian\\.(?:${[...beginnings.keys(), ...endings.keys()]
    .map((type) => type.slice('meridian.'.length).replaceAll('.', '\\.'))
    .join('|')})"`,
);

/**
 * Which home an id belongs to where that is not the directory's own: contacts from `initiated` on,
 * reservations from `created` on, agents while they are signed in. Contacts and reservations that
 * have ended are remembered for a while, so that what comes late reaches who knows them.
 */
export class HomeDirectory {
  readonly #limits: DirectoryLimits;
  readonly #live = new Map<string, string>();
  readonly #ended = new Map<string, string>();
  #dropped = 0;

  constructor(limits: DirectoryLimits = directoryLimits) {
    this.#limits = limits;
  }

  get live(): number {
    return this.#live.size;
  }

  get ended(): number {
    return this.#ended.size;
  }

  /** How many that were alive were dropped because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The other home that an id belongs to; undefined when none is known. */
  find(tenant: string, entity: string, id: string): string | undefined {
    const name = nameOf(tenant, entity, id);
    return this.#live.get(name) ?? this.#ended.get(name);
  }

  /** Takes in what is known to live at another home. */
  plant(home: string, entity: string, tenant: string, id: string): void {
    this.#begin(nameOf(tenant, entity, id), home);
  }

  /** Takes in one event of another home; repeats and older events of the same do no harm. */
  observe(home: string, { type, tenant, subject }: Sighting): void {
    const begun = beginnings.get(type);
    if (begun !== undefined) {
      this.#begin(nameOf(tenant, begun, subject), home);
      return;
    }
    const ended = endings.get(type);
    if (ended !== undefined) this.#end(nameOf(tenant, ended, subject), home, ended !== 'agent');
  }

  #begin(name: string, home: string): void {
    this.#ended.delete(name);
    this.#live.set(name, home);
    if (this.#live.size <= this.#limits.live) return;
    this.#dropped += 1;
    dropOldest(this.#live);
  }

  #end(name: string, home: string, remembered: boolean): void {
    // Signed in elsewhere meanwhile: the old home's farewell says nothing about that.
    if ((this.#live.get(name) ?? home) !== home) return;
    this.#live.delete(name);
    if (!remembered) return;
    this.#ended.set(name, home);
    if (this.#ended.size > this.#limits.ended) dropOldest(this.#ended);
  }
}

function nameOf(tenant: string, entity: string, id: string): string {
  return `${tenant} ${entity} ${id}`;
}

function dropOldest(map: Map<string, string>): void {
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
