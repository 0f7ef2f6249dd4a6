import type { Receipt } from '@meridian/cli';

/** The worst of each promise over several drills, and how often it was kept. */
export function renderWorst(receipts: readonly Receipt[]): string {
  const byPromise = new Map<string, Receipt['verdicts'][number][]>();
  for (const { verdicts } of receipts) {
    for (const verdict of verdicts) {
      const key = `${verdict.promise} (${verdict.bound} ${verdict.limit} ${verdict.unit})`;
      byPromise.set(key, [...(byPromise.get(key) ?? []), verdict]);
    }
  }
  const lines = [...byPromise].map(([promise, verdicts]) => {
    const kept = verdicts.filter((one) => one.kept).length;
    const verdict = kept === verdicts.length ? 'kept  ' : 'BROKEN';
    const counts = `kept ${kept} of ${verdicts.length}`;
    return `${verdict}  worst ${worstOf(verdicts)}, ${counts}: ${promise}\n`;
  });
  const passed = receipts.filter((one) => one.passed).length;
  return `\nThe worst of ${receipts.length} drills, ${passed} of which kept every promise:\n${lines.join('')}`;
}

function worstOf(verdicts: readonly Receipt['verdicts'][number][]): string {
  const measured = verdicts.map((one) => one.measured);
  if (measured.includes(null)) return 'not measured';
  const figures = measured as number[];
  return String(verdicts[0]?.bound === 'at most' ? Math.max(...figures) : Math.min(...figures));
}
