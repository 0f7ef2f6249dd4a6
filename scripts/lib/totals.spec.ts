import { describe, expect, it } from '@jest/globals';
import {
  add,
  FAILED,
  jestTotals,
  lastLine,
  PASSED,
  SKIPPED,
  skippedTests,
  type JestReport,
} from './totals.ts';

const report = (part: Partial<JestReport> = {}): JestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numTotalTestSuites: 1,
  numRuntimeErrorTestSuites: 0,
  testResults: [],
  ...part,
});

describe('totals', () => {
  it('adds up and prints in one form', () => {
    expect(lastLine([PASSED, PASSED, FAILED, SKIPPED].reduce(add))).toBe(
      '2 passed, 1 failed, 1 skipped',
    );
  });

  it('counts tests, suites that could not run, and tests not yet written', () => {
    const counted = report({
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      numRuntimeErrorTestSuites: 1,
    });
    expect(jestTotals(counted, 1)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  });

  it('never takes a broken run for a good one', () => {
    expect(jestTotals(undefined, 0)).toEqual(FAILED);
    expect(jestTotals(report({ numPassedTests: 3 }), 1)).toEqual({
      passed: 3,
      failed: 1,
      skipped: 0,
    });
    expect(jestTotals(report({ numPassedTests: 3 }), null)).toEqual({
      passed: 3,
      failed: 1,
      skipped: 0,
    });
  });

  it('names what was skipped', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a' },
      { status: 'pending', fullName: 'b, because there is no Postgres' },
      { status: 'todo', fullName: 'c' },
    ];
    expect(
      skippedTests(report({ testResults: [{ name: '/r/x.spec.ts', assertionResults }] }), '/r/'),
    ).toEqual(['x.spec.ts: b, because there is no Postgres (skipped)', 'x.spec.ts: c (todo)']);
  });
});
