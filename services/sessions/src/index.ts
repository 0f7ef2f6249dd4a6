export { contactDecider, dueAtMs, isOver } from './domain/contact.ts';
export type { Command, Contact, ContactRejection } from './domain/contact.ts';
export { react } from './domain/react.ts';
