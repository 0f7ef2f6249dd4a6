import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const lagBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/**
 * - `meridian_replication_lag_seconds{origin,stream}`: from stored there to held here, each entry
 * - `meridian_replication_behind_events{peer,stream}`, `meridian_replication_behind_seconds{peer,stream}`:
 *   what a peer lacks
 * - `meridian_rpo_at_risk_seconds`: age of the oldest own entry that no peer holds
 * - `meridian_peer_silent_seconds{peer}`: since a peer was heard last
 * - `meridian_lease_held`, `meridian_lease_remaining_seconds`, `meridian_lease_lapses_total`
 * - `meridian_owner{home}`: 1 where this region decides, `meridian_epoch{home}`, `meridian_epoch_changes_total{home}`
 * - `meridian_intake_open`, `meridian_isolated`, `meridian_control_silent`
 * - `meridian_orphans_total{home,fate}`: `adopted` or `set_aside`; `meridian_orphans_open{home}`
 */
export class RecoveryMetrics {
  readonly lag: Histogram<'origin' | 'stream'>;
  readonly behindEvents: Gauge<'peer' | 'stream'>;
  readonly behindSeconds: Gauge<'peer' | 'stream'>;
  readonly atRisk: Gauge;
  readonly peerSilent: Gauge<'peer'>;
  readonly leaseHeld: Gauge;
  readonly leaseRemaining: Gauge;
  readonly leaseLapses: Counter;
  readonly owner: Gauge<'home'>;
  readonly epoch: Gauge<'home'>;
  readonly epochChanges: Counter<'home'>;
  readonly intakeOpen: Gauge;
  readonly isolated: Gauge;
  readonly controlSilent: Gauge;
  readonly orphans: Counter<'home' | 'fate'>;
  readonly orphansOpen: Gauge<'home'>;

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> =>
      new Gauge({ name: `meridian_${name}`, help, labelNames, registers });
    const counter = <L extends string>(
      name: string,
      help: string,
      labelNames: L[] = [],
    ): Counter<L> => new Counter({ name: `meridian_${name}`, help, labelNames, registers });
    this.lag = new Histogram({
      name: 'meridian_replication_lag_seconds',
      help: 'From an entry stored at its origin to held here',
      labelNames: ['origin', 'stream'],
      buckets: lagBuckets,
      registers,
    });
    this.behindEvents = gauge('replication_behind_events', 'Own entries that a peer lacks', [
      'peer',
      'stream',
    ]);
    this.behindSeconds = gauge(
      'replication_behind_seconds',
      'Age of the oldest own entry that a peer lacks',
      ['peer', 'stream'],
    );
    this.atRisk = gauge('rpo_at_risk_seconds', 'Age of the oldest own entry that no peer holds');
    this.peerSilent = gauge('peer_silent_seconds', 'Since a peer was heard last', ['peer']);
    this.leaseHeld = gauge('lease_held', 'Whether this region holds its lease');
    this.leaseRemaining = gauge('lease_remaining_seconds', 'Until the lease of this region ends');
    this.leaseLapses = counter('lease_lapses_total', 'How often the lease ended unrenewed');
    this.owner = gauge('owner', 'Whether this region decides for a home', ['home']);
    this.epoch = gauge('epoch', 'The epoch of a home in force', ['home']);
    this.epochChanges = counter('epoch_changes_total', 'How often a home began an epoch', ['home']);
    this.intakeOpen = gauge('intake_open', 'Whether the way in is open');
    this.isolated = gauge('isolated', 'Whether neither a peer nor the control cluster is seen');
    this.controlSilent = gauge('control_silent', 'Whether the control cluster does not answer');
    this.orphans = counter('orphans_total', 'Entries beyond a seal that were accounted for', [
      'home',
      'fate',
    ]);
    this.orphansOpen = gauge('orphans_open', 'Entries beyond a seal not accounted for yet', [
      'home',
    ]);
  }
  /** Shows the counters of a home from the start: what is first seen at 1 has not increased. */
  begin(home: string): void {
    this.epochChanges.inc({ home }, 0);
    for (const fate of ['adopted', 'set_aside']) this.orphans.inc({ home, fate }, 0);
  }
}
