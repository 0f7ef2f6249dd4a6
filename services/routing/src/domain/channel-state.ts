import type { Channel } from '@meridian/wire';
import type { Agent } from './agent.ts';

/** The state of one channel of an agent, as agents and supervisors see it. */
export type ChannelState = 'OFF_QUEUE' | 'IDLE' | 'OFFERED' | 'INTERACTING' | 'ACW' | 'AT_CAPACITY';

/** The agent's state on one channel; see the two axes in the vocabulary. */
export function channelState(agent: Agent, channel: Channel): ChannelState {
  const stages = [...agent.open.values()]
    .filter((open) => open.channel === channel)
    .map((open) => open.stage);
  const limit = agent.capacities.get(channel) ?? 0;
  if (stages.length > 0 && stages.length >= limit && limit > 1) return 'AT_CAPACITY';
  if (stages.includes('PENDING')) return 'OFFERED';
  if (stages.includes('ACCEPTED')) return 'INTERACTING';
  if (stages.includes('WRAPPING')) return 'ACW';
  return limit > 0 && agent.presence === 'AVAILABLE' && !agent.isSigningOut ? 'IDLE' : 'OFF_QUEUE';
}
