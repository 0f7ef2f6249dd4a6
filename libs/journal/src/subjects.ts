/** Says whether a subject is meant. */
export type SubjectPredicate = (subject: string) => boolean;

/** Whether `subject` is under `filter`: `*` stands for one token, a last `>` for the rest. */
export function matchesFilter(filter: string, subject: string): boolean {
  return compileFilter(filter)(subject);
}

/** Whether a filter has wildcards; without them it is a subject. */
export function hasWildcard(filter: string): boolean {
  return /(?:^|\.)(?:\*(?:\.|$)|>$)/.test(filter);
}

/** One predicate for many subjects; no filters at all mean every subject. */
export function compileFilters(filters: readonly string[] | undefined): SubjectPredicate {
  if (filters === undefined || filters.length === 0) return () => true;
  const predicates = filters.map(compileFilter);
  if (predicates.length === 1 && predicates[0] !== undefined) return predicates[0];
  return (subject) => predicates.some((matches) => matches(subject));
}

function compileFilter(filter: string): SubjectPredicate {
  if (filter === '>') return () => true;
  if (!hasWildcard(filter)) return (subject) => subject === filter;
  const open = filter.endsWith('.>');
  const fixed = open ? filter.slice(0, -2) : filter;
  if (open && !hasWildcard(fixed)) {
    const prefix = `${fixed}.`;
    return (subject) => subject.length > prefix.length && subject.startsWith(prefix);
  }
  const tokens = fixed.split('.');
  return (subject) => {
    const parts = subject.split('.');
    if (open ? parts.length <= tokens.length : parts.length !== tokens.length) return false;
    return tokens.every((token, index) => token === '*' || token === parts[index]);
  };
}

/** Whether every subject under `inner` is under `outer`. */
export function covers(outer: string, inner: string): boolean {
  const outside = outer.split('.');
  const inside = inner.split('.');
  for (let index = 0; index < outside.length; index++) {
    const token = outside[index];
    if (token === '>') return inside.length > index;
    if (index >= inside.length || inside[index] === '>') return false;
    if (token !== '*' && token !== inside[index]) return false;
  }
  return inside.length === outside.length;
}

/** Whether some subject is under both filters. */
export function overlap(left: string, right: string): boolean {
  const lefts = left.split('.');
  const rights = right.split('.');
  for (let index = 0; ; index++) {
    const a = lefts[index];
    const b = rights[index];
    if (a === undefined || b === undefined) return a === b;
    if (a === '>' || b === '>') return true;
    if (a !== b && a !== '*' && b !== '*') return false;
  }
}

/**
 * Filters that together mean the same and of which no two overlap, as a consumer demands;
 * undefined when that takes a look at each subject.
 */
export function disjointFilters(filters: readonly string[]): string[] | undefined {
  const unique = [...new Set(filters)];
  const kept = unique.filter(
    (filter) => !unique.some((other) => other !== filter && covers(other, filter)),
  );
  const clash = kept.some((a, index) => kept.slice(index + 1).some((b) => overlap(a, b)));
  return clash ? undefined : kept;
}
