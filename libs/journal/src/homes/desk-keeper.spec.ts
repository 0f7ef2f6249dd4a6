import { afterEach, describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { eventually } from '@meridian/testing';
import { decodeEntry } from '@meridian/wire';
import { meshLog } from '../../test/mesh-log.ts';
import {
  aggregate,
  tallyDecider,
  type Added,
  type Tally,
  type TallyCommand,
} from '../../test/tally.ts';
import {
  CommitLoop,
  type Journal,
  type LogMessage,
  type MemoryLog,
  type Positions,
} from '../index.ts';
import { DeskKeeper, type Desk, type DeskState, type Grants } from './desk-keeper.ts';
import { Ledger } from './ledger.ts';

/** A desk of one tally. */
class TallyDesk implements Desk {
  readonly loop: CommitLoop<Tally, Added, TallyCommand>;

  constructor(journal: Journal) {
    this.loop = new CommitLoop<Tally, Added, TallyCommand>({
      journal,
      decider: tallyDecider,
      aggregate,
      context: () => ({ now: 1_000, random: seeded(1) }),
      wait: () => new Promise((resolve) => setImmediate(resolve)),
    });
  }

  absorb(message: LogMessage): void {
    this.loop.absorb(message);
  }

  ready(): void {
    this.loop.openAbsorbed();
  }

  add(sequence: number, source = 'IN_eu') {
    return this.loop.submit({
      command: { type: 'add', subject: 't1', amount: sequence },
      cause: { causationId: `/spec#${source}${sequence}` },
      from: { source, sequence },
    });
  }
}

class Granted implements Grants {
  readonly #granted = new Map<string, number>();
  readonly #callbacks = new Set<() => void>();
  /** The grant is there, and has run out for the moment. */
  expired = false;

  holds(home: string): boolean {
    return this.#granted.has(home) && !this.expired;
  }

  grantOf(home: string): { readonly epoch: number } | undefined {
    const epoch = this.#granted.get(home);
    return epoch === undefined ? undefined : { epoch };
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  set(home: string, epoch: number | undefined): void {
    if (epoch === undefined) this.#granted.delete(home);
    else this.#granted.set(home, epoch);
    for (const callback of this.#callbacks) callback();
  }
}

interface Stage {
  readonly keeper: DeskKeeper<TallyDesk>;
  readonly ledger: Ledger;
  readonly grants: Granted;
  readonly states: DeskState[];
  readonly starts: Positions[];
  readonly settled: Record<string, number>;
  readonly failures: unknown[];
}

const stages: Stage[] = [];
afterEach(async () => {
  await Promise.all(stages.splice(0).map(({ keeper }) => keeper.close()));
});

function region(log: MemoryLog, name: string): Stage {
  const ledger = new Ledger();
  const grants = new Granted();
  const states: DeskState[] = [];
  const starts: Positions[] = [];
  const settled: Record<string, number> = {};
  const failures: unknown[] = [];
  const keeper = new DeskKeeper<TallyDesk>({
    log,
    ledger,
    grants,
    region: name,
    home: 'eu',
    service: 'test',
    own: ['*.contact.*'],
    create: (journal) => new TallyDesk(journal),
    open: (_desk, from) => {
      starts.push(from);
      return Promise.resolve({ settled: () => settled, close: () => Promise.resolve() });
    },
    onState: (state) => states.push(state),
    onFailure: (error) => failures.push(error),
    wait: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const stage = { keeper, ledger, grants, states, starts, settled, failures };
  stages.push(stage);
  return stage;
}

const moved = (upTo: number) => ({
  home: 'eu',
  epoch: 2,
  owner: 'us',
  seals: [{ epoch: 1, owner: 'eu', upTo }],
});

const eventsIn = (log: MemoryLog, stream: string) =>
  log.messages(stream).flatMap((message) => decodeEntry(message.text()));

describe('a desk', () => {
  it('decides while its region owns the home and holds a grant', async () => {
    const log = meshLog();
    const { keeper, grants, states } = region(log, 'eu');
    await keeper.settled();
    expect([keeper.state, keeper.deciding]).toEqual(['following', undefined]);
    grants.set('eu', 1);
    await eventually('it is open', () => keeper.isOpen);
    await keeper.desk.add(1);
    expect(keeper.deciding).toBe(1);
    expect(states).toEqual(['opening', 'open']);
    expect(eventsIn(log, 'EV_eu').map(({ epoch }) => epoch)).toEqual([1]);
  });

  it('takes over from the log: revision, hash chain and places go on', async () => {
    const log = meshLog();
    const [eu, us] = [region(log, 'eu'), region(log, 'us')];
    eu.grants.set('eu', 1);
    await eventually('eu is open', () => eu.keeper.isOpen);
    eu.settled['IN_eu'] = 2;
    for (const sequence of [1, 2, 3]) await eu.keeper.desk.add(sequence);
    // The region dies: its last entry never reached the others.
    us.ledger.take(moved(2));
    us.grants.set('eu', 2);
    await eventually('us is open', () => us.keeper.isOpen);
    expect(us.starts).toEqual([{ IN_eu: 2 }]);
    // What the seal cut off is decided again; what was decided before is passed over.
    for (const sequence of [2, 3, 4]) await us.keeper.desk.add(sequence);
    const [first, second] = eventsIn(log, 'EV_us');
    expect([first?.revision, first?.adoptedfrom, first?.epoch]).toEqual([2, 'EV_eu:2', 2]);
    expect([second?.revision, second?.adoptedfrom]).toEqual([3, undefined]);
    expect(first?.prevhash).toBe(eventsIn(log, 'EV_eu')[2]?.prevhash);
    expect(us.keeper.desk.loop.state.parts).toEqual([1, 2, 3, 4]);
  });

  it('forgets what it had decided beyond the seal, and follows the new owner', async () => {
    const log = meshLog();
    const [eu, us] = [region(log, 'eu'), region(log, 'us')];
    eu.grants.set('eu', 1);
    await eventually('eu is open', () => eu.keeper.isOpen);
    for (const sequence of [1, 2, 3]) await eu.keeper.desk.add(sequence);
    for (const { ledger } of [eu, us]) ledger.take(moved(2));
    us.grants.set('eu', 2);
    await eventually('us is open', () => us.keeper.isOpen);
    await us.keeper.desk.add(4);
    await eventually('eu follows', () => eu.keeper.desk.loop.state.parts.length === 3);
    expect(eu.keeper.desk.loop.state.parts).toEqual([1, 2, 4]);
    expect([eu.keeper.state, eu.keeper.deciding]).toEqual(['following', undefined]);
  });

  it('stores nothing while its grant has run out, and goes on with it when it is back', async () => {
    const log = meshLog();
    const { keeper, grants } = region(log, 'eu');
    grants.set('eu', 1);
    await eventually('it is open', () => keeper.isOpen);
    await keeper.desk.add(1);
    grants.expired = true;
    const waits = keeper.desk.add(2);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(log.messages('EV_eu')).toHaveLength(1);
    grants.expired = false;
    expect((await waits).kind).toBe('decided');
    expect(log.messages('EV_eu')).toHaveLength(2);
  });

  it('pauses without a grant: what waits is refused, and what it has folded is kept', async () => {
    const log = meshLog();
    const { keeper, grants, states } = region(log, 'eu');
    grants.set('eu', 1);
    await eventually('it is open', () => keeper.isOpen);
    await keeper.desk.add(1);
    const { desk } = keeper;
    grants.set('eu', undefined);
    await eventually('it is paused', () => keeper.deciding === undefined);
    await expect(desk.add(2)).rejects.toThrow('Home eu is no longer decided here under epoch 1');
    grants.set('eu', 1);
    await eventually('it is open again', () => keeper.isOpen);
    expect(keeper.desk).toBe(desk);
    await desk.add(2);
    expect(desk.loop.state.parts).toEqual([1, 2]);
    expect(states).toEqual(['opening', 'open', 'paused', 'opening', 'open']);
  });

  it('does not open under a grant for an epoch that its ledger does not know yet', async () => {
    const log = meshLog();
    const us = region(log, 'us');
    us.grants.set('eu', 2);
    await us.keeper.settled();
    expect(us.keeper.state).toBe('following');
    us.ledger.take(moved(0));
    await eventually('it is open', () => us.keeper.isOpen);
    expect(us.keeper.deciding).toBe(2);
    expect(us.failures).toEqual([]);
  });

  it('goes on behind its own orphan when the home comes back', async () => {
    const log = meshLog();
    const eu = region(log, 'eu');
    eu.grants.set('eu', 1);
    await eventually('eu is open', () => eu.keeper.isOpen);
    for (const sequence of [1, 2]) await eu.keeper.desk.add(sequence);
    eu.grants.set('eu', undefined);
    eu.ledger.take({
      home: 'eu',
      epoch: 3,
      owner: 'eu',
      seals: [
        { epoch: 1, owner: 'eu', upTo: 1 },
        { epoch: 2, owner: 'us', upTo: 0 },
      ],
    });
    eu.grants.set('eu', 3);
    await eventually('eu is open again', () => eu.keeper.isOpen);
    await eu.keeper.desk.add(2, 'IN_us');
    expect(eventsIn(log, 'EV_eu').map(({ epoch, revision }) => [epoch, revision])).toEqual([
      [1, 0],
      [1, 1],
      [3, 1],
    ]);
    expect(eu.failures).toEqual([]);
  });
});
