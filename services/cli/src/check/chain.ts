import { Fingerprints } from './fingerprints.ts';
import {
  firstPreviousHash,
  hashText,
  parseAggregate,
  splitEntry,
  toLoggedEvent,
  type Aggregate,
  type LoggedEvent,
  type Place,
  type RawEntry,
} from './raw.ts';
import type { Report } from './violation.ts';

/** Where an aggregate's history ends. */
interface Head {
  revision: number;
  hash: string;
  /** Its last entry. */
  stream: string;
  sequence: number;
}

/** An event that may be folded, and where it is. */
export interface PlacedEvent {
  readonly place: Place;
  readonly event: LoggedEvent;
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const typePattern = /^meridian\.([a-z]+)\.[a-z_]+\.v\d+$/;
const entitiesOf: Readonly<Record<string, readonly string[]>> = {
  contact: ['contact'],
  routing: ['routing', 'reservation', 'agent', 'queue'],
};
const decided = new Set(Object.values(entitiesOf).flat());
const contactEnds = new Set([
  'meridian.contact.completed.v1',
  'meridian.contact.abandoned.v1',
  'meridian.contact.orphan_reaped.v1',
]);
const nowhere: Aggregate = {
  subject: '',
  region: '',
  home: '',
  tenant: '',
  entity: '',
  id: '',
  name: '',
};

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

type AttributeCheck = (
  value: unknown,
  event: LoggedEvent,
  aggregate: Aggregate,
) => string | undefined;
const exactly = (wanted: string, value: unknown): string | undefined =>
  value === wanted ? undefined : wanted;
const text: AttributeCheck = (value) => (isText(value) ? undefined : 'a text');
const count: AttributeCheck = (value) => (isCount(value) ? undefined : 'a whole number from 0');

/** For each attribute what was expected, when its value is not that. */
const attributeChecks: Readonly<Record<string, AttributeCheck>> = {
  specversion: (value) => exactly('1.0', value),
  source: (value, _event, { region }) =>
    typeof value === 'string' && value.startsWith(`/${region}/`)
      ? undefined
      : `/${region}/<service>`,
  type: (value, _event, { entity }) => {
    const found = typeof value === 'string' ? typePattern.exec(value)?.[1] : undefined;
    const allowed = entitiesOf[entity];
    // Other aggregates are recovery's own, of whatever it keeps together.
    if (allowed === undefined) {
      return found !== undefined && !decided.has(found) ? undefined : 'meridian.<what>.<what>.v<n>';
    }
    return found !== undefined && allowed.includes(found)
      ? undefined
      : `meridian.<${allowed.join('|')}>.<what>.v<n>`;
  },
  subject: (value, _event, { entity, id }) =>
    entity === 'contact' ? exactly(id, value) : isText(value) ? undefined : 'a text',
  time: (value, event) =>
    typeof value === 'string' && timePattern.test(value) && !Number.isNaN(event.timeMs)
      ? undefined
      : 'an RFC 3339 time in UTC with milliseconds',
  datacontenttype: (value) => exactly('application/json', value),
  dataschema: (value, event) => exactly(`urn:meridian:schema:${event.type}`, value),
  tenant: (value, _event, { tenant }) => exactly(tenant, value),
  epoch: count,
  configversion: count,
  correlationid: text,
  causationid: text,
  actor: text,
  dataclass: (value) =>
    value === 'none' || value === 'pseudonymous' || value === 'personal'
      ? undefined
      : 'none, pseudonymous or personal',
  data: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'an object',
};

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/**
 * Rule 2, entry by entry in the order of the log: of one stream, or of all in the order in which
 * their entries count. Kept: revision and hash of every living aggregate, 24 to 48 bytes for every
 * contact that ended, the epoch of each home.
 */
export class Chain {
  readonly #report: Report;
  readonly #heads = new Map<string, Head>();
  readonly #ended = new Fingerprints();
  readonly #epochs = new Map<string, number>();
  readonly #gapless: boolean;
  readonly #lastSequences = new Map<string, number>();

  /** @param gapless whether the entries are all of the stream, so that a missing sequence is a loss */
  constructor(report: Report, gapless: boolean) {
    this.#report = report;
    this.#gapless = gapless;
  }

  get livingAggregates(): number {
    return this.#heads.size;
  }

  /** The last revision of an aggregate by its name, ended or not; undefined when it has no event. */
  lastRevision(name: string): number | undefined {
    return this.#heads.get(name)?.revision ?? this.#ended.get(name);
  }

  /** Notes an entry that does not count: it only has its place in the stream. */
  pass(place: Place): void {
    this.#checkSequence(place);
  }

  /** Checks an entry and hands its events one by one to `each`, before the next one is judged. */
  read(entry: RawEntry, each: (placed: PlacedEvent) => void): void {
    const aggregate = parseAggregate(entry.subject);
    const at = { stream: entry.stream, sequence: entry.sequence, index: 0 };
    const place = { ...at, aggregate: aggregate ?? { ...nowhere, subject: entry.subject } };
    this.#checkSequence(place);
    if (aggregate === undefined || entry.stream !== `EV_${aggregate.region}`) {
      const expected = 'ev.<region>.<home>.<tenant>.<entity>.<id> in EV_<region>';
      this.#report(place, 'subject', expected, `${entry.subject} in ${entry.stream}`);
    }
    if (aggregate === undefined) return;
    const endedAt = this.#ended.get(aggregate.name);
    if (endedAt !== undefined) {
      this.#report(
        place,
        'contact',
        `no entry after the contact's end (revision ${endedAt})`,
        'another entry',
      );
    }
    if (!entry.data.startsWith('[') || !entry.data.endsWith(']')) {
      this.#report(place, 'format', 'a list: [ ... ]', show(entry.data.slice(0, 40)));
      return;
    }
    let over = false;
    splitEntry(entry.data).forEach((one, index) => {
      const event = this.#readEvent({ ...place, index }, one);
      if (event === undefined) return;
      each({ place: { ...place, index }, event });
      over ||= contactEnds.has(event.type);
    });
    if (over) this.#end(aggregate.name);
  }

  #end(name: string): void {
    this.#ended.set(name, Math.max(this.#heads.get(name)?.revision ?? 0, 0));
    this.#heads.delete(name);
  }

  #checkSequence(place: Place): void {
    const last = this.#lastSequences.get(place.stream);
    this.#lastSequences.set(place.stream, place.sequence);
    if (last === undefined) return;
    if (place.sequence <= last) {
      this.#report(place, 'sequence', `more than ${last}`, String(place.sequence));
    } else if (this.#gapless && place.sequence !== last + 1) {
      this.#report(place, 'sequence', String(last + 1), String(place.sequence));
    }
  }

  #readEvent(place: Place, stored: string): LoggedEvent | undefined {
    let event: LoggedEvent | undefined;
    try {
      event = toLoggedEvent(JSON.parse(stored));
    } catch {
      event = undefined;
    }
    if (event === undefined) {
      this.#report(place, 'format', 'a CloudEvent as a JSON object', show(stored.slice(0, 60)));
      // What comes next can only be right by the next revision; the hash is of what is stored.
      const head = this.#heads.get(place.aggregate.name);
      if (head !== undefined) {
        Object.assign(head, { revision: head.revision + 1, hash: hashText(stored) });
      }
      return undefined;
    }
    this.#checkEnvelope(place, event);
    this.#checkLink(place, event, stored);
    return event;
  }

  #checkEnvelope(place: Place, event: LoggedEvent): void {
    for (const [name, check] of Object.entries(attributeChecks)) {
      const value = event.attributes[name];
      const expected = check(value, event, place.aggregate);
      if (expected !== undefined) {
        this.#report(place, 'envelope', `${name}: ${expected}`, show(value));
      }
    }
    const { region, epoch } = event.attributes;
    const { home } = place.aggregate;
    if (region !== home) this.#report(place, 'ownership', `region: ${home}`, show(region));
    if (typeof epoch !== 'number') return;
    const before = this.#epochs.get(home) ?? 0;
    if (epoch < before) this.#report(place, 'ownership', `epoch: at least ${before}`, show(epoch));
    else this.#epochs.set(home, epoch);
  }

  #checkLink(place: Place, event: LoggedEvent, stored: string): void {
    const { name } = place.aggregate;
    const head = this.#heads.get(name) ?? { revision: -1, hash: firstPreviousHash };
    const { revision, prevhash } = event.attributes;
    this.#checkAdopted(place, event, this.#heads.get(name));
    const next = head.revision + 1;
    if (revision !== next) this.#report(place, 'revision', String(next), show(revision));
    if (prevhash !== head.hash) this.#report(place, 'chain', head.hash, show(prevhash));
    const named = `${name}.${isCount(revision) ? String(revision) : next}`;
    if (event.id !== named) this.#report(place, 'id', named, show(event.id));
    // One fault is reported once: what follows is judged from what was found.
    this.#heads.set(name, {
      revision: isCount(revision) ? (revision as number) : next,
      hash: hashText(stored),
      stream: place.stream,
      sequence: place.sequence,
    });
  }

  /** The first event in another region's stream says where the one before it is; no other does. */
  #checkAdopted(place: Place, event: LoggedEvent, head: Head | undefined): void {
    const isNew = head !== undefined && head.stream !== place.stream;
    const expected = isNew ? `${head.stream}:${head.sequence}` : undefined;
    const found = event.attributes['adoptedfrom'];
    if (found !== expected) this.#report(place, 'adopted', expected ?? 'nothing', show(found));
  }
}
