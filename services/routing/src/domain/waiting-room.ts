import { Heap } from '@meridian/core';
import type { Channel, SkillRequirement } from '@meridian/wire';

/** A contact's place in a queue: it keeps it through every offer until it is answered or gone. */
export interface Place {
  readonly contactId: string;
  readonly queueId: string;
  readonly channel: Channel;
  readonly priority: number;
  /** The contact's own, beyond the queue's. */
  readonly contactRequirements: readonly SkillRequirement[];
  /** The queue's and the contact's own. */
  readonly requirements: readonly SkillRequirement[];
  readonly enqueuedAtMs: number;
  /**
   * Who comes first: the enqueue time less the head start that the priority is worth, in epoch
   * ms. All contacts age alike, so the order never changes while they wait.
   */
  readonly rankMs: number;
}

/** Contacts that ask for the same: channel, queue and requirements. */
interface Line {
  readonly sample: Place;
  /** In order, first to be served first. */
  readonly places: Place[];
}

/** Whether `a` is served before `b`. A strict total order: ids differ. */
export function isServedBefore(a: Place, b: Place): boolean {
  if (a.rankMs !== b.rankMs) return a.rankMs < b.rankMs;
  if (a.enqueuedAtMs !== b.enqueuedAtMs) return a.enqueuedAtMs < b.enqueuedAtMs;
  return a.contactId < b.contactId;
}

/**
 * The contacts that wait, in lines by what they ask for: a freed agent looks at the heads of the
 * lines it can serve, not at every contact.
 */
export class WaitingRoom {
  readonly #lines = new Map<string, Line>();
  readonly #places = new Map<string, Place>();

  get size(): number {
    return this.#places.size;
  }

  has(contactId: string): boolean {
    return this.#places.has(contactId);
  }

  get(contactId: string): Place | undefined {
    return this.#places.get(contactId);
  }

  /** Takes a place in; a contact that waits already has this one instead. */
  add(place: Place): void {
    this.remove(place.contactId);
    const key = lineKey(place);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { sample: place, places: [] };
      this.#lines.set(key, line);
    }
    line.places.splice(indexFor(line.places, place), 0, place);
    this.#places.set(place.contactId, place);
  }

  remove(contactId: string): Place | undefined {
    const place = this.#places.get(contactId);
    if (place === undefined) return undefined;
    this.#places.delete(contactId);
    const key = lineKey(place);
    const line = this.#lines.get(key) as Line;
    line.places.splice(indexFor(line.places, place), 1);
    if (line.places.length === 0) this.#lines.delete(key);
    return place;
  }

  /** The contacts of one queue in the order of service. */
  ofQueue(queueId: string): Place[] {
    const found: Place[] = [];
    for (const line of this.#lines.values()) {
      if (line.sample.queueId === queueId) found.push(...line.places);
    }
    return found.sort((a, b) => (isServedBefore(a, b) ? -1 : 1));
  }

  /**
   * The contacts in the order of service; what is not asked for costs nothing but the lines.
   * @param servesLine asked with a contact that stands for its line, the same each time, before
   * each contact of it: once it says no, the rest of the line is left out
   */
  *inOrder(
    servesLine: (sample: Place) => boolean = () => true,
  ): Generator<{ readonly place: Place; readonly sample: Place }, void> {
    const heads = new Heap<{ readonly line: Line; index: number }>((a, b) =>
      isServedBefore(a.line.places[a.index] as Place, b.line.places[b.index] as Place),
    );
    for (const line of this.#lines.values()) heads.push({ line, index: 0 });
    for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
      const { sample, places } = head.line;
      if (!servesLine(sample)) continue;
      yield { place: places[head.index] as Place, sample };
      head.index += 1;
      if (head.index < places.length) heads.push(head);
    }
  }

  /**
   * The contact to be served first among those that pass.
   * @param servesLine asked once per line, with one of its contacts
   * @param servesContact asked per contact, in order, until it says yes
   */
  first(
    servesLine: (sample: Place) => boolean,
    servesContact: (place: Place) => boolean,
  ): Place | undefined {
    let best: Place | undefined;
    for (const line of this.#lines.values()) {
      const head = line.places[0] as Place;
      if (best !== undefined && !isServedBefore(head, best)) continue;
      if (!servesLine(line.sample)) continue;
      for (const place of line.places) {
        if (best !== undefined && !isServedBefore(place, best)) break;
        if (!servesContact(place)) continue;
        best = place;
        break;
      }
    }
    return best;
  }
}

function lineKey({ queueId, channel, requirements }: Place): string {
  let key = `${queueId}/${channel}`;
  for (const { skill, minimumLevel } of requirements) key += `/${skill}:${minimumLevel}`;
  return key;
}

/** Where a place is, or would be, in an ordered line. */
function indexFor(places: readonly Place[], place: Place): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isServedBefore(places[middle] as Place, place)) low = middle + 1;
    else high = middle;
  }
  return low;
}
