import { timeOfDay } from '../render/duration.ts';
import { table } from '../render/table.ts';
import type { ContactRow, Floor } from './floor.ts';

/** What became of one contact, agent or queue between two moments. */
export interface Change {
  readonly id: string;
  /** `began` and `ended` of contacts; `appeared` and `gone` of agents and queues. */
  readonly change: 'began' | 'ended' | 'began and ended' | 'changed' | 'appeared' | 'gone';
  /** The fields that differ, each with what it was and what it is; null where there was no row. */
  readonly fields: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

export interface FloorDiff {
  readonly from: Pick<Floor, 'moment' | 'at' | 'places'>;
  readonly to: Pick<Floor, 'moment' | 'at' | 'places'>;
  readonly contacts: readonly Change[];
  readonly agents: readonly Change[];
  readonly queues: readonly Change[];
}

type Row = Readonly<Record<string, unknown>> & { readonly id: string };

/** What changes with every event, and what follows from other fields. */
const notCompared = new Set(['id', 'lastStream', 'lastSequence', 'revision', 'channels', 'homes']);

/**
 * What changed from one moment to another.
 * @param before every contact that was living then
 * @param after every contact that is living, and those that began or ended since
 */
export function diffFloors(before: Floor, after: Floor): FloorDiff {
  const head = ({ moment, at, places }: Floor): FloorDiff['from'] => ({ moment, at, places });
  return {
    from: head(before),
    to: head(after),
    contacts: changesOf(before.contacts, after.contacts, contactChange),
    agents: changesOf(before.agents, after.agents, rowChange),
    queues: changesOf(before.queues, after.queues, rowChange),
  };
}

type Naming = (before: unknown, after: unknown) => Change['change'];

const isOver = (row: unknown): boolean =>
  ((row as ContactRow | undefined)?.endedAt ?? null) !== null;

const contactChange: Naming = (before, after) => {
  const ended = isOver(after) && !isOver(before);
  if (before === undefined) return ended ? 'began and ended' : 'began';
  return ended ? 'ended' : 'changed';
};

const rowChange: Naming = (before, after) =>
  before === undefined ? 'appeared' : after === undefined ? 'gone' : 'changed';

function changesOf(before: readonly object[], after: readonly object[], name: Naming): Change[] {
  const was = new Map((before as Row[]).map((row) => [row.id, row]));
  const is = new Map((after as Row[]).map((row) => [row.id, row]));
  const ids = [...new Set([...was.keys(), ...is.keys()])].toSorted();
  return ids.flatMap((id): Change[] => {
    const [one, other] = [was.get(id), is.get(id)];
    const fields = fieldsOf(one, other);
    if (Object.keys(fields).length === 0) return [];
    return [{ id, change: name(one, other), fields }];
  });
}

function fieldsOf(before: Row | undefined, after: Row | undefined): Change['fields'] {
  const [was, is] = [flat(before), flat(after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return Object.fromEntries(
    names
      .map((name) => [name, [was[name] ?? null, is[name] ?? null]] as const)
      .filter(([, [one, other]]) => JSON.stringify(one) !== JSON.stringify(other)),
  );
}

/** The fields of a row; those of its totals by their own names. */
function flat(row: Row | undefined): Record<string, unknown> {
  const fields = Object.entries(row ?? {}).flatMap(([name, value]) =>
    name === 'totals' ? Object.entries(value as object) : [[name, value] as const],
  );
  return Object.fromEntries(fields.filter(([name]) => !notCompared.has(name)));
}

/** Fields that a table has no room for: they are in the JSON. */
const notShown = new Set([
  'home',
  'method',
  'channel',
  'reservationId',
  'initiatedAt',
  'queuedAt',
  'connectedAt',
  'endedAt',
  'presenceSince',
  'signedInAt',
  'sessionId',
  'idleSince',
  'settings',
  'capacities',
  'sumWaitMs',
  'serviceLevel',
  'averageSpeedOfAnswerMs',
]);

/** The changes for people: a table for contacts, agents and queues each. */
export function renderDiff(diff: FloorDiff): string {
  const { from, to } = diff;
  const parts = (['contacts', 'agents', 'queues'] as const).map((model) => {
    const rows = diff[model].map((one) => [one.id, one.change, changesText(one)]);
    if (rows.length === 0) return `No ${model} changed.\n`;
    const noun = model.slice(0, -1);
    return table([{ heading: noun }, { heading: 'what' }, { heading: 'from and to' }], rows);
  });
  return `From ${from.at ?? from.moment} to ${to.at ?? to.moment}\n\n${parts.join('\n')}`;
}

/** The fields that matter most; all of them where only others differ. */
function changesText({ change, fields }: Change): string {
  const isNew = change.startsWith('began') || change === 'appeared';
  const all = Object.entries(fields).filter(([, [one, other]]) => shown(one) !== shown(other));
  const chosen = all.filter(([name]) => !notShown.has(name));
  return (chosen.length === 0 ? all : chosen)
    .map(([name, [before, after]]) =>
      isNew ? `${name} ${shown(after)}` : `${name} ${shown(before)} -> ${shown(after)}`,
    )
    .join(', ');
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) {
    return value.length === 0 ? '-' : value.map((one) => nameOf(one as object)).join('+');
  }
  if (typeof value === 'object') {
    const text = JSON.stringify(value);
    return text === '{}' ? '-' : text;
  }
  const plain = typeof value === 'string' ? value : JSON.stringify(value);
  return /^\d{4}-\d\d-\d\dT/.test(plain) ? timeOfDay(plain) : plain;
}

/** A reservation by its contact, a skill by its name. */
function nameOf(one: object): string {
  const { contactId, stage, skill, level } = one as Readonly<Record<string, string | undefined>>;
  if (contactId !== undefined) return `${contactId} ${(stage ?? '').toLowerCase()}`;
  return skill === undefined ? JSON.stringify(one) : `${skill} ${level}`;
}
