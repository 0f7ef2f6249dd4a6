import { describe, expect, test } from '@jest/globals';
import { fold, seeded, step, type Random } from '@meridian/core';
import { arbitraryData } from '@meridian/testing';
import {
  contractOf,
  contracts,
  validateData,
  type ContactEvent,
  type Contract,
} from '@meridian/wire';
import { contactDecider, dueAtMs, isOver, type Command, type Contact } from '../src/index.ts';
import { histories } from './histories.ts';

const subject = 'c1';
const asked = contracts.filter(({ entity, kind }) => entity === 'contact' && kind === 'COMMAND');
const told = contracts.filter(({ entity, kind }) => entity === 'contact' && kind === 'EVENT');
const initiate = contractOf('meridian.contact.initiate.v1') as Contract;
const seeds = Array.from({ length: 400 }, (_, index) => `contact ${index}`);

function arbitraryCommand(random: Random): Command {
  const reservationId = `c1-r${1 + random.int(3)}`;
  const agentId = `a${1 + random.int(3)}`;
  switch (random.int(12)) {
    case 0:
    case 1:
      return {
        type: 'offer',
        subject,
        data: { reservationId, agentId, expiresAt: '2026-01-01T00:00:00.000Z' },
      };
    case 2:
    case 3:
      return { type: 'connect', subject, data: { reservationId, agentId } };
    case 4:
      return {
        type: 'requeue',
        subject,
        data: { reservationId, reason: random.pick(['REJECTED', 'TIMED_OUT', 'RESCINDED']) },
      };
    case 5:
      return { type: 'watch', subject };
    default: {
      const contract = random.pick(asked);
      // Few hang up, or no history would get far.
      if (contract.type === 'meridian.contact.hang_up.v1' && random.next() < 0.8) {
        return { type: 'watch', subject };
      }
      return { type: contract.type, subject, data: arbitraryData(contract, random) } as Command;
    }
  }
}

interface Walked {
  readonly contact: Contact;
  readonly command: Command;
  readonly now: number;
  readonly events: readonly ContactEvent[];
}

/** A random life: each command with the state it met and the events it led to. */
function walk(seed: string): { taken: Walked[]; history: [ContactEvent, number][]; last: Contact } {
  const random = seeded(seed);
  const taken: Walked[] = [];
  const history: [ContactEvent, number][] = [];
  let contact = contactDecider.initial();
  let now = 1_700_000_000_000;
  for (let turn = 0; turn < 40; turn += 1) {
    now += random.next() < 0.03 ? random.int(90_000_000) : random.int(30_000);
    const command =
      turn === 0 && random.next() < 0.9
        ? ({ type: initiate.type, subject, data: arbitraryData(initiate, random) } as Command)
        : arbitraryCommand(random);
    const answer = step(contactDecider, contact, command, { now, random: seeded(seed) });
    if (!answer.accepted) continue;
    taken.push({ contact, command, now, events: answer.events });
    for (const event of answer.events) history.push([event, now]);
    contact = answer.state;
  }
  return { taken, history, last: contact };
}

describe('random lives', () => {
  test('a command decided again right after its events decides nothing', () => {
    let checked = 0;
    for (const seed of seeds) {
      for (const { contact, command, now, events } of walk(seed).taken) {
        const after = fold(contactDecider, contact, events, now);
        const again = contactDecider.decide(after, command, { now, random: seeded(seed) });
        if (!again.accepted || again.events.length > 0) {
          throw new Error(
            `Seed "${seed}": ${JSON.stringify(command)} again leads to ${JSON.stringify(again)}.`,
          );
        }
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(2_000);
  });

  test('the same holds in every state of the table', () => {
    for (const past of Object.values(histories)) {
      for (let round = 0; round < 300; round += 1) {
        const random = seeded(`state ${round}`);
        const command = arbitraryCommand(random);
        const now = 1_200_000 + random.int(100_000_000);
        let contact = contactDecider.initial();
        for (const [event, atMs] of past) contact = contactDecider.evolve(contact, event, atMs);
        const first = step(contactDecider, contact, command, { now, random });
        if (!first.accepted) continue;
        const again = contactDecider.decide(first.state, command, { now, random });
        expect({ command, again }).toEqual({ command, again: { accepted: true, events: [] } });
      }
    }
  });

  test('every event keeps its contract, and the times of an end add up', () => {
    const reached = new Set<string>();
    for (const seed of seeds) {
      const { history } = walk(seed);
      const [, beganMs] = history[0] ?? [undefined, 0];
      for (const [{ type, data }, atMs] of history) {
        reached.add(type);
        const problems = validateData(contractOf(type) as Contract, data);
        if (problems.length > 0) {
          throw new Error(`Seed "${seed}": ${type} ${JSON.stringify(problems)}`);
        }
        if (!('durations' in data)) continue;
        const sumMs = data.durations.reduce((sum, { durationMs }) => sum + durationMs, 0);
        const wholeMs = atMs - beganMs;
        if (sumMs !== wholeMs) {
          throw new Error(`Seed "${seed}": ${type} adds up to ${sumMs}, not ${wholeMs}.`);
        }
      }
    }
    expect([...reached].toSorted()).toEqual(told.map(({ type }) => type).toSorted());
  });

  test('a state that is no end has a watchdog, an end has none', () => {
    for (const seed of seeds) {
      const { last } = walk(seed);
      if (last.state === 'NONE') continue;
      expect(dueAtMs(last) === undefined).toBe(isOver(last));
    }
  });

  test('the fold of the stored texts is the state', () => {
    for (const seed of seeds.slice(0, 100)) {
      const { history, last } = walk(seed);
      let folded = contactDecider.initial();
      for (const [event, atMs] of history) {
        folded = contactDecider.evolve(
          folded,
          JSON.parse(JSON.stringify(event)) as ContactEvent,
          atMs,
        );
      }
      expect(folded).toStrictEqual(last);
    }
  });
});

describe('evolve is total', () => {
  test.each(told.map((contract) => [contract.type, contract] as const))(
    '%s in every state',
    (type, contract) => {
      for (const past of Object.values(histories)) {
        const random = seeded(`total ${type}`);
        for (let round = 0; round < 10; round += 1) {
          let contact = contactDecider.initial();
          for (const [event, atMs] of past) contact = contactDecider.evolve(contact, event, atMs);
          const event = { type, subject, data: arbitraryData(contract, random) } as ContactEvent;
          const after = contactDecider.evolve(contact, event, 2_000_000);
          expect(typeof after.state).toBe('string');
          // Nor does anything that is asked afterwards break.
          expect(() =>
            contactDecider.decide(after, arbitraryCommand(random), { now: 2_000_001, random }),
          ).not.toThrow();
        }
      }
    },
  );
});
