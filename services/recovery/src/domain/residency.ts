import type { State } from './state.ts';

/** Why a home may not be moved to a region. */
export interface OutsideResidency {
  readonly code: 'OUTSIDE_RESIDENCY';
  readonly reason: string;
}

/**
 * Whether a tenant's data may not be in a region to which a home is to be moved: where the tenant's
 * set names the home's own region, it must name the next owner too.
 * @returns the first such tenant, by name; undefined when there is none
 */
export function outsideResidency(
  residency: State['residency'],
  home: string,
  to: string,
): OutsideResidency | undefined {
  if (to === home) return undefined;
  const tenants = [...residency].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const found = tenants.find(([, regions]) => regions.includes(home) && !regions.includes(to));
  if (found === undefined) return undefined;
  const [tenant, regions] = found;
  return {
    code: 'OUTSIDE_RESIDENCY',
    reason: `Data of the tenant ${tenant} at home in ${home} may be in ${regions.join(', ')} only, not in ${to}.`,
  };
}
