import { rules, type CopiesResult, type LogCheckResult, type RuleName } from '../check/index.ts';
import type { Paint } from './colour.ts';
import { table } from './table.ts';

/** The result for people: what was read, each rule that was broken, and where. */
export function renderCheck(result: LogCheckResult, paint: Paint): string {
  const { entries, events, contacts, reservations, living, violations, violationCount } = result;
  const count = (value: number): string => value.toLocaleString('en');
  const read =
    `${count(entries)} entries (${rangesOf(result)}), ${count(events)} events, ` +
    `${count(contacts)} contacts, ${count(reservations)} reservations; ` +
    `still open: ${count(living.contacts)} contacts, ${count(living.reservations)} reservations.\n` +
    (result.intakeChecked
      ? ''
      : 'The intake was not read: causes from outside were not looked for.\n') +
    renderOrphans(result.orphans);
  if (result.ok) return `${read}${paint('green', 'Every invariant holds.')}\n`;
  const counts = Object.entries(result.counts).map(([rule, number]) => [
    String(rules[rule as RuleName][0]),
    rule,
    count(number),
    rules[rule as RuleName][1],
  ]);
  const more = violationCount - violations.length;
  return [
    read,
    `${paint('red', `${count(violationCount)} violations.`)}\n\n`,
    table(
      [
        { heading: 'invariant' },
        { heading: 'rule' },
        { heading: 'count', isNumber: true },
        { heading: '' },
      ],
      counts,
    ),
    '\n',
    table(
      [
        { heading: 'place', isNumber: true },
        { heading: 'rule' },
        { heading: 'aggregate' },
        { heading: 'expected' },
        { heading: 'found' },
      ],
      violations.map(({ sequence, index, rule, aggregate, expected, found }) => [
        `${sequence}.${index}`,
        rule,
        aggregate,
        expected,
        found,
      ]),
    ),
    more > 0 ? `and ${count(more)} more\n` : '',
  ].join('');
}

/** From where to where was read; with its name where there are several streams. */
function rangesOf({ streams, firstSequence, lastSequence }: LogCheckResult): string {
  const ranges = Object.entries(streams);
  if (ranges.length < 2) return `${firstSequence} to ${lastSequence}`;
  return ranges.map(([stream, [from, to]]) => `${stream} ${from} to ${to}`).join(', ');
}

/** What does not count, and what became of it. */
function renderOrphans(orphans: LogCheckResult['orphans']): string {
  if (orphans.length === 0) return '';
  const rows = orphans.map(({ stream, sequence, home, epoch, subject, outcome }) => [
    `${stream} ${sequence}`,
    home,
    String(epoch),
    subject,
    outcome === undefined ? 'unaccounted for' : outcome.replace('_', ' '),
  ]);
  return `\n${table(
    [
      { heading: 'orphan' },
      { heading: 'home' },
      { heading: 'epoch', isNumber: true },
      { heading: 'aggregate' },
      { heading: 'outcome' },
    ],
    rows,
  )}\n`;
}

/** The copies of each stream for people. */
export function renderCopies(results: readonly CopiesResult[], paint: Paint): string {
  const rows = results.map(({ stream, compared, behind, violations }) => [
    stream,
    compared.toLocaleString('en'),
    Object.entries(behind)
      .filter(([, count]) => count > 0)
      .map(([region, count]) => `${region} ${count.toLocaleString('en')}`)
      .join(', '),
    violations.length === 0 ? paint('green', 'equal') : paint('red', `${violations.length} differ`),
  ]);
  const columns = [
    { heading: 'stream' },
    { heading: 'compared', isNumber: true as const },
    { heading: 'behind' },
    { heading: 'copies' },
  ];
  const differing = results.flatMap(({ violations }) => violations);
  const lines = differing.map((one) => `${one.sequence}: ${one.expected}; ${one.found}\n`);
  return `\n${table(columns, rows)}${lines.join('')}`;
}
