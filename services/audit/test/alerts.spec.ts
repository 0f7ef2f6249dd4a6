import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, evaluate, metricsIn, type Sample } from '@meridian/testing';
import { Registry } from 'prom-client';
import { AuditMetrics } from '../src/metrics.ts';
import { altered, AuditBed } from './audit-bed.ts';

const file = new URL('../../../deploy/alerts.yaml', import.meta.url);
const [, group = ''] = readFileSync(file, 'utf8').split('- name: meridian-audit\n');
const names = [...group.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
const expressions = [...group.matchAll(/^ +expr: (.+)$/gm)].map(([, text]) => text as string);

/** What the audit of a region exposes at this moment. */
async function exposed(registry: Registry): Promise<Sample[]> {
  const all = await registry.getMetricsAsJSON();
  return all.flatMap(({ name, values }) =>
    values.map(({ labels, value }) => ({ name, labels: labels as Record<string, string>, value })),
  );
}

describe('the alert rules of the audit', () => {
  let bed: AuditBed;
  afterEach(() => bed.close());

  it('look at metrics that are exposed', () => {
    bed = new AuditBed();
    const registry = new Registry();
    expect(new AuditMetrics(registry)).toBeDefined();
    const known = registry.getMetricsAsArray().map(({ name }) => name);
    expect(names).toEqual(['MeridianCheckpointDisputed']);
    for (const name of expressions.flatMap(metricsIn)) expect(known).toContain(name);
  });

  it('fire where a region holds something else than was signed, and are silent elsewhere', async () => {
    bed = new AuditBed(['eu', 'us', 'ap']);
    const registries = { eu: new Registry(), us: new Registry(), ap: new Registry() };
    const { log } = bed;
    await bed.open('eu', { registry: registries.eu });
    await bed.open('us', { registry: registries.us, log: altered(log, 'EV_eu', 1) });
    await bed.open('ap', { registry: registries.ap });
    await bed.call('eu', 'c1');
    const [expression = ''] = expressions;
    const fires = async (registry: Registry): Promise<boolean> => {
      const samples = await exposed(registry);
      return evaluate(expression, () => samples).length > 0;
    };
    const agreed = async (registry: Registry): Promise<number> =>
      (await exposed(registry)).find(({ name }) => name === 'meridian_audit_agreed_size')?.value ??
      0;
    await eventually(
      'the alert, and that ap agrees',
      async () => {
        await bed.report();
        return (await fires(registries.us)) && (await agreed(registries.ap)) > 0;
      },
      { timeoutMs: 50_000 },
    );
    expect(await Promise.all([fires(registries.eu), fires(registries.ap)])).toEqual([false, false]);
  });
});
