import type { OrphanEvent } from '@meridian/wire';

/** An entry of a sealed epoch beyond its seal, and what is known of what caused it. */
export interface Orphan {
  readonly home: string;
  readonly epoch: number;
  readonly region: string;
  readonly stream: string;
  readonly sequence: number;
  readonly tenant: string;
  readonly entity: string;
  readonly id: string;
  /** The types of its events, in order, each once. */
  readonly types: readonly string[];
  /** What caused its events, each once. */
  readonly causes: readonly string[];
}

/** What became of a cause under the new owner. */
export type CauseFate =
  /** An entry that counts names it: it was decided again. */
  | 'decided'
  /** It is a request in an intake, or an event that counts: the new owner reads it. */
  | 'readable'
  /** It is an event that does not count itself. */
  | 'orphan'
  /** A timer: whoever folds the log fires it again. */
  | 'timer'
  | 'unknown';

/** The name of an orphan: the subject of the event that accounts for it. */
export const orphanName = ({ stream, sequence }: Pick<Orphan, 'stream' | 'sequence'>): string =>
  `${stream}-${sequence}`;

/** The aggregate that accounts for the orphans of one epoch of a home. */
export const orphanAggregate = ({ home, epoch }: Pick<Orphan, 'home' | 'epoch'>) => ({
  entity: 'orphan',
  id: `${home}-${epoch}`,
});

/**
 * What becomes of an orphan. It is adopted when all that caused it is decided again by the new owner, or
 * will be; otherwise it is set aside, and the reason says what was found.
 */
export function accountFor(orphan: Orphan, fates: ReadonlyMap<string, CauseFate>): OrphanEvent {
  const { home, epoch, region, stream, sequence, tenant, entity, id, types, causes } = orphan;
  const entry = {
    home,
    epoch,
    region,
    stream,
    sequence,
    aggregate: `${tenant}.${entity}.${id}`,
    types,
  };
  const found = causes.map((cause) => fates.get(cause) ?? 'unknown');
  const subject = orphanName(orphan);
  const isOfMesh = tenant === 'meridian';
  if (
    !isOfMesh &&
    found.length > 0 &&
    found.every((fate) => fate === 'decided' || fate === 'readable')
  ) {
    const adoption = found.every((fate) => fate === 'decided') ? 'REDECIDED' : 'WAITING';
    return {
      type: 'meridian.orphan.adopted.v1',
      subject,
      data: { entry, adoption, causes },
    };
  }
  return {
    type: 'meridian.orphan.set_aside.v1',
    subject,
    data: { entry, ...whyNot(isOfMesh, found), causes },
  };
}

function whyNot(
  isOfMesh: boolean,
  found: readonly CauseFate[],
): { readonly code: string; readonly reason: string } {
  if (isOfMesh) {
    return {
      code: 'OF_THE_MESH',
      reason:
        'What the lost owner remembered of the mesh itself; the new owner keeps its own records.',
    };
  }
  if (found.includes('timer')) {
    return {
      code: 'TIMER',
      reason: 'A timer of the lost owner fired; what is due is fired again by the new one.',
    };
  }
  if (found.includes('orphan')) {
    return {
      code: 'FOLLOWS_AN_ORPHAN',
      reason: 'It follows from an entry that does not count, and so does not count either.',
    };
  }
  return {
    code: 'CAUSE_UNKNOWN',
    reason: 'What caused it is in no stream that this region holds: it cannot be decided again.',
  };
}
