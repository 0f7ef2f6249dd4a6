import {
  journalOf,
  Ledger,
  meshTenant,
  PatientFollower,
  readEntry,
  readRequest,
  WrongLastSequence,
  type Follower,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import {
  causeOf,
  eventStream,
  intakeStream,
  parseSubject,
  type EventEnvelope,
  type FailoverEvent,
} from '@meridian/wire';
import type { Action } from './domain/actions.ts';
import type { Request } from './domain/failover-events.ts';

type Append = Extract<Action, { type: 'append' }>;

/** How often an append is tried anew because somebody else wrote to the subject. */
const conflictsLimit = 5;

/**
 * Stores one entry of a home's ownership under an epoch, once however often it is asked for: there is
 * one seal and one beginning of an epoch, and one entry of its kind for a request.
 * @returns its sequence in the own `EV_`
 * @throws LogFault when it is not known whether it was stored
 */
export async function appendOwnership(
  log: Log,
  region: string,
  timeMs: number,
  action: Append,
): Promise<number> {
  const { home, epoch, seals } = action;
  const aggregate = { tenant: meshTenant, entity: 'ownership', id: home };
  const ledger = new Ledger();
  if (epoch > 1) ledger.take({ home, epoch, owner: region, seals });
  const journal = journalOf(log, { region, home, service: 'recovery', epoch }, { ledger });
  for (let conflicts = 0; ; conflicts += 1) {
    const { entries, head } = await journal.load(aggregate);
    const known = entries.find(
      (entry) => entry.stream === journal.stream && isSame(entry.events, action),
    );
    if (known !== undefined) return known.sequence;
    try {
      const stored = await journal.append(aggregate, {
        events: action.events.map((event) => ({
          ...event,
          timeMs,
          cause: {
            causationId: action.causationId,
            ...(action.actor === undefined ? {} : { actor: action.actor }),
          },
        })),
        head,
      });
      return stored.sequence;
    } catch (error) {
      if (!(error instanceof WrongLastSequence) || conflicts === conflictsLimit) throw error;
    }
  }
}

function isSame(events: readonly EventEnvelope[], action: Append): boolean {
  const typeOf = (all: readonly { readonly type: string }[]): string =>
    all.map(({ type }) => type).join();
  const [first] = events;
  if (first?.epoch !== action.epoch) return false;
  if (action.purpose === 'sealed' || action.purpose === 'completed') {
    const type = `meridian.failover.${action.purpose}.v1`;
    return events.some((event) => event.type === type);
  }
  return first.causationid === action.causationId && typeOf(events) === typeOf(action.events);
}

/** An ownership event as a copy of an `EV_` stream holds it. */
export interface OwnershipEntry {
  readonly home: string;
  readonly region: string;
  readonly sequence: number;
  readonly events: readonly (EventEnvelope & FailoverEvent)[];
}

/** Follows all ownership entries of all regions, each region's in order. */
export function followOwnership(
  log: Log,
  regions: readonly string[],
  onFailure: (error: unknown) => void,
  onEntry: (entry: OwnershipEntry) => void,
): Follower[] {
  return regions.map(
    (region) =>
      new PatientFollower(
        log,
        eventStream(region),
        { after: 0, filters: [`ev.${region}.*.${meshTenant}.ownership.*`], onFailure },
        (message) => {
          const address = parseSubject(message.subject);
          if (address === undefined) return;
          onEntry({
            home: address.home,
            region,
            sequence: message.sequence,
            events: readEntry(message).events as OwnershipEntry['events'],
          });
        },
      ),
  );
}

/** Follows all requests to move an ownership, wherever they came in. */
export function followRequests(
  log: Log,
  regions: readonly string[],
  onFailure: (error: unknown) => void,
  onRequest: (request: Request, storedAtMs: number) => void,
): Follower[] {
  return regions.map(
    (region) =>
      new PatientFollower(
        log,
        intakeStream(region),
        { after: 0, filters: [`in.${region}.${meshTenant}.*.failover.*`], onFailure },
        (message) => {
          const request = requestOf(message);
          if (request !== undefined) onRequest(request, message.storedAtMs);
        },
      ),
  );
}

/** What a message asks for; undefined when it is no request for an ownership. */
function requestOf(message: LogMessage): Request | undefined {
  try {
    const { event } = readRequest(message);
    if (event.type !== 'meridian.failover.request.v1') return undefined;
    const data = event.data as Pick<Request, 'to' | 'kind' | 'reason' | 'breakGlass'>;
    return {
      id: causeOf(event),
      ...(event.actor === undefined ? {} : { actor: event.actor }),
      home: event.subject,
      ...data,
      atMs: message.storedAtMs,
    };
  } catch {
    // It came past the edge's checks; nobody waits for it.
    return undefined;
  }
}
