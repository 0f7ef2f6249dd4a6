import { accept, reject, type Decider, type Rejection } from '@meridian/core';
import { journalOf, type DomainEvent, type Journal, type Log } from '@meridian/journal';

/** The least aggregate that shows what a writer does: it adds up, twice over when asked twice. */
export interface Tally {
  sum: number;
  readonly parts: number[];
}

export interface Added extends DomainEvent {
  readonly data: { readonly attributes: { readonly amount: string; readonly note?: string } };
}

export type TallyCommand =
  | {
      readonly type: 'begin' | 'add';
      readonly subject: string;
      readonly amount: number;
      readonly note?: string;
    }
  /** Adds only to a sum that is even. */
  | { readonly type: 'addToEven'; readonly subject: string; readonly amount: number }
  | { readonly type: 'fail'; readonly subject: string }
  | { readonly type: 'nothing'; readonly subject: string };

/** From this sum on a tally is over. */
export const overFrom = 1_000;

export const tallyDecider: Decider<Tally, Added, TallyCommand, Rejection> = {
  initial: () => ({ sum: 0, parts: [] }),
  evolve(state, event) {
    const amount = Number(event.data.attributes.amount);
    return { sum: state.sum + amount, parts: [...state.parts, amount] };
  },
  decide(state, command) {
    if (command.type === 'fail') throw new Error('The decider is broken.');
    if (command.type === 'nothing') return accept();
    if (command.type === 'addToEven' && state.sum % 2 !== 0) {
      return reject({ code: 'ODD', facts: { sum: state.sum } });
    }
    const note = 'note' in command && command.note !== undefined ? { note: command.note } : {};
    return accept<Added>({
      type: 'meridian.contact.attributes_updated.v1',
      subject: command.subject,
      data: { attributes: { amount: `${command.amount}`, ...note } },
    });
  },
};

export const aggregate = { tenant: 'demo', entity: 'contact', id: 't1' };

export const writerJournal = (log: Log, service = 'test'): Journal =>
  journalOf(log, { region: 'eu', home: 'eu', service, epoch: 1 });

/** The amounts of each entry of a tally, as stored. */
export async function storedAmounts(log: Log, id = aggregate.id): Promise<number[][]> {
  const { entries } = await writerJournal(log).load({ ...aggregate, id });
  return entries.map(({ events }) =>
    events.map((event) => Number((event as unknown as Added).data.attributes.amount)),
  );
}
