import { meshTenant } from '@meridian/journal';
import { identifierPattern, type AggregateId, type ParsedSubject } from '@meridian/wire';

/** What the name of a stream means to the one who asks. */
export type NamedStream =
  | { readonly kind: 'aggregate'; readonly aggregate: AggregateId }
  /** The requests that came in by one region's edges. */
  | { readonly kind: 'intake'; readonly tenant: string; readonly region: string }
  /** Everything of one kind of aggregate, or all requests (`intake`), as links. */
  | { readonly kind: 'category'; readonly tenant: string; readonly entity: string };

/** Whose streams may be appended to: `custom-<name>`. */
export const customEntity = 'custom';
const intakeEntity = 'intake';
const categoryPrefix = '$ce-';
const namePattern = /^(?:([A-Za-z0-9_-]{1,72})~)?([a-z0-9_]{1,72})(?:-(.+))?$/;

/** Whether a key of the tenant `viewer` sees what is of `tenant`: its own; an operator's key sees all. */
export const sees = (viewer: string, tenant: string): boolean =>
  viewer === tenant || viewer === meshTenant;

/** What stands before a name where an operator looks at another tenant's stream. */
const prefixFor = (viewer: string, tenant: string): string =>
  viewer === tenant ? '' : `${tenant}~`;

/** `<entity>-<id>`, as the viewer names it. */
export function streamNameOf(viewer: string, { tenant, entity, id }: AggregateId): string {
  return `${prefixFor(viewer, tenant)}${entity}-${id}`;
}

/** `intake-<region>`, as the viewer names it. */
export function intakeNameOf(viewer: string, tenant: string, region: string): string {
  return `${prefixFor(viewer, tenant)}${intakeEntity}-${region}`;
}

/** `$ce-<entity>`, as the viewer names it. */
export function categoryNameOf(viewer: string, tenant: string, entity: string): string {
  return `${categoryPrefix}${prefixFor(viewer, tenant)}${entity}`;
}

/**
 * Reads the name of a stream.
 * @param viewer the tenant of the key that asks
 * @param regions of the mesh
 * @returns undefined when there can be no such stream; `denied` when it is another tenant's
 */
export function parseStreamName(
  name: string,
  viewer: string,
  regions: readonly string[],
): NamedStream | 'denied' | undefined {
  const isCategory = name.startsWith(categoryPrefix);
  const bare = isCategory ? name.slice(categoryPrefix.length) : name;
  const [, tenant = viewer, entity, id] = namePattern.exec(bare) ?? [];
  if (entity === undefined || isCategory !== (id === undefined)) return undefined;
  if (!sees(viewer, tenant)) return 'denied';
  if (id === undefined) return { kind: 'category', tenant, entity };
  if (!identifierPattern.test(id)) return undefined;
  if (entity !== intakeEntity) return { kind: 'aggregate', aggregate: { tenant, entity, id } };
  return regions.includes(id) ? { kind: 'intake', tenant, region: id } : undefined;
}

/** Whether what stands under an address is part of a stream. */
export function holds(stream: NamedStream, address: ParsedSubject): boolean {
  const { kind, tenant, entity, id, region } = address;
  if (stream.kind === 'aggregate') {
    const { aggregate } = stream;
    if (kind !== 'ev' || tenant !== aggregate.tenant) return false;
    return entity === aggregate.entity && id === aggregate.id;
  }
  if (tenant !== stream.tenant) return false;
  if (stream.kind === 'intake') return kind === 'in' && region === stream.region;
  return kind === 'in' ? stream.entity === intakeEntity : stream.entity === entity;
}
