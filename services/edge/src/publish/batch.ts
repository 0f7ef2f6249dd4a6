import { acceptIntake, type IntakeEnvelope } from '@meridian/wire';
import { allows, type ApiKey } from '@meridian/keys';
import { sameJson } from '../domain/json.ts';
import { Refusal, type ProblemError } from '../domain/problem.ts';

/** The most events that one request may hold. */
export const batchLimit = 1_000;
/** Requests about the mesh itself have routes of their own, whatever tenant the key is of. */
export const ownRoutes: ReadonlyMap<string, string> = new Map([
  ['failover', 'POST /v1/failovers'],
  ['drill', 'POST /v1/drills'],
]);
/** How many errors a problem document lists. */
const errorsLimit = 64;

/** Who publishes, and when. */
export interface Publisher {
  readonly key: ApiKey;
  /** Of the request: it goes before what the events say themselves. */
  readonly traceparent?: string;
  /** Of a trace that begins with the request: for events that say none themselves. */
  readonly newTraceparent?: string;
  /** RFC 3339, for events that do not say their time. */
  readonly now: string;
  /** The regions there are: the only ones that an event may name. */
  readonly regions?: readonly string[];
}

/** What a request comes to: the events to store, and for each sent one which of them it is. */
export interface Plan {
  readonly events: readonly IntakeEnvelope[];
  /** As many as were sent; an index into `events`. */
  readonly places: readonly number[];
}

/**
 * Checks all events of a request before any is stored.
 * @param values as sent; one for a single event
 * @param batch whether they came as a list, so that pointers begin with the index
 * @throws Refusal naming everything that is wrong
 */
export function planBatch(values: readonly unknown[], batch: boolean, publisher: Publisher): Plan {
  if (values.length === 0) {
    throw new Refusal('empty-batch', 'The batch is an empty list; send at least one event.');
  }
  if (values.length > batchLimit) {
    throw new Refusal(
      'batch-too-long',
      `The batch holds ${values.length} events; send at most ${batchLimit} at once.`,
    );
  }
  const { key, traceparent, now, regions } = publisher;
  const given = {
    tenant: key.tenant,
    actor: key.id,
    now,
    ...(regions === undefined ? {} : { regions }),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
  const prefix = (index: number): string => (batch ? `/${index}` : '');
  const accepted: IntakeEnvelope[] = [];
  const errors: ProblemError[] = [];
  const forbidden: ProblemError[] = [];
  const types = new Set<string>();
  for (const [index, value] of values.entries()) {
    const result = acceptIntake(value, given);
    if (!result.ok) {
      if (result.type !== undefined) types.add(result.type);
      for (const { pointer, code, detail } of result.problems) {
        errors.push({ pointer: `${prefix(index)}${pointer}`, code, detail });
      }
      if (errors.length >= errorsLimit) break;
    } else if (ownRoutes.has(result.contract.entity)) {
      forbidden.push({
        pointer: `${prefix(index)}/type`,
        code: 'forbidden',
        detail: `${result.contract.type} is the mesh's own; ask at ${ownRoutes.get(result.contract.entity)}.`,
      });
    } else if (allows(key, result.contract.scope)) {
      accepted.push(traced(result.event, publisher));
    } else {
      forbidden.push({
        pointer: `${prefix(index)}/type`,
        code: 'forbidden',
        detail: `${result.contract.type} needs a key of the scope ${result.contract.scope}.`,
      });
    }
  }
  if (errors.length > 0) throw invalidEvents(errors, types);
  if (forbidden.length > 0) {
    throw new Refusal('forbidden', forbidden[0]?.detail ?? '', {
      errors: forbidden.slice(0, errorsLimit),
    });
  }
  return batch ? withoutRepeats(accepted) : { events: accepted, places: [0] };
}

function traced(event: IntakeEnvelope, { newTraceparent }: Publisher): IntakeEnvelope {
  if (newTraceparent === undefined || event.traceparent !== undefined) return event;
  return { ...event, traceparent: newTraceparent };
}

function invalidEvents(errors: readonly ProblemError[], types: ReadonlySet<string>): Refusal {
  const first = errors[0]?.detail ?? '';
  const [type] = types;
  return new Refusal(
    'invalid-event',
    errors.length === 1 ? first : `${first} There are ${errors.length} errors; nothing was stored.`,
    {
      errors: errors.slice(0, errorsLimit),
      ...(type === undefined ? {} : { schema: `/schemas/${type}.json` }),
    },
  );
}

/** Whether two requests with one source and id ask for the same. Their times may differ. */
export function sameRequest(left: IntakeEnvelope, right: IntakeEnvelope): boolean {
  return (
    left.id === right.id &&
    left.source === right.source &&
    left.type === right.type &&
    left.subject === right.subject &&
    sameJson(left.data, right.data)
  );
}

/** A refusal for an id under which something else was published. */
export function duplicateId(
  event: IntakeEnvelope,
  pointer: string,
  original: string,
  extras: Record<string, unknown> = {},
): Refusal {
  const detail =
    `An event with the id ${JSON.stringify(event.id)} from ${event.source} ${original}, ` +
    'with another type, subject or data. Give a new event an id of its own.';
  return new Refusal('duplicate-id', detail, {
    errors: [{ pointer: `${pointer}/id`, code: 'duplicate', detail }],
    ...extras,
  });
}

function withoutRepeats(accepted: readonly IntakeEnvelope[]): Plan {
  const placeByName = new Map<string, number>();
  const events: IntakeEnvelope[] = [];
  const places: number[] = [];
  for (const [index, event] of accepted.entries()) {
    const name = `${event.source}#${event.id}`;
    const place = placeByName.get(name);
    if (place === undefined) {
      placeByName.set(name, events.length);
      places.push(events.length);
      events.push(event);
    } else if (sameRequest(events[place] as IntakeEnvelope, event)) {
      places.push(place);
    } else {
      throw duplicateId(
        event,
        `/${index}`,
        `is in this batch before (at ${places.indexOf(place)})`,
      );
    }
  }
  return { events, places };
}
