import { identifierPattern, type ContactState } from '@meridian/wire';
import { Refusal, shown } from '../../domain/problem.ts';
import { orRefuse } from '../../http/log-fault.ts';
import type { Call, Parameters, Route } from '../../http/route.ts';
import {
  asOfAgentsParameters,
  asOfContactsParameters,
  asOfListReply,
  asOfPageParameters,
  asOfReply,
} from '../documented.ts';
import { reasonHeaders, type AccessBook } from '../../access/index.ts';
import { checkMayOpen, personalParameter, type Opening } from '../../personal/index.ts';
import { homesOf, noSuchContact, pageOf, statesOf, wantedContacts } from '../page.ts';
import type { Page } from '../queries.ts';
import { agentView, contactView, contactWithTimelineView, queueView } from '../views.ts';
import type { Floor } from './floor.ts';
import { momentText, readMoment, type Moment } from './moment.ts';
import { Rebuilding, type PastFloor, type RebuildOptions } from './rebuild.ts';
import { agentIn, agentsIn, contactsIn, queueIn, queuesIn } from './select.ts';

type View = Record<string, unknown>;
type Noun = 'contact' | 'queue' | 'agent';

export interface AsOfOptions extends RebuildOptions {
  readonly region: string;
  /** Where it is recorded who looks; nowhere when absent. */
  readonly access?: Pick<AccessBook, 'record'>;
  /** What opens personal texts of a contact where it is asked for. */
  readonly opening?: Pick<Opening, 'view'>;
}

/** The routes, and what ends what they hold. */
export interface AsOf {
  readonly routes: Route[];
  close(): void;
}

const endStates: readonly ContactState[] = ['COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED'];

const description =
  'Rebuilt from the log by the projections that the read models run on: the rows have the bytes that the read models ' +
  'had there. By time: of each home everything before the first entry that was decided later. Orphans, as they are ' +
  'known today, are left out. One question is answered at a time; it reads at most 2,000,000 entries, holds at most ' +
  '100,000 contacts, and takes at most 30 s, or is refused.';

const timeParameter: Parameters = {
  time: {
    description:
      'An RFC 3339 time of the log, or places in the streams of all regions such as EV_eu:12,EV_us:7',
    schema: { type: 'string' },
    example: '2026-01-31T08:15:00Z',
  },
};

/** `GET /v1/as-of/{time}/contacts`, `/agents`, `/queues`, and one of each by its id. */
export function asOfRoutes(options: AsOfOptions): AsOf {
  const rebuilding = new Rebuilding(options);
  const { region, access, opening } = options;
  const regions = options.regions.toSorted();
  const parts: Parts = { rebuilding, regions, access, opening };
  const routes = [
    list(parts, 'contacts', asOfContactsParameters, contactsWithEnded, (floor, call, page) => {
      const rows = contactsIn(floor, { ...page, ...wantedContacts(call, regions) });
      if (rows !== undefined) return rows.map(contactView);
      throw noSuchContact(page);
    }),
    list(parts, 'queues', asOfPageParameters, never, (floor, _, page) =>
      queuesIn(floor, page).map((queue) => queueView(queue, region)),
    ),
    list(parts, 'agents', asOfAgentsParameters, never, (floor, call, page) =>
      agentsIn(floor, { ...page, homes: homesOf(call, regions) }).map(agentView),
    ),
    one('contact', parts, async ({ tenant, id, moment }) => {
      const found = await rebuilding.contact({ tenant, id, moment });
      if (found === undefined) return undefined;
      const view = contactWithTimelineView(found);
      return found.isWhole ? view : { ...view, timelineComplete: false };
    }),
    one('queue', parts, async ({ tenant, id, moment }) => {
      const past = await rebuilding.floor({ tenant, moment, withEnded: false });
      const found = queueIn(past.floor, id);
      return found && { ...queueView(found, region), asOf: toldOf(moment, past) };
    }),
    one('agent', parts, async ({ tenant, id, moment }) => {
      const past = await rebuilding.floor({ tenant, moment, withEnded: false });
      const found = agentIn(past.floor, id);
      return found && { ...agentView(found), asOf: toldOf(moment, past) };
    }),
  ];
  return { routes, close: () => rebuilding.close() };
}

interface Parts {
  readonly rebuilding: Rebuilding;
  readonly regions: readonly string[];
  readonly access: Pick<AccessBook, 'record'> | undefined;
  readonly opening: Pick<Opening, 'view'> | undefined;
}

const never = (): boolean => false;

/** Whether contacts that have ended are among those asked for. */
function contactsWithEnded(call: Call): boolean {
  const states = statesOf(call);
  return states.length === 0 || states.some((state) => endStates.includes(state));
}

/** What an answer says of the moment that it shows. */
const toldOf = (moment: Moment, { places, isFinal }: PastFloor): View => ({
  moment: momentText(moment),
  places,
  final: isFinal,
});

function list(
  { rebuilding, regions, access }: Parts,
  noun: `${Noun}s`,
  query: Parameters,
  withEnded: (call: Call) => boolean,
  find: (floor: Floor, call: Call, page: Page) => View[],
): Route {
  return {
    method: 'GET',
    path: `/v1/as-of/{time}/${noun}`,
    scope: 'read',
    operationId: `list${capital(noun)}AsOf`,
    tag: 'time travel',
    summary: `List ${noun} as they were`,
    description,
    parameters: timeParameter,
    query,
    headers: reasonHeaders,
    replies: { 200: asOfListReply(noun) },
    refusals: [503],
    async handle(call: Call) {
      const page = pageOf(call);
      const moment = readMoment(regions, call.parameters['time'] as string);
      const asked = { tenant: page.tenant, moment, withEnded: withEnded(call) };
      await access?.record(call, 'AS_OF', `/v1/as-of/${momentText(moment)}/${noun}`);
      const past = await orRefuse(rebuilding.floor(asked));
      const found = find(past.floor, call, page);
      const items = found.slice(0, page.limit);
      const next = found.length > page.limit ? items.at(-1)?.['id'] : null;
      return { [noun]: items, next, asOf: toldOf(moment, past) };
    },
  };
}

interface One {
  readonly tenant: string;
  readonly id: string;
  readonly moment: Moment;
}

function one(
  noun: Noun,
  { regions, access, opening: ofContacts }: Parts,
  find: (asked: One) => Promise<View | undefined>,
): Route {
  const opening = noun === 'contact' ? ofContacts : undefined;
  return {
    method: 'GET',
    path: `/v1/as-of/{time}/${noun}s/{id}`,
    scope: 'read',
    operationId: `get${capital(noun)}AsOf`,
    tag: 'time travel',
    summary: noun === 'contact' ? 'A contact as it was, with its timeline' : `A ${noun} as it was`,
    description:
      noun === 'contact'
        ? 'Folded from what its own subject held, so it costs no reading of the whole log. By time: what was decided ' +
          'until then. The timeline also has what routing had decided about it.'
        : description,
    parameters: {
      ...timeParameter,
      id: { description: `The id of the ${noun}`, schema: { type: 'string' } },
    },
    ...(opening === undefined ? {} : { query: personalParameter }),
    headers: reasonHeaders,
    replies: { 200: asOfReply(noun) },
    refusals: [503],
    async handle(call: Call) {
      checkMayOpen(call);
      const id = call.parameters['id'] as string;
      const moment = readMoment(regions, call.parameters['time'] as string);
      await access?.record(call, 'AS_OF', `/v1/as-of/${momentText(moment)}/${noun}s/${id}`);
      const found = identifierPattern.test(id)
        ? await orRefuse(find({ tenant: call.key.tenant, id, moment }))
        : undefined;
      if (found !== undefined) return opening === undefined ? found : opening.view(call, found);
      throw new Refusal('not-found', `There was no ${noun} ${shown(id)} at ${momentText(moment)}.`);
    },
  };
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
