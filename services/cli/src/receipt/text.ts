import type { Paint } from '../render/colour.ts';
import { formatDuration } from '../render/duration.ts';
import { table } from '../render/table.ts';
import { durabilities, type Lost, type Receipt, type Verdict } from './receipt.ts';

const count = (value: number): string => value.toLocaleString('en-US');

/** A receipt for people: what was done, what it cost, and which promises were kept. */
export function renderReceipt(receipt: Receipt, paint: Paint): string {
  const { exercise, id, startedAt, endedAt, seed, versions, passed } = receipt;
  const tookMs = Date.parse(endedAt) - Date.parse(startedAt);
  return [
    `${paint('bold', `Receipt of a drill: ${exercise}`)}\n`,
    `${id}, ${startedAt}, ${formatDuration(tookMs)}, seed ${seed}\n`,
    `meridian ${versions.meridian}, nats-server ${versions.natsServer}, node ${versions.node}\n\n`,
    renderActions(receipt),
    renderLoad(receipt),
    renderTimes(receipt),
    renderOwnership(receipt),
    renderFindings(receipt),
    renderVerdicts(receipt.verdicts, paint),
    `\n${passed ? paint('green', 'All promises were kept.') : paint('red', 'NOT all promises were kept.')}\n`,
  ].join('');
}

function renderActions({ actions }: Receipt): string {
  const rows = actions.map(({ atMs, what }) => [formatDuration(atMs), what]);
  return `${table([{ heading: 'after', isNumber: true }, { heading: 'what was done' }], rows)}\n`;
}

function renderLoad({ publishing, totals, parameters, missing, lost }: Receipt): string {
  const { acknowledged, retried, longestPauseMs } = publishing;
  const { ratePerSecond } = parameters;
  const rows = durabilities.map((durability) => [
    durability,
    count(acknowledged[durability]),
    count(missing.count[durability]),
    count(lost.count[durability]),
  ]);
  rows.push(['together', count(totals.acknowledged), count(totals.missing), count(totals.lost)]);
  const columns = ['acknowledged', 'missing while away', 'lost'].map((heading) => ({
    heading,
    isNumber: true,
  }));
  const pauses = Object.entries(longestPauseMs).map(
    ([region, ms]) => `${region} ${formatDuration(ms)}`,
  );
  return [
    table([{ heading: 'durability' }, ...columns], rows),
    renderRanges('missing while away', missing),
    renderRanges('lost', lost),
    `${totals.perSecond} requests/s acknowledged` +
      `${ratePerSecond === null ? '' : ` of ${ratePerSecond} asked for`}; ` +
      `${count(retried)} batches sent again\n`,
    `longest pause of a publisher: ${pauses.join(', ')}\n\n`,
  ].join('');
}

function renderRanges(name: string, { ranges, rangesLeftOut }: Lost): string {
  if (ranges.length === 0) return '';
  const shown = ranges
    .slice(0, 8)
    .map(({ durability, stream, from, to }) => `${stream}:${from}-${to} (${durability})`);
  const more = ranges.length - shown.length + rangesLeftOut;
  return `  ${name}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}\n`;
}

function renderTimes({ times, rpoMs, totals, parameters }: Receipt): string {
  if (parameters.kind === 'NONE') return '';
  const since = parameters.kind === 'PLANNED' ? 'the request' : 'the kill';
  const rows = [
    ['detected by another region', formatDuration(times.detectionMs)],
    ['taken over', formatDuration(times.takeoverMs)],
    ['first contact offered elsewhere (RTO)', formatDuration(times.firstOfferMs)],
    ['returned, all copies alike', formatDuration(times.returnMs)],
    ['RPO', `${formatDuration(rpoMs)}, ${count(totals.missing)} requests`],
  ];
  return `${table([{ heading: `after ${since}` }, { heading: '', isNumber: true }], rows)}\n`;
}

function renderOwnership({ ownership }: Receipt): string {
  const rows = Object.entries(ownership).map(([home, epochs]) => [
    home,
    epochs
      .map(({ epoch, owner, upTo }) => `${epoch} ${owner}${upTo === null ? '' : ` up to ${upTo}`}`)
      .join(', '),
  ]);
  return `${table([{ heading: 'home' }, { heading: 'epochs' }], rows)}\n`;
}

function renderFindings({ orphans, check, doubleAssignments }: Receipt): string {
  const { entries, events, contacts, reservations, violations, copiesThatDiffer } = check;
  const broken = Object.entries(violations).map(([rule, times]) => `${rule} ${times}`);
  return [
    `orphans: ${orphans.found} found, ${orphans.adopted} adopted, ${orphans.setAside} set aside\n`,
    `checked: ${count(entries)} entries, ${count(events)} events, ${count(contacts)} contacts, ` +
      `${count(reservations)} reservations; double assignments: ${doubleAssignments}\n`,
    broken.length === 0 ? '' : `violations: ${broken.join(', ')}\n`,
    copiesThatDiffer.length === 0 ? '' : `copies that differ: ${copiesThatDiffer.join(', ')}\n`,
    '\n',
  ].join('');
}

function renderVerdicts(verdicts: readonly Verdict[], paint: Paint): string {
  return table(
    [
      { heading: '' },
      { heading: 'promise' },
      { heading: 'measured', isNumber: true },
      { heading: '' },
      { heading: 'limit', isNumber: true },
      { heading: 'unit' },
    ],
    verdicts.map(({ kept, promise, measured, bound, limit, unit }) => [
      kept ? paint('green', 'kept') : paint('red', 'BROKEN'),
      promise,
      measured === null ? 'not measured' : count(measured),
      bound,
      count(limit),
      unit,
    ]),
  );
}
