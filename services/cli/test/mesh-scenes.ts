import { checkMesh, type LogCheckResult, type RawEntry } from '../src/check/index.ts';
import { contact, routing } from './drafts.ts';
import { at, type Draft } from './log-builder.ts';
import { MeshBuilder, sourcesOf } from './mesh-builder.ts';

export const lent = (to: string, loan = 1, attempts = 0): Draft => ({
  type: 'meridian.routing.lent.v1',
  subject: 'c1',
  data: {
    to,
    loan,
    queueId: 'q1',
    channel: 'VOICE',
    contactRequirements: [],
    enqueuedAt: at(2),
    attempts,
  },
});
export const returned = (loan = 1, attempts = 0): Draft => ({
  type: 'meridian.routing.returned.v1',
  subject: 'c1',
  data: { contactHome: 'us', loan, loanEpoch: 1, attempts, reason: 'OFFER_ENDED' },
});
/** What was said of one of the partition's own, said of a contact of home us. */
export const ofUs = (draft: Draft): Draft => ({
  ...draft,
  data: { ...draft.data, contactHome: 'us' },
});
export const borrowed = (reservationId: string, loan = 1): Draft[] => [
  ofUs(
    routing.decided('c1', 'OFFERED', 'CONTACT_BORROWED', 2, {
      agentId: 'a1',
      loan,
      loanEpoch: 1,
      attempts: 0,
    }),
  ),
  ofUs(routing.created(reservationId, 'c1', 'a1', 23)),
];

/** c1 of home us waits; agent a1 of home eu is free. Both know the queue. */
export function waiting(): MeshBuilder {
  const mesh = new MeshBuilder();
  mesh.add('us', 'routing.us', 0, [routing.queue('q1')]);
  mesh.add('eu', 'routing.eu', 0, [routing.queue('q1'), routing.signedIn('a1')]);
  mesh.add('us', 'contact.c1', 0, contact.initiated('c1'));
  const queued = mesh.add('us', 'contact.c1', 2, contact.queued('c1'));
  const waits = routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2);
  mesh.add('us', 'routing.us', 2, [waits], { cause: queued });
  return mesh;
}

/** It rings at a1. */
export function ringingElsewhere(): { mesh: MeshBuilder; offered: RawEntry } {
  const mesh = waiting();
  const loan = mesh.add('us', 'routing.us', 3, [lent('eu')]);
  const offered = mesh.add('eu', 'routing.eu', 3, borrowed('c1-r1'), { cause: loan });
  mesh.add('us', 'contact.c1', 3, contact.offered('c1', 'c1-r1', 'a1', 23), { cause: offered });
  return { mesh, offered };
}

/** A1 of home eu serves c1 of home us; us is lost meanwhile and eu goes on for it. */
export function takenOver(): MeshBuilder {
  const { mesh } = ringingElsewhere();
  const ofA1 = (what: 'accepted' | 'wrapping' | 'completed'): Draft[] => [
    ofUs(routing.changed(what, 'c1-r1', 'c1', 'a1')),
  ];
  const accepted = mesh.add('eu', 'routing.eu', 5, ofA1('accepted'));
  mesh.add('us', 'contact.c1', 5, contact.connected('c1', 'c1-r1', 'a1', 3), { cause: accepted });
  const upTo = mesh.length('us');
  // What follows was not copied in time.
  const lost = mesh.add('us', 'contact.c1', 7, contact.held('c1'), { isOrphan: true });
  const now = { by: 'eu', epoch: 2 } as const;
  mesh.add('us', 'ownership.us', 12, [completed('us', 2, 'eu', [['us', upTo]])], {
    ...now,
    tenant: 'meridian',
  });
  const end = mesh.add('us', 'contact.c1', 15, contact.hungUp('c1', 'a1', 315), now);
  mesh.add('eu', 'routing.eu', 15, ofA1('wrapping'), { cause: end });
  const spent = { IVR: 2, QUEUED: 1, OFFERED: 2, CONNECTED: 10, WRAP_UP: 5 };
  const done = mesh.add('us', 'contact.c1', 20, contact.completed('c1', spent), now);
  const gone: Draft = {
    ...routing.withdrawn('c1'),
    data: { queueId: 'q1', reason: 'meridian.contact.completed.v1', lentTo: 'eu' },
  };
  mesh.add('us', 'routing.us', 20, [gone], { ...now, cause: done });
  mesh.add('eu', 'routing.eu', 20, ofA1('completed'), { cause: done });
  mesh.add('us', 'ownership.us', 30, [setAside(lost, 'us', 1)], { ...now, tenant: 'meridian' });
  return mesh;
}

/** The epoch that begins, after those of these owners up to these sequences. */
export function completed(
  home: string,
  epoch: number,
  owner: string,
  ended: readonly (readonly [owner: string, upTo: number])[],
  more: object = {},
): Draft {
  const seals = ended.map(([region, upTo], index) => ({ epoch: index + 1, owner: region, upTo }));
  const last = seals.at(-1);
  return {
    type: 'meridian.failover.completed.v1',
    subject: home,
    data: {
      home,
      epoch,
      owner,
      previousEpoch: last?.epoch,
      previousOwner: last?.owner,
      upTo: last?.upTo,
      kind: 'UNPLANNED',
      seals,
      ...more,
    },
  };
}

export function setAside(
  { stream, sequence, subject }: RawEntry,
  home: string,
  epoch: number,
): Draft {
  const [, region = ''] = subject.split('.');
  return {
    type: 'meridian.orphan.set_aside.v1',
    subject: `${stream}-${sequence}`,
    data: {
      entry: { home, epoch, region, stream, sequence, aggregate: 'demo.contact.c1', types: [] },
      code: 'SUPERSEDED',
      reason: 'the contact went on',
    },
  };
}

export type Streams = ReadonlyMap<string, readonly RawEntry[]>;

export function checkStreams(streams: Streams): Promise<LogCheckResult> {
  return checkMesh(sourcesOf(streams));
}

/** The rules that were broken, each with where and what. */
export async function foundIn(streams: Streams) {
  const { violations } = await checkStreams(streams);
  return violations.map(({ rule, aggregate, sequence, expected, found }) => ({
    rule,
    at: `${aggregate.split('.')[1]} ${sequence}`,
    expected,
    found,
  }));
}
