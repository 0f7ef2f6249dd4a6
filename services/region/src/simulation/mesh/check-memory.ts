import { fold, fromTimestamp, type Decider, type Rejection } from '@meridian/core';
import type { Settled } from '@meridian/journal';
import { partitionDecider, type Partition } from '@meridian/routing';
import { contactDecider } from '@meridian/sessions';
import { eventTexts, hashEvent } from '@meridian/wire';
import { canonical, canonicalPartition } from '../memory.ts';
import type { Canon, CanonEntry } from './canon.ts';
import type { MeshProblem } from './check.ts';
import type { LivingService } from './desks.ts';
import type { MeshServices } from './services.ts';

interface Folded<State> {
  readonly state: State;
  readonly revision: number;
  readonly hash: string;
}

/** Folds one aggregate's entries. */
function foldEntries<State, Event, Command, R extends Rejection>(
  decider: Decider<State, Event, Command, R>,
  entries: readonly CanonEntry[],
): Folded<State> {
  let state = decider.initial();
  for (const { events } of entries.map(({ entry }) => entry)) {
    for (const event of events) {
      state = fold(decider, state, [event as unknown as Event], fromTimestamp(event.time));
    }
  }
  const last = entries.at(-1);
  return {
    state,
    revision: last?.entry.events.at(-1)?.revision ?? -1,
    hash: last === undefined ? '' : hashEvent(eventTexts(last.text).at(-1) as string),
  };
}

/** What every living desk of every region has in memory is the fold of its home's history. */
export function checkMemory(
  { sessions, routing }: Pick<MeshServices, 'sessions' | 'routing'>,
  canon: Canon,
): MeshProblem[] {
  const contacts = comparer(canon, 'contact', contactDecider, canonical);
  const partitions = comparer<Partition, never, never, Rejection>(
    canon,
    'routing',
    partitionDecider as Decider<Partition, never, never>,
    canonicalPartition,
  );
  return [
    ...livingDesks(sessions).flatMap(([who, home, desk]) => contacts(who, home, desk.settled())),
    ...livingDesks(routing).flatMap(([who, home, desk]) => partitions(who, home, desk.settled())),
  ];
}

function livingDesks<D>(
  services: ReadonlyMap<unknown, LivingService<D>>,
): (readonly [who: string, home: string, desk: D])[] {
  return [...services.values()]
    .filter(({ instance }) => instance.alive)
    .flatMap(({ instance, keepers }) =>
      [...keepers].map(
        ([home, { desk, state }]) => [`${instance.site.name}'s ${state} desk`, home, desk] as const,
      ),
    );
}

function comparer<State, Event, Command, R extends Rejection>(
  { homes }: Canon,
  entity: string,
  decider: Decider<State, Event, Command, R>,
  show: (state: State) => string,
): (who: string, home: string, settled: Iterable<Settled<State>>) => MeshProblem[] {
  const folds = new Map<string, Folded<State> & { readonly text: string }>();
  for (const [home, entries] of homes) {
    const groups = Map.groupBy(
      entries.filter(({ address }) => address.entity === entity),
      ({ address }) => `${home} ${address.tenant}.${address.id}`,
    );
    for (const [key, group] of groups) {
      const folded = foldEntries(decider, group);
      folds.set(key, { ...folded, text: show(folded.state) });
    }
  }
  return (who, home, settled) => {
    const problems: MeshProblem[] = [];
    for (const { aggregate, state, head } of settled) {
      const name = `${home} ${aggregate.tenant}.${aggregate.id}`;
      const folded = folds.get(name);
      const what = `${who} of ${entity} ${name}`;
      if (folded === undefined) {
        if (head.revision >= 0) problems.push({ rule: 'memory', detail: `${what} has no history` });
      } else if (head.revision !== folded.revision || head.hash !== folded.hash) {
        const detail = `${what} is at revision ${head.revision}, its history at ${folded.revision}`;
        problems.push({ rule: 'memory', detail });
      } else if (show(state) !== folded.text) {
        const detail = `${what} is ${show(state)} in memory and ${folded.text} in the log`;
        problems.push({ rule: 'memory', detail: detail.slice(0, 1_000) });
      }
    }
    return problems;
  };
}
