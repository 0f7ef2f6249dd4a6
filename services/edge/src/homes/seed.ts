import { setTimeout as delay } from 'node:timers/promises';
import { and, ne, notInArray } from 'drizzle-orm';
import type { ContactState } from '@meridian/wire';
import { agents, contacts, placesOf, type ReadModels } from '../projections/index.ts';
import { readAt } from '../read-api/index.ts';
import type { Seed } from './homes.ts';

/** How long the read models may take to open before the logs are read instead, in ms. */
const openLimitMs = 15_000;
const endStates: ContactState[] = ['COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED'];

/**
 * Who lives in the other homes, as the read models have it: with it the directory need not read
 * the homes' whole histories.
 * @returns undefined when the read models do not open in time
 * @throws when their database goes away meanwhile
 */
export async function aliveElsewhere(
  models: ReadModels,
  limits: { readonly live: number },
): Promise<Seed | undefined> {
  const opened = models.ready.then(() => true);
  if (!(await Promise.race([opened, delay(openLimitMs, false, { ref: false })]))) return undefined;
  const { region, database, projectors } = models;
  const names = [...projectors.values()].map(({ name }) => name);
  const { positions, result } = await readAt(database, names, async (reader) => ({
    contacts: await reader
      .select({ tenant: contacts.tenant, id: contacts.id, home: contacts.home })
      .from(contacts)
      .where(and(ne(contacts.home, region), notInArray(contacts.state, endStates)))
      .limit(limits.live),
    agents: await reader
      .select({
        tenant: agents.tenant,
        id: agents.id,
        home: agents.home,
        presence: agents.presence,
        open: agents.open,
      })
      .from(agents)
      .where(ne(agents.home, region)),
  }));
  return {
    places: placesOf(positions),
    alive: [
      ...result.contacts.map((one) => ({ ...one, entity: 'contact' as const })),
      ...result.agents.flatMap(({ tenant, id, home, presence, open }) => [
        ...(presence === 'OFFLINE' ? [] : [{ tenant, id, home, entity: 'agent' as const }]),
        ...open.map(({ reservationId }) => ({
          tenant,
          id: reservationId,
          home,
          entity: 'reservation' as const,
        })),
      ]),
    ],
  };
}
