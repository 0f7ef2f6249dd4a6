import { describe, expect, it } from '@jest/globals';
import { dayLog } from '../../test/day-log.ts';
import { at } from '../../test/log-builder.ts';
import {
  expectedRows,
  LogCheck,
  readEvents,
  World,
  type ReadModel,
  type Row,
  type Snapshot,
} from './index.ts';

const entries = dayLog('compare', 12);

function worldUpTo(position: number): World {
  const world = new World({ keepEnded: true });
  for (const entry of entries.slice(0, position)) {
    for (const event of readEvents(entry)) world.apply(event, entry.sequence);
  }
  return world;
}

const rowsAt = (model: ReadModel, position: number): Row[] => [
  ...expectedRows(worldUpTo(position), model, 'demo').values(),
];

const snapshot = (
  model: ReadModel,
  position: number,
  rows = rowsAt(model, position),
): Snapshot => ({ model, tenant: 'demo', position, rows, complete: true });

function compare(snapshots: readonly Snapshot[]) {
  const check = new LogCheck({ keepEnded: true, snapshots });
  for (const entry of entries) check.read(entry);
  return check.finish().violations.map(({ rule, sequence, aggregate, expected, found }) => ({
    rule,
    sequence,
    aggregate,
    expected,
    found,
  }));
}

describe('5: the read models', () => {
  it('are what folding the log up to their position gives, each at its own', () => {
    const half = Math.floor(entries.length / 2);
    expect(
      compare([
        snapshot('contacts', entries.length),
        snapshot('agents', half),
        snapshot('queues', 20),
        snapshot('contacts', half),
      ]),
    ).toEqual([]);
  });

  it('names the row, the field, what was expected and what was found', () => {
    const position = entries.length;
    const [first, ...rest] = rowsAt('contacts', position);
    expect(
      compare([
        snapshot('contacts', position, [{ ...first!, state: 'HELD', note: 'not judged' }, ...rest]),
      ]),
    ).toEqual([
      {
        rule: 'read-model',
        sequence: position,
        aggregate: `/v1/contacts/${String(first!['id'])}`,
        expected: `state: "${String(first!['state'])}"`,
        found: '"HELD"',
      },
    ]);
  });

  it('finds a row too few, a row too many, and a position that the log has not reached', () => {
    const position = entries.length;
    const [first, ...rest] = rowsAt('agents', position);
    expect(
      compare([
        snapshot('agents', position, [...rest, { id: 'ghost' }]),
        snapshot('queues', position + 1, []),
      ]),
    ).toEqual([
      {
        rule: 'read-model',
        sequence: position,
        aggregate: '/v1/agents/ghost',
        expected: 'none',
        found: 'a row',
      },
      {
        rule: 'read-model',
        sequence: position,
        aggregate: `/v1/agents/${String(first!['id'])}`,
        expected: 'a row',
        found: 'none',
      },
      {
        rule: 'read-model',
        sequence: position + 1,
        aggregate: '/v1/queues',
        expected: `a position up to ${position}`,
        found: String(position + 1),
      },
    ]);
  });

  it('are folded as the contract says', () => {
    const [queue] = rowsAt('queues', entries.length);
    const contacts = rowsAt('contacts', entries.length);
    const answered = contacts.filter((row) => row['connectedAt'] !== null);
    const abandoned = contacts.filter((row) => row['state'] === 'ABANDONED');
    expect(contacts).toHaveLength(12);
    expect(abandoned.length).toBeGreaterThan(0);
    expect(queue).toMatchObject({
      id: 'q1',
      waiting: 0,
      longestWaitingSince: null,
      totals: {
        queued: 12,
        answered: answered.length,
        abandoned: abandoned.length,
        reaped: 0,
        sumWaitMs: answered.reduce((sum, row) => sum + (row['waitedMs'] as number), 0),
      },
    });
    expect(rowsAt('agents', 2)).toEqual(
      ['a1', 'a2'].map((id) => ({
        id,
        presence: 'AVAILABLE',
        reason: null,
        presenceSince: at(1),
        sessionId: `${id}-s1`,
        signedInAt: at(1),
        signingOut: false,
        idleSince: at(1),
        skills: [],
        capacities: [{ channel: 'VOICE', limit: 1 }],
        reservations: [],
        channels: [
          { channel: 'VOICE', state: 'IDLE', limit: 1, offered: 0, interacting: 0, wrapping: 0 },
        ],
      })),
    );
  });
});
