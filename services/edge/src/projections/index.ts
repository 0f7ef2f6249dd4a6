export { agents, agentsProjection, channelsOf } from './agents.ts';
export type { AgentChannel, AgentRow, ChannelState, OpenReservation } from './agents.ts';
export { contacts, contactsProjection, timeline, timelineProjection } from './contacts.ts';
export type { ContactRow, TimelineRow } from './contacts.ts';
export { figuresOf, queues, queuesProjection } from './queues.ts';
export type { QueueFigures, QueueRow } from './queues.ts';
export { openReadModels, ReadModels } from './read-models.ts';
export type { ReadModelsOptions } from './read-models.ts';
export { migrationsFolder, projections, projectorName } from './tables.ts';
