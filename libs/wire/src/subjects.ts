/** Whom an aggregate belongs to and what it is. */
export interface AggregateId {
  readonly tenant: string;
  /** The kind of aggregate: `contact` or `routing`. */
  readonly entity: string;
  readonly id: string;
}

export const intakeStream = (region: string): string => `IN_${region}`;
export const eventStream = (region: string): string => `EV_${region}`;
export const asideStream = (region: string): string => `ASIDE_${region}`;

/** `in.<region>.<tenant>.<home>.<entity>.<id>`: where a request waits to be decided. */
export function intakeSubject(
  region: string,
  home: string,
  { tenant, entity, id }: AggregateId,
): string {
  return `in.${region}.${tenant}.${home}.${entity}.${id}`;
}

/** `ev.<region>.<home>.<tenant>.<entity>.<id>`: where an aggregate's decisions are. */
export function eventSubject(
  region: string,
  home: string,
  { tenant, entity, id }: AggregateId,
): string {
  return `ev.${region}.${home}.${tenant}.${entity}.${id}`;
}

export interface ParsedSubject extends AggregateId {
  readonly kind: 'in' | 'ev';
  readonly region: string;
  readonly home: string;
}

/** Takes an intake or event subject apart; undefined when it is neither. */
export function parseSubject(subject: string): ParsedSubject | undefined {
  const [kind, region, third, fourth, entity, id, ...rest] = subject.split('.');
  if ((kind !== 'in' && kind !== 'ev') || rest.length > 0) return undefined;
  if (!region || !third || !fourth || !entity || !id) return undefined;
  const [home, tenant] = kind === 'ev' ? [third, fourth] : [fourth, third];
  return { kind, region, home, tenant, entity, id };
}
