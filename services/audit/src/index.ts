export type { OrderedLog, OrderedMessage } from './order/ordered-log.ts';
