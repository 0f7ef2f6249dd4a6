import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { evaluate, metricsIn, type Sample } from '@meridian/testing';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { CopiesMetrics } from '../src/copies/index.ts';
import { RecoveryMetrics } from '../src/metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

const file = new URL('../../../deploy/alerts.yaml', import.meta.url);
const { groups } = parse(readFileSync(file, 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
/** Those of the audit are tried in services/audit/test/alerts.spec.ts. */
const rules = groups
  .filter(({ name }) => name !== 'meridian-audit')
  .flatMap((group) => group.rules);

/** A series whose value is a function of time, in seconds. */
type Series = readonly [
  name: string,
  labels: Record<string, string>,
  value: (at: number) => number,
];

const one = (value: number) => (): number => value;
/** Grows by 1 at a moment. */
const grows =
  (atSeconds: number) =>
  (at: number): number =>
    at >= atSeconds ? 1 : 0;

/** The seconds at which an alert fires, looked at every second for five minutes. */
function firing(rule: Rule, series: readonly Series[]): number[] {
  const at = (seconds: number): Sample[] =>
    series.map(([name, labels, value]) => ({
      name: `meridian_${name}`,
      labels,
      value: value(seconds),
    }));
  const forSeconds = { s: 1, m: 60 }[rule.for?.at(-1) ?? 's'] as number;
  const holdSeconds = Number.parseInt(rule.for ?? '0', 10) * forSeconds;
  const found: number[] = [];
  let since: number | undefined;
  for (let now = 0; now < 300; now += 1) {
    const isTrue = evaluate(rule.expr, (age) => at(now - age)).length > 0;
    since = isTrue ? (since ?? now) : undefined;
    if (since !== undefined && now >= since + holdSeconds) found.push(now);
  }
  return found;
}

const peer = { peer: 'us' };
const behind = (events: number, seconds: number, silent: number): Series[] => [
  ['replication_behind_events', { ...peer, stream: 'EV_eu' }, one(events)],
  ['replication_behind_seconds', { ...peer, stream: 'EV_eu' }, one(seconds)],
  ['peer_silent_seconds', peer, one(silent)],
];
const until =
  (seconds: number, bad: number, good: number) =>
  (at: number): number =>
    at >= 10 && at < 10 + seconds ? bad : good;

/** For each alert, what makes it fire, and what is near to it and must not. */
const cases: Record<string, { readonly fires: Series[]; readonly silent: Series[] }> = {
  MeridianReplicationLag: {
    fires: behind(9, 1.5, 0),
    silent: [['replication_behind_seconds', peer, until(10, 5, 0)]],
  },
  MeridianRpoAtRisk: {
    fires: [['rpo_at_risk_seconds', {}, one(2)]],
    silent: [['rpo_at_risk_seconds', {}, until(3, 5, 0.02)]],
  },
  MeridianMirrorNotComingBack: { fires: behind(9, 40, 1), silent: behind(9, 40, 100) },
  MeridianPeerSilent: {
    fires: [['peer_silent_seconds', peer, one(11)]],
    silent: [['peer_silent_seconds', peer, one(2)]],
  },
  MeridianLeaseEnding: {
    fires: [['lease_remaining_seconds', {}, one(0.2)]],
    silent: [['lease_remaining_seconds', {}, (at) => (at % 3 === 0 ? 1 : 3.8)]],
  },
  MeridianLeaseLapsed: {
    fires: [['lease_held', {}, one(0)]],
    silent: [['lease_held', {}, until(3, 0, 1)]],
  },
  MeridianEpochChanged: {
    fires: [['epoch_changes_total', { home: 'eu' }, grows(20)]],
    silent: [['epoch_changes_total', { home: 'eu' }, one(7)]],
  },
  MeridianIsolated: {
    fires: [['isolated', {}, one(1)]],
    silent: [['isolated', {}, until(3, 1, 0)]],
  },
  MeridianControlSilent: {
    fires: [['control_silent', {}, one(1)]],
    silent: [['control_silent', {}, until(3, 1, 0)]],
  },
  MeridianIntakeShut: {
    fires: [['intake_open', {}, one(0)]],
    silent: [['intake_open', {}, until(5, 0, 1)]],
  },
  MeridianOrphansSetAside: {
    fires: [['orphans_total', { home: 'eu', fate: 'set_aside' }, grows(20)]],
    silent: [['orphans_total', { home: 'eu', fate: 'adopted' }, grows(20)]],
  },
  MeridianOrphansOpen: {
    fires: [
      ['orphans_open', { home: 'eu' }, one(3)],
      ['owner', { home: 'eu' }, one(1)],
    ],
    silent: [
      ['orphans_open', { home: 'eu' }, one(3)],
      ['owner', { home: 'eu' }, one(0)],
      ['owner', { home: 'us' }, one(1)],
    ],
  },
  MeridianCopiesDiffer: {
    fires: [['copies_undecided', { stream: 'EV_eu' }, one(1)]],
    silent: [['copies_undecided', { stream: 'EV_eu' }, one(0)]],
  },
  MeridianCopyWrong: {
    fires: [['copies_wrong', { stream: 'EV_eu', region: 'us', fault: 'LOST' }, one(1)]],
    silent: [['copies_wrong', { stream: 'EV_eu', region: 'us', fault: 'LOST' }, until(60, 1, 0)]],
  },
  MeridianCopyMended: {
    fires: [['copies_mended_total', { stream: 'EV_eu', fault: 'LOST' }, grows(20)]],
    silent: [['copies_mended_total', { stream: 'EV_eu', fault: 'LOST' }, one(2)]],
  },
};

describe('the alert rules', () => {
  it('have a case each', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(Object.keys(cases));
  });

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s looks at metrics that are exposed, and says what to do',
    (_, { expr, labels, annotations }) => {
      const registry = new Registry();
      const all = [new RecoveryMetrics(registry), new CopiesMetrics(registry)];
      expect(all).toHaveLength(2);
      const exposed = new Set(Object.values(registry.getMetricsAsArray()).map(({ name }) => name));
      expect(metricsIn(expr).filter((name) => !exposed.has(name))).toEqual([]);
      expect(metricsIn(expr)).not.toEqual([]);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.action).not.toBe('');
    },
  );

  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s fires, and is silent',
    (_, rule) => {
      const { fires, silent } = cases[rule.alert] as (typeof cases)[string];
      expect(firing(rule, fires).length).toBeGreaterThan(0);
      expect(firing(rule, silent)).toEqual([]);
    },
  );

  it('use labels that their metrics have', async () => {
    const registry = new Registry();
    const metrics = new RecoveryMetrics(registry);
    metrics.begin('eu');
    metrics.behindSeconds.set({ peer: 'us', stream: 'EV_eu' }, 2);
    const text = await registry.metrics();
    expect(text).toContain('meridian_orphans_total{home="eu",fate="set_aside"} 0');
    expect(text).toContain('meridian_epoch_changes_total{home="eu"} 0');
    expect(text).toContain('meridian_replication_behind_seconds{peer="us",stream="EV_eu"} 2');
  });
});
