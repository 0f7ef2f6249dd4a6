import { describe, expect, it } from '@jest/globals';
import { active, lease, running, Stage, writes } from '../../test/ownership-stage.ts';
import type { Action, Input } from './actions.ts';
import { homeKey, leaseKey } from './control.ts';

describe('a region that begins', () => {
  it('grants nothing before it has read, compared, renewed and confirmed', () => {
    const stage = new Stage();
    const first = stage.tick(0);
    expect(first.map(({ type }) => type)).toEqual(['read_control', 'compare']);
    expect(stage.ask(1)).toMatchObject({ homes: {}, intake: false });
    const [read, compare] = first as readonly { id: number }[];
    const renewing = stage.tell({
      type: 'control_read',
      id: read?.id as number,
      incarnation: 'one',
      entries: [],
    });
    expect(writes(renewing, 'lease.')).toMatchObject([
      { value: { region: 'us', count: 1, instance: 'us1' }, expected: 0 },
    ]);
    const [renewal] = writes(renewing, 'lease.');
    const made = stage.tell({ type: 'written', id: renewal?.id as number, revision: 1 });
    expect(writes(made, 'home.')).toMatchObject([
      { value: { home: 'us', epoch: 1, owner: 'us', state: 'ACTIVE' }, expected: 0 },
    ]);
    expect(stage.ask(2).homes).toEqual({});
    stage.tell({ type: 'written', id: writes(made, 'home.')[0]?.id as number, revision: 2 });
    expect(stage.ask(3)).toMatchObject({ homes: {}, intake: false });
    stage.tell({ type: 'compared', id: compare?.id as number, outcome: 'whole' });
    expect(stage.ask(4)).toMatchObject({ homes: { us: { epoch: 1, forMs: 4_000 } }, intake: true });
  });

  it.each(['differs', 'mending', 'unreachable'] as const)(
    'stays shut when streams are: %s',
    (outcome) => {
      const stage = new Stage();
      const actions = stage.tick(0);
      const compare = actions.find(({ type }) => type === 'compare') as { id: number };
      stage.tell({ type: 'compared', id: compare.id, outcome });
      expect(stage.ask(1)).toMatchObject({ homes: {}, intake: false });
      // It is compared again after a while.
      expect(stage.tick(1_000).some(({ type }) => type === 'compare')).toBe(true);
    },
  );
});

describe('the own lease', () => {
  it('ends leaseMs less the guard after the sending, however late the answer is', () => {
    const stage = running();
    const sent = writes(stage.tick(1_000), 'lease.');
    stage.nowMs += 2_500;
    stage.tell({ type: 'written', id: sent[0]?.id as number, revision: 900 });
    expect(stage.ask(1).homes).toEqual({ us: { epoch: 1, forMs: 1_500 } });
    stage.nowMs += 1_499;
    expect(stage.ask(2).homes).toEqual({ us: { epoch: 1, forMs: 1 } });
    stage.nowMs += 1;
    expect(stage.ask(3)).toMatchObject({ homes: {}, intake: true });
  });

  it('once lapsed, grants nothing until the home was confirmed by compare-and-set', () => {
    const stage = running();
    const renewed = stage.tick(6_000);
    const [renewal] = writes(renewed, 'lease.');
    const [confirming] = writes(
      stage.tell({ type: 'written', id: renewal?.id as number, revision: 900 }),
      'home.us',
    );
    expect(confirming?.value).toMatchObject({ epoch: 1, owner: 'us' });
    expect(stage.ask(1).homes).toEqual({});
    // A survivor was first.
    stage.tell({ type: 'write_refused', id: confirming?.id as number });
    stage.tell(stage.entry(homeKey('us'), active('us', 'ap', 2)));
    stage.settle(stage.tick(1_000));
    expect(stage.ask(2).homes).toEqual({});
  });

  it('is left to another process of the region that renews it', () => {
    const stage = running();
    const reports = stage.tell(stage.entry(leaseKey('us'), { ...lease('us', 9), instance: 'us2' }));
    expect(reports).toContainEqual({
      type: 'report',
      report: { what: 'standby', instance: 'us2' },
    });
    expect(stage.tell({ type: 'ask', instance: 'd1', nonce: 1, heard: '', deciding: {} })).toEqual(
      [],
    );
    expect(writes(stage.tick(1_500), 'lease.us')).toEqual([]);
    // The other one ends too.
    expect(writes(stage.tick(6_000), 'lease.us')).toHaveLength(1);
  });

  it('is not renewed while the own log takes nothing', () => {
    const stage = running();
    stage.tell({ type: 'wellness', well: false });
    expect(writes(stage.tick(1_000), 'lease.us')).toEqual([]);
    const well = stage.tell({ type: 'wellness', well: true });
    expect(writes(well, 'lease.us')).toHaveLength(1);
  });

  it('nothing is granted while a stream is damaged, and after leaseMs it is not renewed either', () => {
    const stage = running();
    stage.tell({ type: 'damage', damaged: true });
    expect(stage.ask(1)).toMatchObject({ homes: {}, intake: false });
    expect(writes(stage.settle(stage.tick(1_000)), 'lease.us')).toHaveLength(1);
    stage.settle(stage.tick(3_000));
    expect(writes(stage.tick(2_000), 'lease.us')).toEqual([]);
    stage.tell({ type: 'damage', damaged: false });
    stage.settle(stage.tick(1_000));
    expect(stage.ask(2).intake).toBe(true);
  });
});

describe('a lost region', () => {
  /** Renews the own lease and shows ap's, so that only eu is silent; then eu is marked. */
  function euLost(): { stage: Stage; actions: Action[] } {
    const stage = running();
    stage.tell({ type: 'positions', positions: { eu: { sequence: 70, storedAtMs: 5 } } });
    const actions: Action[] = [];
    for (let count = 2; count <= 7; count += 1) {
      actions.push(...stage.settle(stage.tick(1_000)));
      stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
    }
    return { stage, actions };
  }

  it('is marked by compare-and-set after leaseMs and the guard, and claimed', () => {
    const { actions } = euLost();
    expect(writes(actions, 'lease.eu')).toMatchObject([
      { value: { region: 'eu', count: 1, lapsedBy: 'us' }, expected: expect.any(Number) },
    ]);
    expect(writes(actions, 'claim.')).toMatchObject([
      { value: { region: 'us', upTo: 70, lease: 1 }, expected: undefined },
    ]);
  });

  it('is left alone when the mark is refused: it has renewed', () => {
    const stage = running();
    stage.tell({ type: 'positions', positions: { eu: { sequence: 70 } } });
    for (let count = 0; count < 5; count += 1) stage.settle(stage.tick(1_000));
    const marking = writes(stage.tick(1_000), 'lease.eu');
    expect(marking).toHaveLength(1);
    const after = stage.tell({ type: 'write_refused', id: marking[0]?.id as number });
    // It is marked again only if a reading shows nothing new.
    expect(writes(after, '')).toEqual([]);
    stage.tell(stage.entry(leaseKey('eu'), lease('eu', 2)));
    expect(writes(stage.settle(stage.tick(1_000)), 'claim.')).toEqual([]);
    expect(writes(stage.settle(stage.tick(1_000)), 'lease.eu')).toEqual([]);
  });

  it('is succeeded by who holds most: at once, or after a wait if that one does nothing', () => {
    const { stage } = euLost();
    const claim = { region: 'ap', upTo: 71, lease: 1 };
    stage.tell({
      type: 'control_changed',
      entry: { key: 'claim.eu.1.ap', value: JSON.stringify(claim), revision: 5_000 },
    });
    expect(writes(stage.settle(stage.tick(500)), 'home.eu')).toEqual([]);
    let taken: ReturnType<typeof writes> = [];
    let waitedMs = 0;
    for (let count = 8; taken.length === 0 && count < 20; count += 1) {
      taken = writes(stage.settle(stage.tick(500)), 'home.eu');
      stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
      waitedMs += 500;
    }
    expect(waitedMs).toBe(1_500);
    expect(taken[0]?.value).toMatchObject({
      epoch: 2,
      owner: 'us',
      state: 'ACTIVE',
      seals: [{ epoch: 1, owner: 'eu', upTo: 70 }],
      kind: 'UNPLANNED',
    });
  });

  /** What ap says of how much it holds of eu. */
  const claimOfAp = (upTo: number, more: object = {}): Input => ({
    type: 'control_changed',
    entry: {
      key: 'claim.eu.1.ap',
      value: JSON.stringify({ region: 'ap', upTo, lease: 1, ...more }),
      revision: 5_000,
    },
  });
  /** Lets time pass, half a second at a time, until eu is taken over; ap renews or does not. */
  function takenAfterMs(stage: Stage, isRenewing: boolean, limitMs = 20_000): number | undefined {
    for (let waitedMs = 500; waitedMs <= limitMs; waitedMs += 500) {
      if (writes(stage.settle(stage.tick(500)), 'home.eu').length > 0) return waitedMs;
      const count = 100 + waitedMs;
      if (isRenewing) stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
    }
    return undefined;
  }

  it('waits for the claim of who renews its lease: who holds most wins, however late it says so', () => {
    const { stage } = euLost();
    expect(takenAfterMs(stage, true, 5_000)).toBeUndefined();
    expect(writes(stage.settle(stage.tell(claimOfAp(71))), 'home.eu')).toEqual([]);
    expect(takenAfterMs(stage, true, 1_000)).toBeUndefined();
    // Who holds less takes over at once.
    const { stage: other } = euLost();
    takenAfterMs(other, true, 3_000);
    expect(writes(other.settle(other.tell(claimOfAp(69))), 'home.eu')).toHaveLength(1);
  });

  it('waits for no claim of who lapses, or says no, and not for ever', () => {
    const { stage: lapsing } = euLost();
    expect(takenAfterMs(lapsing, false)).toBe(6_000);
    const { stage: refusing } = euLost();
    const refusal = claimOfAp(0, { refuses: true });
    expect(writes(refusing.settle(refusing.tell(refusal)), 'home.eu')).toHaveLength(1);
    const { stage: silent } = euLost();
    expect(takenAfterMs(silent, true)).toBe(7_000);
  });

  it('is refused while the own streams are not known to be whole, and claimed then', () => {
    const stage = running();
    stage.tell({ type: 'positions', positions: { eu: { sequence: 70, storedAtMs: 5 } } });
    const claims = (actions: readonly Action[]) =>
      writes(actions, 'claim.').map(({ value }) => value);
    const said: unknown[] = [];
    for (let count = 2; count <= 7; count += 1) {
      if (count === 6) said.push(...claims(stage.tell({ type: 'damage', damaged: true })));
      said.push(...claims(stage.settle(stage.tick(1_000))));
      stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
    }
    expect(said).toEqual([{ region: 'us', upTo: 0, lease: 1, refuses: true }]);
    expect(claims(stage.settle(stage.tell({ type: 'damage', damaged: false })))).toEqual([
      { region: 'us', upTo: 70, lease: 1 },
    ]);
  });

  it('is granted for only after the beginning of the epoch is on the log', () => {
    const { stage } = euLost();
    const claim = { region: 'ap', upTo: 70, lease: 1 };
    stage.tell({
      type: 'control_changed',
      entry: { key: 'claim.eu.1.ap', value: JSON.stringify(claim), revision: 5_000 },
    });
    let append: Extract<Action, { type: 'append' }> | undefined;
    for (let count = 8; append === undefined && count < 20; count += 1) {
      for (const action of stage.tick(500)) {
        if (action.type === 'write') {
          const done = stage.tell({ type: 'written', id: action.id, revision: 6_000 + count });
          append ??= done.find((one) => one.type === 'append');
        } else if (action.type === 'append') append = action;
      }
      stage.tell(stage.entry(leaseKey('ap'), lease('ap', count)));
    }
    expect(append?.events.map(({ type }) => type)).toEqual([
      'meridian.failover.started.v1',
      'meridian.failover.completed.v1',
    ]);
    expect(append?.events[1]?.data).toMatchObject({
      home: 'eu',
      epoch: 2,
      owner: 'us',
      previousEpoch: 1,
      previousOwner: 'eu',
      upTo: 70,
      kind: 'UNPLANNED',
      claims: [
        { region: 'ap', upTo: 70 },
        { region: 'us', upTo: 70 },
      ],
      seals: [{ epoch: 1, owner: 'eu', upTo: 70 }],
    });
    expect(Object.keys(stage.ask(1).homes)).toEqual(['us']);
    stage.tell({ type: 'appended', id: append?.id as number, sequence: 9 });
    expect(stage.ask(2).homes).toMatchObject({ eu: { epoch: 2 }, us: { epoch: 1 } });
  });
});

describe('a planned change', () => {
  const request = { id: 'cli#1', home: 'us', to: 'eu', kind: 'PLANNED', atMs: 1 } as const;

  it('waits until every process has heard and has come to rest, then seals', () => {
    const stage = running();
    for (let count = 2; count < 8; count += 1) {
      stage.settle(stage.tick(1_000));
      for (const region of ['ap', 'eu']) {
        stage.tell(stage.entry(leaseKey(region), lease(region, count)));
      }
    }
    const granted = stage.ask(1);
    stage.ask(2, granted.answerId, { us: 1 });
    const begun = stage.settle(stage.tell({ type: 'request', request }));
    expect(writes(begun, 'home.us')[0]?.value).toMatchObject({ state: 'SEALING', next: 'eu' });
    expect(begun.flatMap((one) => (one.type === 'append' ? [one.purpose] : []))).toEqual([
      'announce',
    ]);
    const answer = begun.filter((one) => one.type === 'answer').at(-1);
    expect(answer?.homes).toEqual({});
    const purposes = (actions: readonly Action[]): string[] =>
      actions.flatMap((one) => (one.type === 'append' ? [one.purpose] : []));
    // It has not heard yet, then it has and something is under way, then nothing is.
    expect(
      purposes(
        stage.tell({
          type: 'ask',
          instance: 'd1',
          nonce: 3,
          heard: granted.answerId,
          deciding: {},
        }),
      ),
    ).toEqual([]);
    const heard = answer?.answerId as string;
    expect(
      purposes(stage.tell({ type: 'ask', instance: 'd1', nonce: 4, heard, deciding: { us: 1 } })),
    ).toEqual([]);
    expect(
      purposes(stage.tell({ type: 'ask', instance: 'd1', nonce: 5, heard, deciding: {} })),
    ).toEqual(['sealed']);
  });

  it('is gone on with once the seal is held here', () => {
    const stage = running();
    stage.tell(stage.entry(homeKey('eu'), { ...active('eu', 'eu'), state: 'SEALING', next: 'us' }));
    expect(writes(stage.tick(10), 'home.eu')).toEqual([]);
    const taken = stage.tell({ type: 'sealed', home: 'eu', epoch: 1, to: 'us', sequence: 33 });
    expect(writes(taken, 'home.eu')[0]?.value).toMatchObject({
      epoch: 2,
      owner: 'us',
      kind: 'PLANNED',
      seals: [{ epoch: 1, owner: 'eu', upTo: 33 }],
    });
  });

  it.each([
    [{ to: 'mars' }, 'UNKNOWN_REGION'],
    [{ to: 'us' }, 'ALREADY_OWNER'],
    [{ kind: 'UNPLANNED' }, 'OWNER_LIVES'],
  ] as const)('that asks for %j is refused: %s', (change, code) => {
    const stage = running();
    const actions = stage.tell({ type: 'request', request: { ...request, ...change } });
    const append = actions.find((one) => one.type === 'append');
    expect(append?.events.map(({ data }) => data)).toMatchObject([{}, { code }]);
    expect(append).toMatchObject({ purpose: 'failed', epoch: 1, causationId: 'cli#1' });
  });
});

describe('without the control cluster', () => {
  /** Every write and reading is lost from now on. */
  function lose(stage: Stage, ms: number): void {
    for (let passed = 0; passed < ms; passed += 500) {
      for (const action of stage.tick(500)) {
        if (action.type === 'write') stage.tell({ type: 'write_lost', id: action.id });
        if (action.type === 'read_control') stage.tell({ type: 'control_unread', id: action.id });
      }
    }
  }

  it('a region that fences decides nothing and keeps its way in open', () => {
    const stage = running();
    lose(stage, 5_000);
    expect(stage.ask(1)).toMatchObject({ homes: {}, intake: true });
  });

  it('a region that serves goes on with its own home, until it sees that another one does', () => {
    const stage = running('serve');
    lose(stage, 5_000);
    expect(stage.ask(1).homes).toEqual({ us: { epoch: 1, forMs: 4_000 } });
    stage.tell(stage.entry(homeKey('us'), active('us', 'ap', 2)));
    expect(stage.ask(2).homes).toEqual({});
  });

  it('a broken glass makes a region decide for the homes that it was broken for', () => {
    const stage = running();
    stage.tell({ type: 'positions', positions: { eu: { sequence: 70 } } });
    lose(stage, 5_000);
    const glass = { id: 'cli#2', to: 'us', kind: 'UNPLANNED', atMs: 1, breakGlass: true } as const;
    stage.settle(stage.tell({ type: 'request', request: { ...glass, home: 'us' } }));
    expect(stage.ask(1).homes).toMatchObject({ us: { epoch: 1 } });
    const taking = stage.settle(stage.tell({ type: 'request', request: { ...glass, home: 'eu' } }));
    const append = taking.find((one) => one.type === 'append');
    expect(append?.events.at(-1)?.data).toMatchObject({ epoch: 2, upTo: 70, breakGlass: true });
    expect(stage.ask(2).homes).toMatchObject({ us: { epoch: 1 }, eu: { epoch: 2 } });
  });
});
