import { fileURLToPath } from 'node:url';
import type { Projection } from '@meridian/readmodel';
import { agentsProjection } from './agents.ts';
import { contactsProjection, timelineProjection } from './contacts.ts';
import { queuesProjection } from './queues.ts';
import { sealedProjection } from './sealed.ts';

/** All read models of the edge. */
export const projections: readonly Projection[] = [
  contactsProjection,
  agentsProjection,
  queuesProjection,
  timelineProjection,
  sealedProjection,
];

/** The name of the checkpoint of `projections`. */
export const projectorName = 'edge';

/** Where the SQL that makes their tables is; drizzle-kit wrote it from the tables. */
export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url));
