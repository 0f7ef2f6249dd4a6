/** Counting: what a run of checks and of Jest adds up to. */

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of Jest's `--json` report that is counted. */
export interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numTotalTestSuites: number;
  /** Suites that could not run at all: their tests are in no other number. */
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export const NOTHING: Totals = { passed: 0, failed: 0, skipped: 0 };
export const PASSED: Totals = { ...NOTHING, passed: 1 };
export const FAILED: Totals = { ...NOTHING, failed: 1 };
export const SKIPPED: Totals = { ...NOTHING, skipped: 1 };

export const add = (a: Totals, b: Totals): Totals => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

export const lastLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** A run that left no report, or failed without a failed test, counts as one failure. */
export function jestTotals(report: JestReport | undefined, exitCode: number | null): Totals {
  if (report === undefined) return FAILED;
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Names of the tests that did not run; a skipped test says why in its name. */
export function skippedTests(report: JestReport, root: string): string[] {
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => ['pending', 'skipped', 'disabled', 'todo'].includes(status))
      .map(({ fullName, status }) => {
        const state = status === 'todo' ? 'todo' : 'skipped';
        return `${name.replace(root, '')}: ${fullName} (${state})`;
      }),
  );
}
