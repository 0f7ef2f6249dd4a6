import { formatDuration, formatShare } from '../render/duration.ts';
import { table, type Column } from '../render/table.ts';
import type { Paint } from '../render/colour.ts';
import {
  metrics,
  type Compared,
  type ComparedFigures,
  type Comparison,
  type Unit,
} from './compare.ts';
import type { RecordedDay } from './day.ts';
import type { Run } from './job.ts';

/** All that there is to show. */
export interface Answer {
  readonly day: RecordedDay;
  readonly comparison: Comparison;
  readonly runs: readonly Run[];
  readonly seed: string;
  /** By queue, ms. */
  readonly serviceLevelMs: Readonly<Record<string, number>>;
  readonly limits: readonly string[];
  readonly isChanged: boolean;
}

const shown = (value: number | null | undefined, unit: Unit): string => {
  if (value === null || value === undefined) return '-';
  if (unit === 'share') return formatShare(value);
  if (unit === 'span') return formatDuration(value);
  return value.toLocaleString('en', { maximumFractionDigits: 1 });
};

/** A difference: shares in points. */
function signed(value: number, unit: Unit): string {
  const size = Math.abs(value);
  const text = unit === 'share' ? (size * 100).toFixed(1) : shown(size, unit);
  const sign = /^[0. ms]*$/.test(text) ? '' : value > 0 ? '+' : '-';
  return `${sign}${text}`;
}

function differenceText({ difference }: Compared, unit: Unit): string {
  if (difference === null) return '-';
  const { mean, halfWidth } = difference;
  const points = unit === 'share' ? ' points' : '';
  if (halfWidth === null) return `${signed(mean, unit)}${points}`;
  const [low, high] = [mean - halfWidth, mean + halfWidth];
  return `${signed(mean, unit)}  (${signed(low, unit)} to ${signed(high, unit)})${points}`;
}

const right = (heading: string): Column => ({ heading, isNumber: true });

function calibrationTable({ all }: Comparison): string {
  const rows = metrics.map(({ name, label, unit }) => {
    const { recorded, again } = all[name];
    const off = recorded === null || again === null ? '-' : signed(again.mean - recorded, unit);
    const points = unit === 'share' && off !== '-' ? ' points' : '';
    return [label, shown(recorded, unit), shown(again?.mean, unit), `${off}${points}`];
  });
  return table([{ heading: '' }, right('recorded'), right('run again'), right('off by')], rows);
}

function changeTable({ all }: Comparison): string {
  const rows = metrics.map(({ name, label, unit }) => {
    const one = all[name];
    return [
      label,
      shown(one.again?.mean, unit),
      shown(one.changed?.mean, unit),
      differenceText(one, unit),
    ];
  });
  return table(
    [{ heading: '' }, right('as it was'), right('changed'), { heading: 'difference (95 %)' }],
    rows,
  );
}

const queueMetrics = ['serviceLevel', 'asaMs', 'abandonment', 'longestWaitMs'] as const;

function queueTable({ queues }: Comparison): string {
  const rows = Object.entries(queues).flatMap(([id, figures]: [string, ComparedFigures]) =>
    queueMetrics.map((name, index) => {
      const metric = metrics.find((one) => one.name === name);
      const { label = '', unit = 'count' } = metric ?? {};
      const one = figures[name];
      return [
        index === 0 ? id : '',
        label,
        shown(one.again?.mean, unit),
        shown(one.changed?.mean, unit),
        differenceText(one, unit),
      ];
    }),
  );
  return table(
    [
      { heading: 'queue' },
      { heading: '' },
      right('as it was'),
      right('changed'),
      { heading: 'difference (95 %)' },
    ],
    rows,
  );
}

function serviceLevelText(serviceLevelMs: Answer['serviceLevelMs']): string {
  const seconds = [...Map.groupBy(Object.entries(serviceLevelMs), ([, ms]) => ms)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  const texts = seconds.map(([ms, queues], index) =>
    index === 0
      ? `${formatDuration(ms)} of joining`
      : `${formatDuration(ms)} in ${queues.map(([id]) => id).join(', ')}`,
  );
  return (
    `Service level: answered within ${texts.join(', ')}, of answered and abandoned, in every column. ` +
    'ASA: mean wait of the answered. Occupancy: time with a contact, of time signed in.'
  );
}

function likeRecordText(runs: readonly Run[]): string {
  const again = runs.filter(({ day }) => day === 0);
  const sum = (of: (run: Run) => number): number => again.reduce((all, run) => all + of(run), 0);
  const answered = sum(({ likeRecord }) => likeRecord.answered);
  if (answered === 0) return 'Nobody was answered in the record.';
  const agent = formatShare(sum(({ likeRecord }) => likeRecord.sameAgent) / answered);
  const wait = formatShare(sum(({ likeRecord }) => likeRecord.sameWait) / answered);
  return (
    `Of those who were answered, ${agent} are answered by the same agent again, and ${wait} after the same ` +
    'wait to the second.'
  );
}

const dated = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

/** The whole answer as text. */
export function render(answer: Answer, paint: Paint): string {
  const { day, comparison, runs, isChanged, limits } = answer;
  const contacts = comparison.all.answered.recorded === null ? 0 : joined(day);
  const perDay = runs.filter((run) => run.day === 0).length;
  const head =
    `${day.tenant}, ${dated(day.fromMs)} to ${dated(day.toMs)}: ${contacts.toLocaleString('en')} contacts ` +
    `in ${Object.keys(comparison.queues).length} queues, ${day.agents.length} agents. ` +
    `${perDay} ${perDay === 1 ? 'run' : 'runs'} of each configuration, seed ${answer.seed}.`;
  const change = isChanged
    ? [
        `\n${paint('bold', 'What changes')}, means of ${perDay}\n${changeTable(comparison)}`,
        `\n${queueTable(comparison)}`,
      ]
    : [];
  return [
    `${head}\n${serviceLevelText(answer.serviceLevelMs)}\n`,
    `\n${paint('bold', 'How far the simulator is from the record')}: the recorded configuration, run again\n`,
    calibrationTable(comparison),
    `${likeRecordText(runs)}\n`,
    ...change,
    `\n${paint('bold', 'What this does not know')}\n`,
    ...limits.map((sentence) => `- ${sentence}\n`),
  ].join('');
}

/** The contacts that are counted. */
export function joined({ contacts, fromMs, toMs }: RecordedDay): number {
  return contacts.filter(({ queuedAtMs }) => queuedAtMs >= fromMs && queuedAtMs < toMs).length;
}
