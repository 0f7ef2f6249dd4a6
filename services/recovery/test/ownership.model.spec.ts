import { describe, expect, it } from '@jest/globals';
import type { ModelOptions } from './model-types.ts';
import { Model } from './model.ts';

const play = (seed: string, options: Partial<ModelOptions> = {}): Model => {
  const model = new Model({
    seed,
    faultsMs: 60_000,
    calmMs: 40_000,
    faults: 6,
    requests: 3,
    ...options,
  });
  model.run();
  return model;
};

/** The first violation of a kind within so many seeds. */
function firstViolation(
  kind: RegExp,
  seeds: number,
  options: Partial<ModelOptions>,
): string | undefined {
  for (let seed = 0; seed < seeds; seed += 1) {
    const found = play(`planted ${seed}`, options).violations.find((one) => kind.test(one));
    if (found !== undefined) return found;
  }
  return undefined;
}

describe('the ownership of homes', () => {
  it('is never in two hands, and comes to rest in one, under any faults', () => {
    const seeds = Number(process.env['MERIDIAN_MODEL_SEEDS'] ?? 25);
    const totals = { takeovers: 0, plannedMoves: 0, decisions: 0, failed: 0 };
    for (let seed = 0; seed < seeds; seed += 1) {
      const model = play(`ownership ${seed}`);
      if (model.violations.length > 0) expect([seed, ...model.violations]).toEqual([seed]);
      totals.takeovers += model.counts.takeovers;
      totals.plannedMoves += model.counts.plannedMoves;
      totals.decisions += model.counts.decisions;
      totals.failed += model.counts.failed;
    }
    // The faults were such that something happened.
    expect(totals.takeovers).toBeGreaterThan(seeds / 2);
    expect(totals.plannedMoves).toBeGreaterThan(seeds / 4);
    expect(totals.decisions).toBeGreaterThan(seeds * 100);
  });
});

describe('the model notices', () => {
  it('a lease that never ends', () => {
    const plant: ModelOptions['plant'] = (_input, { lease }) => {
      if (lease.untilMs > 0) lease.untilMs = Number.MAX_SAFE_INTEGER;
    };
    expect(firstViolation(/both decide/, 100, { plant, faults: 12 })).toBeDefined();
  });

  it('a lease that others take for lapsed too early', () => {
    const plant: ModelOptions['plant'] = (_input, { settings }) => {
      Object.assign(settings, { guardMs: -1_500, leaseMs: 5_000 });
    };
    expect(firstViolation(/both decide/, 100, { plant, faults: 12 })).toBeDefined();
  });

  it('a seal before the deciders are at rest', () => {
    const plant: ModelOptions['plant'] = (_input, { grants }) => {
      grants.isAtRest = () => true;
    };
    expect(
      firstViolation(/after the seal|both decide/, 100, { plant, requests: 12 }),
    ).toBeDefined();
  });
});
