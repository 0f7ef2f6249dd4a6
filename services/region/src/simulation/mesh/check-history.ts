import { eventTexts, genesisHash, hashEvent } from '@meridian/wire';
import type { Canon, CanonEntry } from './canon.ts';
import type { MeshProblem } from './check.ts';

/** Where an aggregate's history ends. */
interface End {
  revision: number;
  hash: string;
  /** What its entries were caused by. */
  readonly causes: Set<string>;
}

/**
 * Each aggregate is one chain of events, and each cause led to one decision of it. What another home
 * decided beyond a seal may have led to one here, and what it decided instead bears the same id.
 */
export function checkChains({ homes, orphans }: Canon): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const orphaned = new Map<string, string>();
  for (const { entry, address } of orphans) {
    for (const { id } of entry.events) orphaned.set(id, address.home);
  }
  for (const [home, entries] of homes) {
    const ends = new Map<string, End>();
    for (const one of entries) {
      const { tenant, entity, id } = one.address;
      const key = `${tenant}.${entity}.${id}`;
      const end = ends.get(key) ?? { revision: -1, hash: genesisHash, causes: new Set<string>() };
      ends.set(key, end);
      const mayRepeat = (cause: string): boolean => (orphaned.get(cause) ?? home) !== home;
      problems.push(...checkEntry(one, `${home} ${key}`, end, mayRepeat));
    }
  }
  return problems;
}

function checkEntry(
  { entry, text, address }: CanonEntry,
  name: string,
  end: End,
  mayRepeat: (cause: string) => boolean,
): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const place = `${entry.stream} ${entry.sequence} of ${name}`;
  const add = (rule: string, detail: string): void => {
    problems.push({ rule, detail: `${place}: ${detail}` });
  };
  // A request to move a home is answered step by step.
  const isDecision = address.entity !== 'ownership';
  const causes = new Set<string>();
  const texts = eventTexts(text);
  for (const [index, event] of entry.events.entries()) {
    if (event.region !== address.home) add('ownership', `it says region ${event.region}`);
    if (event.revision !== end.revision + 1) {
      add('revision', `revision ${event.revision} after ${end.revision}`);
    }
    if (event.prevhash !== end.hash) add('chain', `prevhash of revision ${event.revision}`);
    end.revision = event.revision;
    end.hash = hashEvent(texts[index] as string);
    if (isDecision && end.causes.has(event.causationid) && !mayRepeat(event.causationid)) {
      add('repeated-cause', `${event.causationid} led to a decision before`);
    }
    causes.add(event.causationid);
  }
  for (const cause of causes) end.causes.add(cause);
  return problems;
}

const contactEnds = new Set([
  'meridian.contact.completed.v1',
  'meridian.contact.abandoned.v1',
  'meridian.contact.orphan_reaped.v1',
]);
const reservationEnds = new Set(
  ['rejected', 'timed_out', 'rescinded', 'canceled', 'completed'].map(
    (what) => `meridian.reservation.${what}.v1`,
  ),
);

/** Every contact has one history, which has come to its end; and so has every reservation. */
export function checkEnds({ homes }: Canon): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const contactHomes = new Map<string, string>();
  const open = new Map<string, string>();
  for (const [home, entries] of homes) {
    for (const { type, subject } of entries.flatMap(({ entry }) => entry.events)) {
      if (type === 'meridian.contact.initiated.v1') {
        const other = contactHomes.get(subject);
        if (other !== undefined) {
          problems.push({ rule: 'history', detail: `${subject} began in ${other} and in ${home}` });
        }
        contactHomes.set(subject, home);
        open.set(`contact ${subject} of ${home}`, 'not ended');
      } else if (contactEnds.has(type)) {
        if (!open.delete(`contact ${subject} of ${home}`)) {
          problems.push({ rule: 'history', detail: `contact ${subject} of ${home} ended twice` });
        }
      } else if (type === 'meridian.reservation.created.v1') {
        if (open.has(`reservation ${subject} of ${home}`)) {
          problems.push({ rule: 'history', detail: `${subject} of ${home} was created twice` });
        }
        open.set(`reservation ${subject} of ${home}`, 'open');
      } else if (reservationEnds.has(type)) {
        if (!open.delete(`reservation ${subject} of ${home}`)) {
          problems.push({
            rule: 'history',
            detail: `${subject} of ${home} ended and was not open`,
          });
        }
      }
    }
  }
  for (const [what, state] of open) problems.push({ rule: 'ended', detail: `${what} is ${state}` });
  return problems;
}

/** Nobody is booked twice: in each home, and over all homes by the time of the decisions. */
export function checkBookings({ homes }: Canon): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const held = new Map<string, string>();
  for (const entries of homes.values()) {
    for (const { type, subject, data } of entries.flatMap(({ entry }) => entry.events)) {
      if (!type.startsWith('meridian.reservation.')) continue;
      const { contactId, agentId, channel } = data as Record<string, string>;
      // A call takes all of an agent.
      const keys = [`contact ${contactId}`];
      if (channel === 'VOICE') keys.push(`agent ${agentId}`);
      for (const key of keys) {
        const other = held.get(key);
        if (type === 'meridian.reservation.created.v1') {
          if (other !== undefined) {
            problems.push({ rule: 'booked', detail: `${subject}: ${key} is held by ${other}` });
          }
          held.set(key, subject);
        } else if (reservationEnds.has(type)) {
          for (const [name, holder] of held) if (holder === subject) held.delete(name);
        }
      }
    }
  }
  return problems;
}
