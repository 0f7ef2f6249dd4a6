import { describe, expect, it, test } from '@jest/globals';
import { seeded, step, toTimestamp } from '@meridian/core';
import { specify } from '@meridian/testing';
import {
  holdsOn,
  privacyDecider,
  type Command,
  type DecidedPrivacy,
  type Privacy,
} from './privacy.ts';

const privacy = specify(privacyDecider);
const subject = 'all';
const event = <Type extends DecidedPrivacy['type']>(
  type: Type,
  data: Extract<DecidedPrivacy, { type: Type }>['data'],
): DecidedPrivacy => ({ type, subject, data }) as DecidedPrivacy;
const ask = <Type extends Command['type']>(
  type: Type,
  data: Extract<Command, { type: Type }>['data'],
  actor?: string,
): Command => ({ type, subject, data, ...(actor && { actor }) }) as Command;

const keys = [
  { id: 'k2', regions: ['us', 'eu'] },
  { id: 'k1', regions: ['eu'] },
];
const told = {
  keys,
  contacts: 3,
  reason: 'request 17',
  requestedBy: 'key1',
  requestedAt: toTimestamp(5),
};
const erase = ask(
  'meridian.privacy.erase_subject.v1',
  { erasureId: 'e1', keys, contacts: 3, reason: 'request 17' },
  'key1',
);
const confirm = (region: string, destroyed: string[], absent: string[], erasureId = 'e1') =>
  ask('meridian.privacy.confirm_keys_destroyed.v1', { erasureId, region, destroyed, absent });
const destroyed = (region: string, gone: string[], absent: string[]) =>
  event('meridian.privacy.keys_destroyed.v1', {
    erasureId: 'e1',
    region,
    destroyed: gone,
    absent,
  });
const requested = event('meridian.privacy.subject_erasure_requested.v1', {
  erasureId: 'e1',
  ...told,
  regions: ['eu', 'us'],
});
const blocked = event('meridian.privacy.subject_erasure_blocked.v1', {
  erasureId: 'e1',
  holdIds: ['h1'],
  ...told,
});
const placed = (holdId: string, keyIds: string[]) =>
  event('meridian.privacy.hold_placed.v1', { holdId, keyIds, reason: 'case 1' });
const place = (holdId: string, keyIds: string[]) =>
  ask('meridian.privacy.place_hold.v1', { holdId, keyIds, reason: 'case 1' });
const release = (holdId: string) => ask('meridian.privacy.release_hold.v1', { holdId });
const released = (holdId: string) => event('meridian.privacy.hold_released.v1', { holdId });
const erased = event('meridian.privacy.subject_erased.v1', {
  erasureId: 'e1',
  ...told,
  regions: [
    { region: 'eu', destroyed: 2, absent: 0, at: toTimestamp(6) },
    { region: 'us', destroyed: 1, absent: 1, at: toTimestamp(9) },
  ],
  erasedAt: toTimestamp(9),
});

describe('an erasure', () => {
  test('is asked of every region that may hold one of the keys', () => {
    privacy.when(erase, { at: 5 }).then(requested);
  });

  test('is whole only when all of them have said so', () => {
    privacy
      .given([requested, 5])
      .when(confirm('eu', ['k1', 'k2'], []), { at: 6 })
      .then(destroyed('eu', ['k1', 'k2'], []));
    privacy
      .given([requested, 5], [destroyed('eu', ['k1', 'k2'], []), 6])
      .when(confirm('us', ['k2'], ['k1']), { at: 9 })
      .then(destroyed('us', ['k2'], ['k1']), erased);
  });

  test('takes the word of no region that is not asked, nor about other keys', () => {
    privacy
      .given([requested, 5])
      .when(confirm('ap', ['k1', 'k2'], []))
      .thenRejected({
        code: 'REGION_NOT_CONCERNED',
        facts: { erasureId: 'e1', region: 'ap', regions: ['eu', 'us'] },
      });
    privacy
      .given([requested, 5])
      .when(confirm('eu', ['k1'], []))
      .thenRejected({
        code: 'KEYS_DIFFER',
        facts: { erasureId: 'e1', region: 'eu', said: ['k1'], expected: ['k1', 'k2'] },
      });
    privacy
      .given([blocked, 5])
      .when(confirm('eu', ['k1', 'k2'], []))
      .thenRejected({ code: 'ERASURE_BLOCKED', facts: { erasureId: 'e1', region: 'eu' } });
    privacy
      .when(confirm('eu', ['k1', 'k2'], []))
      .thenRejected({ code: 'UNKNOWN_ERASURE', facts: { erasureId: 'e1' } });
  });

  test('is one under its id', () => {
    privacy.given([requested, 5]).when(erase).thenNothing();
    const other = ask('meridian.privacy.erase_subject.v1', {
      erasureId: 'e1',
      keys: [{ id: 'k9', regions: ['eu'] }],
      reason: 'another',
    });
    privacy
      .given([requested, 5])
      .when(other)
      .thenRejected({ code: 'ID_TAKEN', facts: { erasureId: 'e1' } });
  });
});

describe('a hold', () => {
  test('blocks an erasure of one of its keys, and its release requests it', () => {
    privacy
      .given([placed('h1', ['k1']), 2])
      .when(erase, { at: 5 })
      .then(blocked);
    privacy
      .given([placed('h1', ['k1']), 2], [blocked, 5])
      .when(release('h1'), { at: 7 })
      .then(released('h1'), requested);
  });

  test('that is released leaves an erasure blocked while another one stands', () => {
    privacy
      .given([placed('h1', ['k1']), 2], [blocked, 5], [placed('h2', ['k2', 'k3']), 6])
      .when(release('h1'), { at: 7 })
      .then(released('h1'));
  });

  test('on other keys is in nobody’s way, nor is a released one', () => {
    privacy
      .given(placed('h1', ['k3']))
      .when(erase, { at: 5 })
      .then(requested);
    privacy
      .given(placed('h1', ['k1']), released('h1'))
      .when(erase, { at: 5 })
      .then(requested);
  });

  test('keeps what is not being destroyed already, and is refused where nothing is left', () => {
    privacy
      .given([requested, 5])
      .when(place('h1', ['k3', 'k1', 'k3']))
      .then(placed('h1', ['k3']));
    privacy
      .given([requested, 5])
      .when(place('h1', ['k2', 'k1']))
      .thenRejected({ code: 'KEYS_ARE_ERASED', facts: { holdId: 'h1', keyIds: ['k1', 'k2'] } });
    privacy
      .given([blocked, 5])
      .when(place('h2', ['k1']))
      .then(placed('h2', ['k1']));
  });

  test('is released once, and only if it is there', () => {
    privacy.when(release('h1')).thenRejected({ code: 'UNKNOWN_HOLD', facts: { holdId: 'h1' } });
    privacy
      .given(placed('h1', ['k1']), released('h1'))
      .when(release('h1'))
      .thenNothing();
    privacy
      .given(placed('h1', ['k1']))
      .when(place('h1', ['k7']))
      .thenRejected({ code: 'ID_TAKEN', facts: { holdId: 'h1' } });
  });
});

describe('residency', () => {
  const set = (...regions: string[]) => ask('meridian.privacy.set_residency.v1', { regions }, 'a');
  const wasSet = (...regions: string[]) =>
    event('meridian.privacy.residency_set.v1', { regions, setBy: 'a' });

  test('is a set of regions, or all of them', () => {
    privacy
      .when(set('us', 'eu', 'us'))
      .then(wasSet('eu', 'us'))
      .thenView((state) => state.residency, ['eu', 'us']);
    privacy.given(wasSet('eu', 'us')).when(set('us', 'eu')).thenNothing();
    privacy
      .given(wasSet('eu', 'us'))
      .when(set())
      .then(wasSet())
      .thenView((state) => state.residency, undefined);
    privacy.when(set()).thenNothing();
  });
});

describe('a repeated command', () => {
  const regions = ['ap', 'eu', 'us'];
  const ids = ['k1', 'k2', 'k3', 'k4'];

  /** Histories of commands drawn at random, so that every command meets every state. */
  function command(draw: ReturnType<typeof seeded>): Command {
    const some = (of: readonly string[]) => of.filter(() => draw.next() < 0.5);
    const least = (of: readonly string[]) => {
      const chosen = some(of);
      return chosen.length > 0 ? chosen : [draw.pick(of)];
    };
    const id = String(draw.int(3));
    switch (draw.int(5)) {
      case 0: {
        const subjects = least(ids).map((key) => ({ id: key, regions: least(regions) }));
        const data = { erasureId: `e${id}`, keys: subjects, reason: 'r' };
        return ask('meridian.privacy.erase_subject.v1', data, 'a');
      }
      case 1: {
        const held = some(ids);
        const absent = ids.filter((key) => !held.includes(key));
        return confirm(draw.pick(regions), held, draw.next() < 0.5 ? absent : [], `e${id}`);
      }
      case 2:
        return place(`h${id}`, least(ids));
      case 3:
        return release(`h${id}`);
      default:
        return ask('meridian.privacy.set_residency.v1', { regions: some(regions) });
    }
  }

  it('decides nothing, and what is decided keeps the rules', () => {
    const seen = new Set<string>();
    for (let run = 0; run < 300; run += 1) {
      const draw = seeded(`privacy ${run}`);
      let state = privacyDecider.initial();
      for (let now = 1; now < 30; now += 1) {
        const context = { now, random: draw };
        const asked = command(draw);
        const first = step(privacyDecider, state, asked, context);
        seen.add(`${asked.type} ${first.accepted ? first.events.length : first.rejection.code}`);
        state = first.state;
        if (!first.accepted) continue;
        const again = step(privacyDecider, state, asked, { ...context, now: now + 100 });
        expect(again).toMatchObject({ accepted: true, events: [] });
        keepsTheRules(state, first.events);
      }
    }
    // Every command was accepted and refused, where it can be.
    expect(
      [...seen].filter((one) => /place|release|erase|confirm/.test(one)).length,
    ).toBeGreaterThan(12);
  });

  function keepsTheRules(state: Privacy, events: readonly DecidedPrivacy[]): void {
    for (const one of events) {
      if (one.type === 'meridian.privacy.subject_erasure_requested.v1') {
        expect(
          holdsOn(
            state,
            one.data.keys.map(({ id }) => id),
          ),
        ).toEqual([]);
      }
    }
    for (const erasure of state.erasures.values()) {
      if (erasure.state === 'BLOCKED') {
        expect(
          holdsOn(
            state,
            erasure.keys.map(({ id }) => id),
          ),
        ).not.toEqual([]);
        continue;
      }
      const isWhole = erasure.regions.every((region) => erasure.confirmed.has(region));
      expect(erasure.state).toBe(isWhole ? 'ERASED' : 'REQUESTED');
      const wanted = new Set(erasure.keys.flatMap((key) => key.regions));
      expect(new Set(erasure.regions)).toEqual(wanted);
    }
  }
});
