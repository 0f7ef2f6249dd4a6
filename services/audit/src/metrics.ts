import { Gauge, type Registry } from 'prom-client';

/**
 * - `meridian_audit_ordered_messages`: how many messages of the one order can be read here
 * - `meridian_audit_order_ranges`: how many ranges the order is kept in
 * - `meridian_audit_checkpoint_size`: how many the last signed checkpoint covers
 * - `meridian_audit_agreed_size`: up to where this region signed or cosigned since it started
 * - `meridian_audit_checkpoint_disputed`: 1 when a signed checkpoint is not what is held here
 */
export class AuditMetrics {
  readonly ordered: Gauge;
  readonly ranges: Gauge;
  readonly checkpoint: Gauge;
  readonly agreed: Gauge;
  readonly disputed: Gauge;

  constructor(registry: Registry) {
    const gauge = (name: string, help: string): Gauge =>
      new Gauge({ name: `meridian_audit_${name}`, help, registers: [registry] });
    this.ordered = gauge('ordered_messages', 'Messages of the one order that can be read here');
    this.ranges = gauge('order_ranges', 'Ranges that the order is kept in');
    this.checkpoint = gauge('checkpoint_size', 'Messages that the last signed checkpoint covers');
    this.agreed = gauge('agreed_size', 'Messages up to which this region signed or cosigned');
    this.disputed = gauge('checkpoint_disputed', 'Whether a checkpoint is not what is held here');
  }
}
