import { usageFault } from '../fault.ts';
import type { Manifest } from './manifest.ts';

/** For how many days each tenant's messages are kept; `*` is for those that are not named. */
export type RetentionPolicy = Readonly<Record<string, number>>;

/** What of a tenant would go from the archives, by its policy. */
export interface TenantPlan {
  readonly tenant: string;
  readonly days: number;
  /** What was stored before then is due, RFC 3339. */
  readonly before: string;
  /** How many messages are due in archives that are older as a whole. */
  readonly due: number;
  /** How many more there are in archives that are older in part: some of these are due. */
  readonly dueInPart: number;
  /** When the next archive becomes due, RFC 3339; null when all are, or there is none. */
  readonly nextAt: string | null;
  /** What stops it. */
  readonly stops: readonly string[];
}

const dayMs = 86_400_000;
const meshTenant = 'meridian';

/** Reads a policy. @throws CommandFault (usage) when it is none */
export function parsePolicy(file: string, text: string): RetentionPolicy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below.
  }
  const isDays = (days: unknown): boolean => Number.isSafeInteger(days) && (days as number) >= 1;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (Object.hasOwn(value, meshTenant)) {
      throw usageFault(`${file} names ${meshTenant}: the mesh's own messages prove all others.`);
    }
    const days = Object.values(value);
    if (days.length > 0 && days.every(isDays)) return value as RetentionPolicy;
  }
  throw usageFault(
    `${file} is no retention policy: a JSON object of tenants and days, such as ` +
      '{ "demo": 365, "*": 730 }.',
  );
}

export interface PlanOptions {
  readonly policy: RetentionPolicy;
  readonly manifests: readonly Manifest[];
  readonly nowMs: number;
  /** What stops each tenant, and all of them. */
  readonly stopsOf: (tenant: string) => Promise<readonly string[]>;
}

/** What would go when, of every tenant that the policy or an archive names. */
export async function planRetention(options: PlanOptions): Promise<TenantPlan[]> {
  const { policy, manifests, nowMs, stopsOf } = options;
  const tenants = new Set([
    ...Object.keys(policy).filter((tenant) => tenant !== '*'),
    ...manifests.flatMap(({ tenants: parts }) => Object.keys(parts)),
  ]);
  tenants.delete(meshTenant);
  const plans: TenantPlan[] = [];
  for (const tenant of [...tenants].toSorted()) {
    const days = Object.hasOwn(policy, tenant) ? policy[tenant] : policy['*'];
    if (days === undefined) continue;
    const beforeMs = nowMs - days * dayMs;
    const parts = manifests.flatMap(({ tenants: all }) =>
      Object.hasOwn(all, tenant) ? (all[tenant] ?? []) : [],
    );
    const whole = parts.filter(({ lastStoredAt }) => Date.parse(lastStoredAt) < beforeMs);
    const rest = parts.filter((part) => !whole.includes(part));
    const begun = rest.filter(({ firstStoredAt }) => Date.parse(firstStoredAt) < beforeMs);
    const next = rest.map(({ lastStoredAt }) => Date.parse(lastStoredAt)).toSorted((a, b) => a - b);
    const count = (some: typeof parts): number => some.reduce((sum, one) => sum + one.messages, 0);
    plans.push({
      tenant,
      days,
      before: new Date(beforeMs).toISOString(),
      due: count(whole),
      dueInPart: count(begun),
      nextAt: next[0] === undefined ? null : new Date(next[0] + days * dayMs).toISOString(),
      stops: whole.length + begun.length === 0 ? [] : await stopsOf(tenant),
    });
  }
  return plans;
}
