import type { Paint } from '../render/colour.ts';

/** `GET /v1/regions/{home}/plan`. Null: not known at this edge. */
export interface FailoverPlan {
  readonly home: string;
  readonly from: string;
  readonly to: string;
  readonly epoch: number;
  readonly nextEpoch: number;
  readonly kind: 'PLANNED' | 'UNPLANNED';
  readonly failback: boolean;
  readonly steps: readonly string[];
  readonly blastRadius: {
    readonly contacts: {
      readonly open: number;
      readonly waiting: number;
      readonly offered: number;
      readonly connected: number;
    } | null;
    readonly agents: { readonly signedIn: number } | null;
    readonly intakeBehind: number | null;
  };
  readonly blockers: readonly { readonly code: string; readonly detail: string }[];
}

/** A plan for people. @param kind what is asked for: the plan's steps are those of its own kind */
export function renderPlan(plan: FailoverPlan, kind: FailoverPlan['kind'], paint: Paint): string {
  const { home, from, to, epoch, nextEpoch, blastRadius, blockers } = plan;
  const { contacts, agents, intakeBehind } = blastRadius;
  const what = plan.failback ? 'Failback' : 'Failover';
  const lines = [
    paint(
      'bold',
      `${what} of ${home}: ${from} (epoch ${epoch}) -> ${to} (epoch ${nextEpoch}), ${kind}`,
    ),
    ...(kind === plan.kind
      ? plan.steps.map((step, index) => `  ${index + 1}. ${step}`)
      : [`  As things stand it would be ${plan.kind}: ${from} ${lifeOf(plan.kind)}.`]),
    contacts === null
      ? 'Contacts: not known here.'
      : `Contacts: ${contacts.open} open, of them ${contacts.waiting} waiting, ` +
        `${contacts.offered} offered, ${contacts.connected} connected.`,
    `Agents signed in: ${agents === null ? 'not known here' : agents.signedIn}.` +
      (intakeBehind === null ? '' : ` Requests not decided yet: ${intakeBehind}.`),
    ...(blockers.length === 0
      ? ['Nothing is in its way.']
      : blockers.map(({ code, detail }) => `${paint('red', code)}: ${detail}`)),
  ];
  return `${lines.join('\n')}\n`;
}

const lifeOf = (kind: FailoverPlan['kind']): string =>
  kind === 'PLANNED' ? 'renews its lease' : 'has not renewed its lease';
