import { areEqual, type CopiedMessage } from './copied-message.ts';

/** What reading the same range of sequences in one region has shown. */
export interface ReadCopy {
  readonly region: string;
  /** The last sequence stored there when the reading began; -1 while there is no such stream. */
  readonly last: number;
  readonly messages: ReadonlyMap<number, CopiedMessage>;
}

export type Fault =
  /** There is no stream of this name. */
  | 'MISSING'
  /** The origin has lost what it had stored last: it would use sequences again. */
  | 'SHORT'
  /** Messages cannot be read that another copy has. */
  | 'LOST_MESSAGES'
  /** Messages are not what the other copies have. */
  | 'CHANGED'
  /** The origin used sequences again for other messages. */
  | 'REUSED_SEQUENCES'
  /** A mirror has got nothing for long though its origin goes on. */
  | 'STALLED';

export interface Verdict {
  /** Whose copies are wrong, and what is wrong with them. */
  readonly wrong: Readonly<Record<string, Fault>>;
  /** Regions whose copies differ without a sign of which is right. */
  readonly undecided: readonly string[];
  /** The first sequence at which copies differ. */
  readonly sequence?: number;
}

const sound: Verdict = { wrong: {}, undecided: [] };

/**
 * Who is wrong about a range of sequences of a stream. Only what was read counts: a region that did
 * not answer is left out. A mirror never invents anything, so what it holds beyond the origin's end the
 * origin has lost; a copy that cannot read a message is wrong if another can; two equal copies are right
 * against a third; and where two differ and no third can tell, an origin that stored its message
 * later than the mirror's has used the sequence again.
 * @param copies all read after the last of the lengths was known; that of the origin is read last
 */
export function judge(
  origin: string,
  copies: readonly ReadCopy[],
  range: { readonly from: number; readonly to: number },
): Verdict {
  const present = copies.filter(({ last }) => last >= range.from);
  const sequence = firstDifference(present, range);
  const content = sequence === undefined ? sound : judgeSequence(origin, present, sequence);
  const ends = copies.filter(({ region }) => !(region in content.wrong)).map(({ last }) => last);
  const furthest = Math.max(-1, ...ends);
  const wrong: Record<string, Fault> = { ...content.wrong };
  for (const { region, last } of copies) {
    if (last === -1 && furthest >= 0) wrong[region] = 'MISSING';
    else if (region === origin && last < furthest) wrong[region] ??= 'SHORT';
  }
  return { ...content, wrong, ...(sequence === undefined ? {} : { sequence }) };
}

/** The first sequence that copies which reach so far do not all hold in the same form. */
function firstDifference(
  copies: readonly ReadCopy[],
  { from, to }: { readonly from: number; readonly to: number },
): number | undefined {
  for (let sequence = from; sequence <= to; sequence += 1) {
    const there = copies.filter(({ last }) => last >= sequence);
    if (there.length < 2) return undefined;
    if (groupsAt(there, sequence).length > 1) return sequence;
  }
  return undefined;
}

interface Group {
  readonly message: CopiedMessage | undefined;
  readonly regions: string[];
}

function groupsAt(copies: readonly ReadCopy[], sequence: number): Group[] {
  const groups: Group[] = [];
  for (const { region, messages } of copies) {
    const message = messages.get(sequence);
    const same = groups.find((group) =>
      group.message === undefined || message === undefined
        ? group.message === message
        : areEqual(group.message, message),
    );
    if (same === undefined) groups.push({ message, regions: [region] });
    else same.regions.push(region);
  }
  return groups;
}

function judgeSequence(origin: string, copies: readonly ReadCopy[], sequence: number): Verdict {
  const wrong: Record<string, Fault> = {};
  const groups = groupsAt(
    copies.filter(({ last }) => last >= sequence),
    sequence,
  );
  const readable = groups.filter(({ message }) => message !== undefined);
  for (const { message, regions } of groups) {
    if (message === undefined) for (const region of regions) wrong[region] = 'LOST_MESSAGES';
  }
  if (readable.length < 2) return { wrong, undecided: [] };
  const most = Math.max(...readable.map(({ regions }) => regions.length));
  const right = readable.filter(({ regions }) => regions.length === most);
  const byOrigin = readable.find(({ regions }) => regions.includes(origin));
  const others = readable.filter((group) => group !== byOrigin);
  const isReused =
    byOrigin !== undefined &&
    byOrigin.regions.length === 1 &&
    others.length === 1 &&
    others.every(({ message }) => isLater(byOrigin.message, message));
  if (isReused) {
    return { wrong: { ...wrong, [origin]: 'REUSED_SEQUENCES' }, undecided: [] };
  }
  if (right.length === 1) {
    for (const group of readable) {
      if (group === right[0]) continue;
      for (const region of group.regions) wrong[region] = 'CHANGED';
    }
    return { wrong, undecided: [] };
  }
  return { wrong, undecided: readable.flatMap(({ regions }) => regions) };
}

/** RFC 3339 in UTC with up to nine digits, trailing zeros left out: not comparable as text. */
function isLater(one: CopiedMessage | undefined, other: CopiedMessage | undefined): boolean {
  return (
    one !== undefined && other !== undefined && nanosOf(one.storedAt) > nanosOf(other.storedAt)
  );
}

function nanosOf(storedAt: string): bigint {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(storedAt) ?? [];
  const ms = Date.parse(`${seconds}Z`);
  return BigInt(Number.isNaN(ms) ? 0 : ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
