import { canonicalJson } from './canonical.ts';
import { countRanges, totalsOf, verdictsOf } from './build.ts';
import { durabilities, type Epoch, type Lost, type Receipt, type Takeover } from './receipt.ts';

/**
 * What does not fit together in a receipt: counts that do not add up, verdicts that do not follow
 * from the figures, epochs with a gap. Judged from the receipt alone.
 * @returns a sentence each, with what was expected and what stands there; empty when all fits
 */
export function inconsistenciesOf(receipt: Receipt): string[] {
  const { totals, verdicts, passed } = receipt;
  const expected = totalsOf(receipt);
  return [
    ...differences('totals', expected, totals),
    ...differences('verdicts', verdictsOf(receipt, expected), verdicts),
    ...(passed === verdicts.every(({ kept }) => kept)
      ? []
      : [`passed is ${passed}, and that does not follow from the verdicts.`]),
    ...times(receipt),
    ...inTime(receipt, expected.acknowledged),
    ...lostOf('missing', receipt.missing, receipt),
    ...lostOf('lost', receipt.lost, receipt),
    ...ownership(receipt),
    ...orphans(receipt),
  ];
}

function differences(name: string, expected: unknown, found: unknown): string[] {
  const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a) === canonicalJson(b);
  if (isSame(expected, found)) return [];
  if (typeof expected !== 'object' || expected === null || typeof found !== 'object' || !found) {
    return [
      `${name} is ${canonicalJson(found ?? null)}; from the figures follows ${canonicalJson(expected ?? null)}.`,
    ];
  }
  const wanted = expected as Record<string, unknown>;
  const given = found as Record<string, unknown>;
  return [...new Set([...Object.keys(wanted), ...Object.keys(given)])].flatMap((key) =>
    differences(`${name}/${key}`, wanted[key] ?? null, given[key] ?? null),
  );
}

function times({ startedAt, endedAt, times: measured, actions, takeovers }: Receipt): string[] {
  const problems: string[] = [];
  const tookMs = Date.parse(endedAt) - Date.parse(startedAt);
  if (!(tookMs >= 0)) problems.push(`endedAt (${endedAt}) is not after startedAt (${startedAt}).`);
  const { detectionMs, takeoverMs, firstOfferMs } = measured;
  if (detectionMs !== null && takeoverMs !== null && takeoverMs < detectionMs) {
    problems.push(`The takeover (${takeoverMs} ms) is before its detection (${detectionMs} ms).`);
  }
  if (firstOfferMs !== null && takeoverMs !== null && firstOfferMs < takeoverMs) {
    problems.push(
      `The first offer (${firstOfferMs} ms) is before the takeover (${takeoverMs} ms).`,
    );
  }
  const late = [
    ...actions.map(({ atMs, what }) => [what, atMs] as const),
    ...takeovers.map((one) => [`epoch ${one.epoch} of ${one.home}`, one.completedAtMs] as const),
  ].filter(([, atMs]) => atMs > tookMs);
  return [...problems, ...late.map(([what, atMs]) => `${what} (${atMs} ms) is after the end.`)];
}

function inTime({ publishing }: Receipt, acknowledged: number): string[] {
  const { acknowledgedInTime } = publishing;
  if (acknowledgedInTime <= acknowledged) return [];
  return [`${acknowledgedInTime} were acknowledged in time, and ${acknowledged} in all.`];
}

function lostOf(name: string, { count, ranges, rangesLeftOut }: Lost, receipt: Receipt): string[] {
  const listed = countRanges(ranges);
  const { acknowledged } = receipt.publishing;
  return durabilities.flatMap((durability) => {
    const problems: string[] = [];
    const isFit =
      rangesLeftOut === 0
        ? listed[durability] === count[durability]
        : listed[durability] <= count[durability];
    if (!isFit) {
      problems.push(
        `${name}/count/${durability} is ${count[durability]}; its ranges hold ${listed[durability]}.`,
      );
    }
    if (count[durability] > acknowledged[durability]) {
      problems.push(
        `${name}/count/${durability} is ${count[durability]}, and ${acknowledged[durability]} were acknowledged.`,
      );
    }
    return problems;
  });
}

function ownership({ ownership: homes, takeovers, parameters }: Receipt): string[] {
  return [
    ...Object.entries(homes).flatMap(([home, epochs]) => epochProblems(home, epochs)),
    ...takeovers.flatMap((takeover) => takeoverProblems(takeover, homes[takeover.home] ?? [])),
    ...parameters.regions
      .filter((region) => !(region in homes))
      .map((region) => `ownership says nothing of ${region}.`),
  ];
}

function epochProblems(home: string, epochs: readonly Epoch[]): string[] {
  return epochs.flatMap(({ epoch, upTo }, index) => {
    const problems: string[] = [];
    if (epoch !== index + 1) problems.push(`Home ${home} has epoch ${epoch} after ${index}.`);
    if ((upTo === null) !== (index === epochs.length - 1)) {
      problems.push(
        upTo === null
          ? `Epoch ${epoch} of ${home} has no seal, and another follows.`
          : `Epoch ${epoch} of ${home} is sealed, and none follows.`,
      );
    }
    return problems;
  });
}

function takeoverProblems(takeover: Takeover, epochs: readonly Epoch[]): string[] {
  const { home, epoch, from, to } = takeover;
  const isKnown = epochs[epoch - 1]?.owner === to && epochs[epoch - 2]?.owner === from;
  return isKnown
    ? []
    : [`The takeover of ${home} from ${from} to ${to} (epoch ${epoch}) is not in its epochs.`];
}

function orphans({ orphans: { found, adopted, setAside } }: Receipt): string[] {
  return adopted + setAside > found
    ? [`${adopted} orphans adopted and ${setAside} set aside are more than the ${found} found.`]
    : [];
}
