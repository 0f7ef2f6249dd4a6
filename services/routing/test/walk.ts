import type { Random } from '@meridian/core';
import type {
  Channel,
  ChannelCapacity,
  QueueSettings,
  SkillLevel,
  SkillRequirement,
} from '@meridian/wire';
import type { Command } from '../src/index.ts';
import type { Shadow } from './shadow.ts';

export const agentIds = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'];
export const queueIds = ['q1', 'q2', 'q3', 'q4'];
export const skillNames = ['french', 'italian', 'billing'];
export const channels: readonly Channel[] = ['VOICE', 'CHAT', 'EMAIL'];

/** Some of `from`, each once, in random order. */
function some<T>(random: Random, from: readonly T[], least = 0): T[] {
  return random.shuffle(from).slice(0, least + random.int(from.length - least + 1));
}

export const arbitraryRequirements = (random: Random, most = 2): SkillRequirement[] =>
  Array.from({ length: random.int(most + 1) }, () => ({
    skill: random.pick(skillNames),
    minimumLevel: 1 + random.int(3),
  }));

export const arbitrarySkills = (random: Random): SkillLevel[] =>
  some(random, skillNames, 1).map((skill) => ({ skill, level: 1 + random.int(5) }));

export const arbitraryCapacities = (random: Random): ChannelCapacity[] =>
  some(random, channels, 1).map((channel) => ({ channel, limit: 1 + random.int(3) }));

export const arbitrarySettings = (random: Random): QueueSettings => ({
  ...(random.next() < 0.7
    ? { requirements: arbitraryRequirements(random, random.pick([1, 1, 3])) }
    : {}),
  strategy: random.pick(['LONGEST_IDLE', 'MOST_SKILLED']),
  offerTtlMs: random.pick([1_000, 5_000, 20_000]),
  ageingMsPerLevel: random.pick([1, 10_000, 60_000]),
  serviceLevelMs: 20_000,
});

/** A command of a contact centre where people do as they please, as the log so far allows or not. */
export function arbitraryCommand(
  random: Random,
  shadow: Shadow,
  nowMs: number,
  nextId: () => string,
): Command {
  const agent = random.pick(agentIds);
  const live = [...shadow.live.values()];
  const known = [
    ...new Set([...shadow.waiting.keys(), ...live.map(({ contactId }) => contactId)]),
    'stranger',
  ];
  const pending = live.filter(({ stage }) => stage === 'PENDING');
  const draw = random.int(100);
  if (draw < 9) {
    return {
      type: 'meridian.agent.sign_in.v1',
      subject: agent,
      data: {
        sessionId: random.pick(['s1', 's2']),
        capacities: arbitraryCapacities(random),
        ...(random.next() < 0.8 ? { skills: arbitrarySkills(random) } : {}),
        ...(random.next() < 0.3 ? { presence: random.pick(['AVAILABLE', 'AWAY', 'BUSY']) } : {}),
      },
    };
  }
  if (draw < 12) return { type: 'meridian.agent.sign_out.v1', subject: agent, data: {} };
  if (draw < 24) {
    const presence = random.pick([
      'AVAILABLE',
      'AVAILABLE',
      'AVAILABLE',
      'AWAY',
      'BUSY',
      'OFFLINE',
    ] as const);
    return {
      type: 'meridian.agent.set_presence.v1',
      subject: agent,
      data: { presence, ...(random.next() < 0.3 ? { reason: 'meal' } : {}) },
    };
  }
  if (draw < 29) {
    const settings = arbitrarySettings(random);
    return {
      type: 'meridian.queue.configure.v1',
      subject: random.pick(queueIds),
      data: { settings },
    };
  }
  if (draw < 31) {
    return { type: 'meridian.queue.delete.v1', subject: random.pick(queueIds), data: {} };
  }
  if (draw < 53) {
    const subject =
      random.next() < 0.1 && known.length > 1 ? random.pick(known.slice(0, -1)) : nextId();
    return {
      type: 'contact_queued',
      subject,
      enqueuedAt: new Date(nowMs - random.pick([0, 0, 3_000])).toISOString(),
      data: {
        queueId: random.pick(queueIds),
        channel: random.pick(channels),
        requirements: random.next() < 0.4 ? arbitraryRequirements(random) : [],
        ...(random.next() < 0.4 ? { priority: random.int(4) } : {}),
      },
    };
  }
  if (draw < 57) {
    const reason = 'meridian.contact.abandoned.v1';
    return { type: 'contact_ended', subject: random.pick(known), data: { reason } };
  }
  if (draw < 63) return { type: 'contact_wrapping', subject: random.pick(known) };
  if (draw < 73) return { type: 'contact_completed', subject: random.pick(known) };
  if (draw < 79) return { type: 'time_passed', subject: 'demo' };
  const offer = random.pick([
    ...(pending.length > 0 ? pending : live),
    { id: 'nothing-r1', agentId: agent },
  ]);
  const data = { agentId: random.next() < 0.95 ? offer.agentId : agent };
  if (draw < 93) return { type: 'meridian.reservation.accept.v1', subject: offer.id, data };
  return {
    type: 'meridian.reservation.reject.v1',
    subject: offer.id,
    data: { ...data, ...(random.next() < 0.5 ? { reason: 'later' } : {}) },
  };
}
