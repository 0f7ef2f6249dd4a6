import { failoverPlan } from '../domain/failover-plan.ts';
import { meshView, ownerOf, recent } from '../domain/mesh-view.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { invalidParameter, oneOf } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Parameters, Route } from '../http/route.ts';
import { planContent, regionsContent } from './documented.ts';
import { factsOf, intakeBehind, type RegionParts } from './parts.ts';

const homeParameter: Parameters = {
  home: { description: 'The home: the region that gave it its name', schema: { type: 'string' } },
};

/** `GET /v1/regions` and `GET /v1/regions/{home}/plan`. */
export function regionRoutes(parts: RegionParts): Route[] {
  const { region, regions } = parts;
  return [
    {
      method: 'GET',
      path: '/v1/regions',
      scope: 'read',
      operationId: 'readRegions',
      tag: 'regions',
      summary:
        'Who decides for which home, leases, links, and what is at risk, as this region sees it',
      description:
        'Owners, epochs and seals come from the log; leases, links and isolation from what recovery ' +
        'says once a second: null where it has said nothing lately.',
      replies: {
        200: { description: 'The regions', content: { 'application/json': regionsContent } },
      },
      refusals: [503],
      handle: async () => meshView(await orRefuse(factsOf(parts))),
    },
    {
      method: 'GET',
      path: '/v1/regions/{home}/plan',
      scope: 'admin',
      operationId: 'planFailover',
      tag: 'regions',
      summary: 'What a failover of a home would do, whom it would touch, and what is in its way',
      parameters: homeParameter,
      query: {
        to: {
          description: 'The region that is to decide',
          schema: { type: 'string', enum: regions },
        },
      },
      replies: { 200: { description: 'The plan', content: { 'application/json': planContent } } },
      refusals: [404, 503],
      async handle({ parameters, query }: Call) {
        const home = parameters['home'] as string;
        if (!regions.includes(home)) {
          throw new Refusal(
            'not-found',
            `There is no home ${shown(home)}; there are ${regions.join(', ')}.`,
          );
        }
        const asked = query.one('to');
        if (asked === undefined) throw invalidParameter('to', `is missing; say the region`);
        const to = oneOf('to', asked, regions);
        const facts = await orRefuse(factsOf(parts));
        const { owner } = ownerOf(facts, home, recent(facts.heard, region));
        return failoverPlan(facts, {
          home,
          to,
          leaseMs: parts.leaseMs,
          ...(parts.residency === undefined ? {} : { residency: parts.residency() }),
          radius: await parts.radiusOf?.(home),
          intakeBehind: owner === region ? await orRefuse(intakeBehind(parts, home)) : undefined,
        });
      },
    },
  ];
}
