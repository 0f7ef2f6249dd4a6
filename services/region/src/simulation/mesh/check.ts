import { checkMesh as checkLogs, IntakeIndex, type RawEntry, type Source } from '@meridian/cli';
import type { LogMessage } from '@meridian/journal';
import type { SimulatedRegion } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';
import { canonOf, type Canon, type CanonEntry } from './canon.ts';
import { checkBookings, checkChains, checkEnds } from './check-history.ts';
import { checkMemory } from './check-memory.ts';
import type { Clients } from './clients.ts';
import { regions } from './scenario.ts';
import type { MeshServices } from './services.ts';

/** Something that must not be. */
export interface MeshProblem {
  readonly rule: string;
  readonly detail: string;
}

/** Everything that must hold once the mesh has come to rest. */
export async function checkMesh(
  services: MeshServices,
  clients: Clients,
  unrest: string | undefined,
): Promise<MeshProblem[]> {
  const problems: MeshProblem[] = [];
  if (unrest !== undefined) problems.push({ rule: 'rest', detail: unrest });
  problems.push(...differences(services), ...lost(services, clients));
  // What every region makes of what it holds; with equal copies, once is as good as three times.
  const [first] = services.mesh.regions;
  if (first === undefined) return problems;
  const canon = canonOf(first);
  countExercised(services, canon);
  problems.push(
    ...(await checkInvariants(first)),
    ...checkChains(canon),
    ...checkEnds(canon),
    ...checkBookings(canon),
    ...checkMemory(services, canon),
    ...unfinished(services),
    ...undecided(services, clients, canon),
    ...services.watch.problems.slice(0, 5),
  );
  return problems;
}

const raw = (message: LogMessage): RawEntry => ({
  stream: message.stream,
  sequence: message.sequence,
  subject: message.subject,
  storedAt: message.storedAtMs,
  data: message.text(),
});

/** A stream for the independent check of the logs. */
function sourceOf({ log }: SimulatedRegion, stream: string): Source {
  return {
    stream,
    grows: false,
    async *read({ after, to }) {
      yield log
        .messages(stream)
        .slice(after, to)
        .map((message) => JSON.stringify(raw(message)));
    },
  };
}

/** What those who decide share no code with says of all that was decided. */
async function checkInvariants(region: SimulatedRegion): Promise<MeshProblem[]> {
  const intake = new IntakeIndex();
  for (const name of regions) {
    for (const message of region.log.messages(intakeStream(name))) intake.add(raw(message));
  }
  const sources = regions.map((name) => sourceOf(region, eventStream(name)));
  const { violations } = await checkLogs(sources, { intake });
  return (
    violations
      // While a region is lost or fenced, nobody can end an offer of its homes.
      .filter(({ rule }) => rule !== 'offer-end')
      .map(({ rule, aggregate, sequence, index, expected, found }) => ({
        rule,
        detail: `${aggregate} at ${sequence}.${index}: expected ${expected}, found ${found}`,
      }))
  );
}

const exercised = new Set<string>(
  ['routing.lent', 'routing.returned', 'failover.failed', 'failover.sealed'].map(
    (what) => `meridian.${what}.v1`,
  ),
);

/** What happened that is worth counting. */
function countExercised({ world }: MeshServices, { homes, orphans }: Canon): void {
  world.count('orphans', orphans.length);
  for (const { entry } of [...homes.values()].flat()) {
    for (const { type, data } of entry.events) {
      if (exercised.has(type)) world.count(type.slice('meridian.'.length, -'.v1'.length));
      if (type === 'meridian.failover.completed.v1') {
        world.count(`failovers ${(data as { kind: string }).kind.toLowerCase()}`);
      }
      if (type === 'meridian.reservation.created.v1' && 'contactHome' in (data as object)) {
        world.count('offers to agents of another home');
      }
    }
    if (entry.events[0]?.adoptedfrom !== undefined) world.count('aggregates adopted');
  }
}

const headerNames = ['Nats-Expected-Last-Subject-Sequence', 'Meridian-Consumed'];

/** What a message is, but for its time and id: these may be others when it was imported again. */
function contentOf(message: LogMessage): string {
  const headers = headerNames.map((name) => message.header(name) ?? '');
  return JSON.stringify([message.subject, ...headers, message.text()]);
}

/** Every region's copy of every stream must be the original. */
function differences({ mesh }: MeshServices): MeshProblem[] {
  const problems: MeshProblem[] = [];
  for (const origin of regions) {
    for (const stream of [intakeStream(origin), eventStream(origin)]) {
      const original = mesh.region(origin).log.messages(stream);
      for (const holder of regions.filter((name) => name !== origin)) {
        const copy = mesh.region(holder).log.messages(stream);
        if (copy.length !== original.length) {
          const detail = `${stream} has ${original.length} messages, ${holder}'s copy ${copy.length}`;
          problems.push({ rule: 'mirror', detail });
        }
        const at = original.findIndex(
          (message, index) =>
            copy[index] !== undefined &&
            copy[index] !== message &&
            contentOf(message) !== contentOf(copy[index]),
        );
        if (at !== -1) {
          problems.push({ rule: 'mirror', detail: `${stream} ${at + 1} is another in ${holder}` });
        }
      }
    }
  }
  return problems;
}

/** What was acknowledged must be where it was said to be. */
function lost({ world, mesh }: MeshServices, { acknowledged }: Clients): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const hasLostPower = (world.counts['messages lost with the power'] ?? 0) > 0;
  for (const { event, stream, sequence, durability } of acknowledged) {
    const region = mesh.region(stream.slice(intakeStream('').length));
    const stored = region.log.messages(stream)[sequence - 1]?.text();
    if (stored !== undefined && isRequest(stored, event)) continue;
    if (durability === 'region' && hasLostPower) {
      world.count('requests lost with the power');
      continue;
    }
    problems.push({
      rule: 'acknowledged',
      detail:
        `${event.id} was acknowledged at ${durability} as ${stream} ${sequence}, ` +
        `which holds ${stored ?? 'nothing'}`,
    });
  }
  return problems;
}

/** A request that was sent again elsewhere may name a region that it did not name at first. */
function isRequest(
  stored: string,
  event: { readonly source: string; readonly id: string },
): boolean {
  const { source, id } = JSON.parse(stored) as { source: string; id: string };
  return source === event.source && id === event.id;
}

/** Nobody waits, is offered, lent or borrowed at an open desk when the day is over. */
function unfinished({ routing }: MeshServices): MeshProblem[] {
  const problems: MeshProblem[] = [];
  for (const { instance, keepers } of routing.values()) {
    if (!instance.alive) continue;
    for (const [home, { desk, isOpen }] of keepers) {
      if (!isOpen) continue;
      for (const [, { waiting, offered, reservations, loans }] of desk.states()) {
        const left = {
          waiting: waiting.size,
          offered: offered.size,
          reserved: reservations.size,
          lent: loans.lent.size,
          borrowed: loans.borrowed.size,
        };
        if (Object.values(left).every((count) => count === 0)) continue;
        const detail = `the partition of ${home} has left ${JSON.stringify(left)}`;
        problems.push({ rule: 'left', detail });
      }
    }
  }
  return problems;
}

/**
 * Every request that was stored was handled by who decides for its home; and what it led to counts, or
 * it was handled again by a later owner.
 */
function undecided(
  { mesh, watch }: MeshServices,
  { acknowledged }: Clients,
  { homes, orphans }: Canon,
): MeshProblem[] {
  const problems: MeshProblem[] = [];
  const counted = causesIn([...homes.values()].flat());
  const orphaned = causesIn(orphans);
  for (const { event, stream, sequence, home } of acknowledged) {
    const [, entity = ''] = event.type.split('.');
    const service = { contact: 'sessions', reservation: 'routing', agent: 'routing' }[entity];
    const region = mesh.region(stream.slice(intakeStream('').length));
    const stored = region.log.messages(stream)[sequence - 1];
    // What was lost with the power is told elsewhere.
    if (service === undefined || stored === undefined || !isRequest(stored.text(), event)) continue;
    const handlings = watch.handlings(service, home, { stream, sequence });
    const name = `${event.id} (${event.type}), ${stream} ${sequence}, for home ${home}`;
    if (handlings.length === 0) {
      problems.push({ rule: 'unhandled', detail: `${name}: nobody has handled it` });
      continue;
    }
    const cause = `${event.source}#${event.id}`;
    const epoch = orphaned.get(`${home} ${cause}`);
    if (epoch === undefined || counted.has(`${home} ${cause}`)) continue;
    if (handlings.some((handling) => handling.epoch > epoch)) continue;
    const detail = `${name}: decided in epoch ${epoch} beyond its seal, and never again`;
    problems.push({ rule: 'unhandled', detail });
  }
  return problems;
}

/** What entries were caused by, and the last epoch in which, by home. */
function causesIn(entries: readonly CanonEntry[]): ReadonlyMap<string, number> {
  const causes = new Map<string, number>();
  for (const { entry, address, epoch } of entries) {
    for (const { causationid } of entry.events) {
      const key = `${address.home} ${causationid}`;
      causes.set(key, Math.max(epoch, causes.get(key) ?? 0));
    }
  }
  return causes;
}
