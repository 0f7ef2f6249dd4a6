export { contactDecider, dueAtMs, isOver } from './domain/contact.ts';
export type { Command, Contact, ContactRejection } from './domain/contact.ts';
export { react } from './domain/react.ts';
export type { StoredEvent } from './domain/react.ts';
export { SessionsModule } from './sessions.module.ts';
export { Sessions } from './sessions.ts';
export type { ContactOutcome, SessionsOptions } from './sessions.ts';
