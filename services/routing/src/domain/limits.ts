import type { QueueSettings } from '@meridian/wire';

/** How many candidates `routing.decided` lists. */
export const listedCandidatesLimit = 5;
/** How many excluded agents it names per reason. */
export const listedExclusionsLimit = 3;
/** How long a partition is not lent a contact again that it gave back. */
export const lendBackOffMs = 5_000;
/** How many contacts are lent at once, and how many are looked at for it; others have their turn. */
export const lendsAtOnceLimit = 50;
export const lendLooksLimit = 1_000;
/** The name and version of the rule that chooses; it changes with its meaning. */
export const algorithm = 'skills-longest-idle/1';

/** How a queue works until it is configured. */
export const defaultQueueSettings: QueueSettings = {
  requirements: [],
  strategy: 'LONGEST_IDLE',
  offerTtlMs: 20_000,
  ageingMsPerLevel: 60_000,
  serviceLevelMs: 20_000,
};
