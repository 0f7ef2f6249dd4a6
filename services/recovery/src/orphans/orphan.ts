import { accept, type Decider, type Decision } from '@meridian/core';
import type { OrphanEntry, OrphanEvent } from '@meridian/wire';

/** What became of one cause of an orphan, as the home's history tells once its owner has read on. */
export type Finding =
  /** Events of the same aggregate that count came of the same cause. */
  | { readonly cause: string; readonly kind: 'DECIDED'; readonly types: readonly string[] }
  /** A request that the owner has read, and that led to nothing. */
  | { readonly cause: string; readonly kind: 'REFUSED' }
  /** A decision, a timer or a loan that is no part of the history, or led to nothing in it. */
  | { readonly cause: string; readonly kind: 'GONE' };

/** How far a home's orphans have been accounted for: stream to sequence. */
export type OrphanBook = Map<string, number>;

/** One entry beyond a seal, and what is known of its causes. */
export interface Settle {
  readonly type: 'settle';
  readonly subject: string;
  readonly entry: OrphanEntry;
  readonly findings: readonly Finding[];
}

const requestsOf = (findings: readonly Finding[]): string[] =>
  findings.map(({ cause }) => cause).filter((cause) => cause.includes('#'));

function decide(book: OrphanBook, { subject, entry, findings }: Settle): Decision<OrphanEvent> {
  if (entry.sequence <= (book.get(entry.stream) ?? 0)) return accept();
  const causes = requestsOf(findings);
  if (findings.every(({ kind }) => kind === 'DECIDED')) {
    const redecided = new Set(
      findings.flatMap((finding) => (finding.kind === 'DECIDED' ? finding.types : [])),
    );
    const isSame = entry.types.every((type) => redecided.has(type));
    if (isSame) {
      return accept<OrphanEvent>({
        type: 'meridian.orphan.adopted.v1',
        subject,
        data: { entry, adoption: 'REDECIDED', causes },
      });
    }
    return setAside(subject, entry, causes, 'DECIDED_OTHERWISE', [
      `What it came of was decided again, and led to ${[...redecided].join(', ')}.`,
    ]);
  }
  const reasons = findings.flatMap((finding) => reasonOf(finding));
  const code = findings.some(({ kind }) => kind === 'REFUSED') ? 'REFUSED_AGAIN' : 'SUPERSEDED';
  return setAside(subject, entry, causes, code, reasons);
}

function reasonOf({ cause, kind }: Finding): string[] {
  if (kind === 'REFUSED') return [`The request ${cause} was decided again and led to nothing.`];
  if (kind === 'GONE') return [`${cause} led to nothing in the history that counts.`];
  return [];
}

/** How long a reason is at most, as the contract says. */
const reasonLimit = 1_000;

function setAside(
  subject: string,
  entry: OrphanEntry,
  causes: readonly string[],
  code: string,
  reasons: readonly string[],
): Decision<OrphanEvent> {
  return accept<OrphanEvent>({
    type: 'meridian.orphan.set_aside.v1',
    subject,
    data: { entry, code, reason: reasons.join(' ').slice(0, reasonLimit), causes },
  });
}

/**
 * Accounts for what was decided beyond a seal. Everything that leads to decisions is read again by
 * the home's new owner, so an orphan is either decided again, and adopted by that, or set aside
 * with the reason why it was not. Orphans of one stream come in order; each is settled once.
 */
export const orphanDecider: Decider<OrphanBook, OrphanEvent, Settle> = {
  initial: () => new Map(),
  evolve(book, event) {
    const { stream, sequence } = event.data.entry;
    return book.set(stream, Math.max(sequence, book.get(stream) ?? 0));
  },
  decide,
};
