export { AuditModule } from './audit.module.ts';
export { Audit, type AuditOptions } from './audit.ts';
export { AuditMetrics } from './metrics.ts';
export type { OrderedLog, OrderedMessage } from './order/ordered-log.ts';
export { ORDERED_LOG } from './order/tokens.ts';
export { defaultSettings, readAuditSettings, type AuditSettings } from './settings.ts';
