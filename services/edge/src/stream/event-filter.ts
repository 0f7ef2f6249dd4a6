import { contractOf, contracts, identifierPattern } from '@meridian/wire';
import { invalidParameter, type QueryValues } from '../domain/query.ts';
import { shown } from '../domain/problem.ts';

/** What a stream of events is narrowed to. Absent lists mean everything. */
export interface EventFilter {
  readonly tenant: string;
  readonly homes?: ReadonlySet<string>;
  readonly entities?: ReadonlySet<string>;
  readonly types?: ReadonlySet<string>;
  readonly subjects?: ReadonlySet<string>;
}

/** What a filter looks at. */
export interface FilteredEvent {
  readonly entity: string;
  readonly type: string;
  readonly subject: string;
}

/** The kinds of things that events are about. */
export const entities: readonly string[] = [...new Set(contracts.map(({ entity }) => entity))];
const eventTypes: readonly string[] = contracts
  .filter(({ kind }) => kind === 'EVENT')
  .map(({ type }) => type);
/** How many values a filter may list. */
const valuesLimit = 100;

/**
 * Reads `home`, `entity`, `type` and `subject`.
 * @param regions those there are: each is a home
 * @throws Refusal when a value can match nothing
 */
export function readEventFilter(
  query: QueryValues,
  tenant: string,
  regions: readonly string[],
): EventFilter {
  const read = (
    name: string,
    isOne: (value: string) => boolean,
    expected: string,
  ): ReadonlySet<string> | undefined => {
    const values = query.all(name);
    if (values.length === 0) return undefined;
    if (values.length > valuesLimit) {
      throw invalidParameter(
        name,
        `lists ${values.length} values; at most ${valuesLimit} are taken`,
      );
    }
    const wrong = values.find((value) => !isOne(value));
    if (wrong !== undefined) {
      throw invalidParameter(name, `is ${shown(wrong)}; it must be ${expected}`);
    }
    return new Set(values);
  };
  const home = read(
    'home',
    (value) => regions.includes(value),
    `one of the regions ${regions.join(', ')}`,
  );
  const entity = read(
    'entity',
    (value) => entities.includes(value),
    `one of ${entities.join(', ')}`,
  );
  const type = read(
    'type',
    (value) => eventTypes.includes(value),
    'the type of an event, such as meridian.contact.queued.v1',
  );
  const subject = read(
    'subject',
    (value) => identifierPattern.test(value),
    'the id of a contact, reservation, agent or queue',
  );
  return {
    tenant,
    ...(home === undefined ? {} : { homes: home }),
    ...(entity === undefined ? {} : { entities: entity }),
    ...(type === undefined ? {} : { types: type }),
    ...(subject === undefined ? {} : { subjects: subject }),
  };
}

/** Whether an event is meant. Tenant and home are those of its entry and looked at there. */
export function isMeant(filter: EventFilter, event: FilteredEvent): boolean {
  return (
    (filter.types === undefined || filter.types.has(event.type)) &&
    (filter.entities === undefined || filter.entities.has(event.entity)) &&
    (filter.subjects === undefined || filter.subjects.has(event.subject))
  );
}

/** The entity of an event by its type, `meridian.<entity>.<what>.v<n>`, also of types not known here. */
export function entityOf(type: string): string {
  return contractOf(type)?.entity ?? type.split('.')[1] ?? '';
}

/** Kinds of things whose events stand in the routing partitions. */
const routed: ReadonlySet<string> = new Set(['routing', 'reservation', 'agent', 'queue']);

/**
 * Subjects of `EV_<region>` that hold everything a filter means, and as little else as possible: a
 * contact's events are under its own subject, those about agents, reservations and queues under
 * those of the routing partitions, the mesh's own under many.
 */
export function subjectsFor(filter: EventFilter, region: string): string[] {
  const homes = filter.homes === undefined ? ['*'] : [...filter.homes];
  return homes.flatMap((home) => subjectsUnder(`ev.${region}.${home}.${filter.tenant}`, filter));
}

function subjectsUnder(under: string, filter: EventFilter): string[] {
  const wanted = new Set([...(filter.types ?? [])].map(entityOf));
  const either = filter.entities ?? (filter.types === undefined ? undefined : wanted);
  if (either === undefined) return [`${under}.>`];
  if ([...either].some((entity) => entity !== 'contact' && !routed.has(entity))) {
    return [`${under}.>`];
  }
  const result: string[] = [];
  if (either.has('contact')) {
    if (filter.subjects === undefined) result.push(`${under}.contact.*`);
    else result.push(...[...filter.subjects].map((subject) => `${under}.contact.${subject}`));
  }
  if (either.size > (either.has('contact') ? 1 : 0)) result.push(`${under}.routing.*`);
  return result;
}
