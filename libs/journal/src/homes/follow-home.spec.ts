import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { hasLength, meshLog, write } from '../../test/mesh-log.ts';
import { LogUnavailable } from '../errors.ts';
import { followHome, type FollowHomeOptions, type HomeFollower } from './follow-home.ts';
import { Ledger } from './ledger.ts';

const open: HomeFollower[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((follower) => follower.close()));
});

function setUp(options: Partial<FollowHomeOptions> = {}) {
  const log = meshLog();
  const ledger = new Ledger();
  const amounts: number[] = [];
  const follow = (): HomeFollower => {
    const follower = followHome(
      log,
      ledger,
      { home: 'eu', filters: ['*.contact.*'], wait: async () => {}, ...options },
      (message) => {
        amounts.push(Number(/"amount":"(\d+)"/.exec(message.text())?.[1]));
      },
    );
    open.push(follower);
    return follower;
  };
  const seal = (epoch: number, owner: string, ...seals: [owner: string, upTo: number][]): void => {
    ledger.take({
      home: 'eu',
      epoch,
      owner,
      seals: seals.map(([each, upTo], index) => ({ epoch: index + 1, owner: each, upTo })),
    });
  };
  return { log, ledger, amounts, follow, seal };
}

describe('following a home', () => {
  it('hands over what its region writes', async () => {
    const { log, amounts, follow } = setUp();
    await write(log, 'eu', 1, 1);
    const follower = follow();
    await write(log, 'eu', 1, 2);
    await hasLength(amounts, 2);
    expect(amounts).toEqual([1, 2]);
    await follower.caughtUp();
    expect(follower.positions).toEqual({ 'EV_eu.eu': 2 });
  });

  it('goes on in the next owner’s stream after the seal, and leaves orphans out', async () => {
    const { log, amounts, follow, seal } = setUp();
    for (const amount of [1, 2, 3]) await write(log, 'eu', 1, amount);
    await write(log, 'us', 2, 10);
    const follower = follow();
    seal(2, 'us', ['eu', 2]);
    await write(log, 'us', 2, 11);
    await hasLength(amounts, 4);
    await follower.caughtUp();
    expect(amounts.filter((amount) => amount !== 3)).toEqual([1, 2, 10, 11]);
    expect(follower.stream).toBe('EV_us');
    expect(follower.positions).toEqual({ 'EV_eu.eu': 2, 'EV_us.eu': 2 });
  });

  it('begins with what the ledger knows: the orphan was never handed over', async () => {
    const { log, amounts, follow, seal } = setUp();
    for (const amount of [1, 2, 3]) await write(log, 'eu', 1, amount);
    await write(log, 'us', 2, 10);
    seal(2, 'us', ['eu', 2]);
    await follow().caughtUp();
    expect(amounts).toEqual([1, 2, 10]);
  });

  it('waits at a seal until the local copy holds everything up to it', async () => {
    const { log, amounts, follow, seal } = setUp({
      wait: () => new Promise((resolve) => setImmediate(resolve)),
    });
    await write(log, 'eu', 1, 1);
    await write(log, 'us', 2, 10);
    follow();
    seal(2, 'us', ['eu', 2]);
    await hasLength(amounts, 1);
    expect(amounts).toEqual([1]);
    await write(log, 'eu', 1, 2);
    await hasLength(amounts, 3);
    expect(amounts).toEqual([1, 2, 10]);
  });

  it.each([
    ['at a seal', 'us'],
    ['at the end', 'eu'],
  ])('asks again %s when the log does not answer', async (_, owner) => {
    const { log, amounts, follow, seal } = setUp();
    await write(log, 'eu', 1, 1);
    await write(log, 'us', 2, 10);
    let failures = 0;
    const within = log.follow.bind(log);
    log.follow = (...given) => {
      const inner = within(...given);
      const caughtUp = inner.caughtUp.bind(inner);
      inner.caughtUp = () => {
        if (failures === 2) return caughtUp();
        failures += 1;
        return Promise.reject(new LogUnavailable('No answer came.', 'Try again.'));
      };
      return inner;
    };
    const follower = follow();
    if (owner === 'us') {
      seal(2, 'us', ['eu', 1]);
      await hasLength(amounts, 2);
    }
    await follower.caughtUp();
    expect(amounts).toEqual(owner === 'us' ? [1, 10] : [1]);
    expect(failures).toBe(2);
  });

  it('reads a home that came back from where its region left it', async () => {
    const { log, amounts, follow, seal } = setUp();
    for (const amount of [1, 2, 3]) await write(log, 'eu', 1, amount);
    await write(log, 'us', 2, 10);
    await write(log, 'eu', 3, 4);
    seal(3, 'eu', ['eu', 2], ['us', 1]);
    const follower = follow();
    await follower.caughtUp();
    expect(amounts).toEqual([1, 2, 10, 4]);
    expect(follower.positions).toEqual({ 'EV_eu.eu': 4, 'EV_us.eu': 1 });
  });

  it('holds back an entry of an epoch that the ledger does not know yet', async () => {
    const { log, amounts, follow, seal } = setUp();
    await write(log, 'eu', 1, 1);
    const follower = follow();
    await write(log, 'eu', 3, 4);
    await hasLength(amounts, 1);
    expect(amounts).toEqual([1]);
    expect(follower.position).toBeLessThan(2);
    seal(3, 'eu', ['eu', 1], ['us', 1]);
    await write(log, 'us', 2, 10);
    await hasLength(amounts, 3);
    expect(amounts).toEqual([1, 10, 4]);
  });

  it('goes on after the places it is given', async () => {
    const { log, amounts, follow, seal } = setUp({
      after: (region) => ({ eu: 2, us: 1 })[region] ?? 0,
    });
    for (const amount of [1, 2]) await write(log, 'eu', 1, amount);
    for (const amount of [10, 11]) await write(log, 'us', 2, amount);
    seal(2, 'us', ['eu', 2]);
    await follow().caughtUp();
    expect(amounts).toEqual([11]);
  });

  it('says so when what it handed over turns out to be orphaned', async () => {
    let revoked = 0;
    const { log, amounts, follow, seal } = setUp({
      onRevoked: () => {
        revoked += 1;
      },
    });
    for (const amount of [1, 2, 3]) await write(log, 'eu', 1, amount);
    follow();
    await hasLength(amounts, 3);
    seal(2, 'us', ['eu', 2]);
    await eventually('it is told', () => revoked === 1);
    await write(log, 'us', 2, 10);
    await hasLength(amounts, 4);
    expect(amounts).toEqual([1, 2, 3, 10]);
  });

  it('hands nothing over once it is closed, also while it waits at a seal', async () => {
    const { log, amounts, follow, seal } = setUp({
      wait: () => new Promise((resolve) => setImmediate(resolve)),
    });
    await write(log, 'eu', 1, 1);
    const follower = follow();
    await hasLength(amounts, 1);
    seal(2, 'us', ['eu', 5]);
    await follower.close();
    for (const amount of [2, 3, 4, 5]) await write(log, 'eu', 1, amount);
    await write(log, 'us', 2, 10);
    await hasLength(amounts, 1);
    expect(amounts).toEqual([1]);
  });
});
