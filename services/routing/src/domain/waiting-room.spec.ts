import { describe, expect, test } from '@jest/globals';
import { seeded, type Random } from '@meridian/core';
import { isServedBefore, WaitingRoom, type Place } from './waiting-room.ts';

const place = (contactId: string, more: Partial<Place> = {}): Place => ({
  contactId,
  queueId: 'q1',
  channel: 'VOICE',
  priority: 0,
  contactRequirements: [],
  requirements: [],
  enqueuedAtMs: 0,
  rankMs: 0,
  ...more,
});

describe('the order of service', () => {
  test.each<[string, Place, Place]>([
    [
      'the smaller rank',
      place('b', { rankMs: 1, enqueuedAtMs: 9 }),
      place('a', { rankMs: 2, enqueuedAtMs: 1 }),
    ],
    ['then who came first', place('b', { enqueuedAtMs: 1 }), place('a', { enqueuedAtMs: 2 })],
    ['then the smaller id', place('a'), place('b')],
  ])('%s', (_, first, second) => {
    expect([isServedBefore(first, second), isServedBefore(second, first)]).toEqual([true, false]);
    expect(isServedBefore(first, first)).toBe(false);
  });
});

/** Few ranks and lines, so that ties and shared lines come up. */
function arbitraryPlace(random: Random): Place {
  return place(`c${random.int(30)}`, {
    queueId: random.pick(['q1', 'q2']),
    channel: random.pick(['VOICE', 'CHAT']),
    rankMs: random.int(4),
    enqueuedAtMs: random.int(3),
    requirements: random.pick([[], [{ skill: 'french', minimumLevel: 1 + random.int(2) }]]),
  });
}

test('does as a plain list does, under random operations', () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const random = seeded(`room ${seed}`);
    const room = new WaitingRoom();
    let list: Place[] = [];
    for (let turn = 0; turn < 80; turn += 1) {
      const one = arbitraryPlace(random);
      const without = list.filter(({ contactId }) => contactId !== one.contactId);
      if (random.next() < 0.65) {
        room.add(one);
        list = [...without, one];
      } else {
        const removed = room.remove(one.contactId);
        const known = list.find(({ contactId }) => contactId === one.contactId);
        if (removed !== known) {
          throw new Error(`Seed ${seed}, turn ${turn}: another place was removed.`);
        }
        list = without;
      }
      list.sort((a, b) => (isServedBefore(a, b) ? -1 : 1));
      const queueId = random.pick(['q1', 'q2']);
      const declined = new Set(
        list.filter(() => random.next() < 0.3).map(({ contactId }) => contactId),
      );
      const serves = (each: Place): boolean =>
        each.queueId === queueId && each.requirements.length === 0;
      const first = list.find((each) => serves(each) && !declined.has(each.contactId));
      const actual = [
        room.size,
        room.has(one.contactId),
        room.get(one.contactId),
        room.ofQueue(queueId),
        [...room.inOrder()].map(({ place: each }) => each),
        [...room.inOrder(serves)].map(({ place: each }) => each),
        room.first(serves, ({ contactId }) => !declined.has(contactId)),
      ];
      const known = list.find(({ contactId }) => contactId === one.contactId);
      const expected = [
        list.length,
        known !== undefined,
        known,
        list.filter((each) => each.queueId === queueId),
        list,
        list.filter(serves),
        first,
      ];
      if (JSON.stringify(actual) !== JSON.stringify(expected)) {
        expect([seed, turn, actual]).toEqual([seed, turn, expected]);
      }
    }
  }
});

test('a contact has one place: a second one takes its stead', () => {
  const room = new WaitingRoom();
  room.add(place('a', { rankMs: 5 }));
  room.add(place('a', { rankMs: 1, queueId: 'q2' }));
  expect([room.size, room.ofQueue('q1'), room.ofQueue('q2').length]).toEqual([1, [], 1]);
  room.remove('a');
  expect([
    room.size,
    room.first(
      () => true,
      () => true,
    ),
    room.remove('a'),
  ]).toEqual([0, undefined, undefined]);
});

test('a line is asked once, whatever its length', () => {
  const room = new WaitingRoom();
  for (let index = 0; index < 50; index += 1) room.add(place(`c${index}`));
  let asked = 0;
  room.first(
    () => {
      asked += 1;
      return false;
    },
    () => true,
  );
  expect(asked).toBe(1);
});
