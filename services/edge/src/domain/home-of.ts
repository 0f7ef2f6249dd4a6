import type { HomeDirectory } from './home-directory.ts';

/** What is looked at to find where a request belongs. */
export interface Addressed {
  readonly type: string;
  readonly tenant: string;
  readonly subject: string;
  /** The home that the request itself names. */
  readonly region?: string;
}

/** Requests that bring something into being: it belongs to the region that it enters. */
const creating: ReadonlySet<string> = new Set([
  'meridian.contact.initiate.v1',
  'meridian.agent.sign_in.v1',
]);

/**
 * The home under which a request is stored. What already lives somewhere keeps its home, also when
 * it is asked to begin again; what begins belongs to the region that the request names (so that it is
 * the same when it is sent again at another region's edge), else to the one that it enters; queues are
 * the same everywhere. Everything else goes where the request says, else where its subject is known to live.
 */
export function homeOf(
  { type, tenant, subject, region }: Addressed,
  entity: string,
  own: string,
  directory: Pick<HomeDirectory, 'find'>,
): string {
  if (entity === 'queue') return own;
  const known = directory.find(tenant, entity, subject);
  return (creating.has(type) ? (known ?? region) : (region ?? known)) ?? own;
}
