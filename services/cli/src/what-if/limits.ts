import type { Changes } from './config.ts';
import type { RecordedDay } from './day.ts';
import type { Habits } from './habits.ts';
import type { Run } from './job.ts';

/** What was run, as far as it limits what can be said. */
export interface Ran {
  readonly day: RecordedDay;
  readonly changes: Changes | undefined;
  readonly changed: RecordedDay | undefined;
  readonly habits: Habits;
  readonly runs: readonly Run[];
}

const count = (value: number): string => Math.round(value).toLocaleString('en');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const many = (value: number, noun: string): string =>
  `${count(value)} ${noun}${Math.round(value) === 1 ? '' : 's'}`;

function mean(runs: readonly Run[], of: (run: Run) => number): number {
  return runs.length === 0 ? 0 : runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
}

/** What the comparison assumes and cannot know: the sentences that apply, the weightiest first. */
export function limitsOf(ran: Ran): string[] {
  const last = ran.runs.filter(({ day }) => day === (ran.changed === undefined ? 0 : 1));
  return [
    'Customers come when they came: nobody calls more or less often because the waits are others, ' +
      'and nobody who gave up calls again.',
    ...patience(ran, last),
    ...work(last),
    ...agents(ran, last),
    ...ofSettings(ran),
    ...ofMesh(ran.day),
    ...ofRecord(ran.day),
    ...ofIntervals(ran, last),
  ];
}

function patience({ day, habits }: Ran, last: readonly Run[]): string[] {
  const gaveUp = day.contacts.filter(({ outcome }) => outcome === 'ABANDONED').length;
  const others = day.contacts.length - gaveUp;
  if (gaveUp === 0) {
    return [
      'Nobody gave up in the record, so nothing is known of patience: nobody gives up here, however ' +
        'long the wait becomes.',
    ];
  }
  const own = habits.ownCurves;
  const curves =
    own.length === 0
      ? 'one curve serves all queues'
      : `of their own queue where 30 or more gave up in it (${own.join(', ')}), else of the whole day`;
  return [
    `${many(gaveUp, 'contact')} gave up in the record: that is their patience. That of the other ` +
      `${count(others)} is not known, only that it was longer than their wait: it is drawn in each run ` +
      `from the product-limit estimate beyond that wait (${curves}), independently of everything ` +
      `else. A mean run has ${count(mean(last, ({ drawn }) => drawn.gaveUp))} of them give up.`,
  ];
}

function work(last: readonly Run[]): string[] {
  const drawn = mean(last, ({ handlingsDrawn }) => handlingsDrawn);
  return [
    'A contact takes as long as it took, whoever serves it: that some agents are quicker is not modelled.' +
      (drawn < 0.5
        ? ''
        : ` ${many(drawn, 'contact')} of a mean run ${Math.round(drawn) === 1 ? 'was' : 'were'} not ` +
          'served in the record: their talk and wrap-up are drawn from those of the same queue.'),
  ];
}

function agents({ changed }: Ran, last: readonly Run[]): string[] {
  const drawn = mean(last, ({ reactionsDrawn }) => reactionsDrawn);
  const offers = mean(last, (run) => run.offers);
  const sentences = [
    'Agents sign in, take breaks and leave when they did, and work no faster or slower for it. The same ' +
      'offer is answered as it was' +
      (drawn < 0.5
        ? '.'
        : `; of ${many(offers, 'offer')} in a mean run ${count(drawn)} (${percent(drawn / offers)}) go to ` +
          'another agent or are further ones: these are answered as quickly or slowly, among that ' +
          "agent's own answers of the day, as the recorded one was, and drawn from them where there was none."),
  ];
  const added = changed?.agents.filter(({ like }) => like !== undefined) ?? [];
  if (added.length > 0) {
    const models = [...new Set(added.map(({ like = '' }) => like))].toSorted();
    sentences.push(
      `${many(added.length, 'agent')} added: answering, and being away after an offer that rang out, is ` +
        `drawn from ${models.slice(0, 6).join(', ')}${models.length > 6 ? ', ...' : ''}.`,
    );
  }
  return sentences;
}

function ofSettings({ day, changes }: Ran): string[] {
  const times = Object.values(changes?.queues ?? {}).flatMap(({ offerTtlMs }) => offerTtlMs ?? []);
  const sentences: string[] = [];
  if (times.length > 0) {
    sentences.push(
      'With another time to ring: an answer that would come after it is too late, and that agent is away ' +
        'for 30 s; who let an offer ring out in the record would not have answered a longer one either.',
    );
  }
  if (day.notes.pinned > 0) {
    sentences.push(
      `${many(day.notes.pinned, 'contact')} of an import ask for a skill that only one agent has: history ` +
        'repeats itself, and nothing is decided. To ask what another routing would have done, drop ' +
        'these skills: { "contacts": { "dropSkills": ["agent-*"] } }.',
    );
  }
  return sentences;
}

function ofMesh({ homes, notes }: RecordedDay): string[] {
  const sentences: string[] = [];
  if (homes.length > 1) {
    sentences.push(
      `Homes ${homes.join(', ')} hear of each other at once here; over real links loans and answers take ` +
        `the links' delay (${many(notes.lent, 'contact')} ${notes.lent === 1 ? 'was' : 'were'} lent in the record).`,
    );
  }
  if (notes.failovers > 0) {
    sentences.push(
      `The record has ${many(notes.failovers, 'failover')}; here nothing fails, and nobody waits for one.`,
    );
  }
  if (notes.orphans > 0) {
    sentences.push(
      `${count(notes.orphans)} of the log's entries lie beyond a seal and are left out.`,
    );
  }
  return sentences;
}

function ofRecord({ contacts, notes, fromMs, toMs }: RecordedDay): string[] {
  const sentences: string[] = [];
  const open = contacts.filter(({ outcome }) => outcome === 'OPEN').length;
  const unfinished = contacts.filter(
    ({ outcome, handling }) => outcome === 'ANSWERED' && handling === undefined,
  ).length;
  const around = contacts.filter(
    ({ queuedAtMs }) => queuedAtMs < fromMs || queuedAtMs >= toMs,
  ).length;
  if (open + unfinished > 0) {
    sentences.push(
      `The record does not say how ${many(open, 'wait')} and ${many(unfinished, 'conversation')} ended: ` +
        'patience and work of these are drawn.',
    );
  }
  if (around > 0) {
    sentences.push(
      `${many(around, 'contact')} before or after the time chosen are acted out, because they were ` +
        'there then, and not counted.',
    );
  }
  if (notes.leftBeforeQueue > 0) {
    sentences.push(
      `${many(notes.leftBeforeQueue, 'contact')} ended before joining a queue and are not acted out.`,
    );
  }
  return sentences;
}

function ofIntervals({ changed }: Ran, last: readonly Run[]): string[] {
  const day =
    'This is one day as it came about. Another day differs from it by more than any interval here says.';
  if (changed === undefined) return [day];
  if (last.length < 2) return [`${day} One run gives no interval: ask for more with --runs.`];
  return [
    `The intervals come from ${count(last.length)} pairs of runs with the same draws: they say how much the ` +
      `draws matter, and nothing else. ${day}`,
    'A difference that is not well beyond what the simulator is off the record by means nothing.',
  ];
}
