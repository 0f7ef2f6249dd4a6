import { describe, expect, it } from '@jest/globals';
import { generatePlan } from '../day/index.ts';
import type { SeenEvent } from './edge.ts';
import { RunNames } from './names.ts';
import { Placement } from './placement.ts';

const plan = generatePlan('7', { contacts: 300, agents: 12 });
const regions = ['eu', 'us', 'ap'];
const counted = (homes: readonly (string | undefined)[]): Record<string, number> =>
  Object.fromEntries(regions.map((region) => [region, homes.filter((h) => h === region).length]));

describe('where those of a day are', () => {
  const names = new RunNames('r1', plan);
  const placement = new Placement(plan, names, regions);

  it('is everywhere: agents dealt out evenly, contacts by their ids', () => {
    const agents = plan.agents.map(({ id }) => placement.homeOf({ kind: 'SIGN_IN', subject: id }));
    expect(counted(agents)).toEqual({ eu: 4, us: 4, ap: 4 });
    const contacts = [...names.contactIds()].map((subject) =>
      placement.homeOf({ kind: 'ARRIVE', subject }),
    );
    for (const count of Object.values(counted(contacts))) expect(count).toBeGreaterThan(70);
  });

  it('does not depend on the name of the run', () => {
    const others = new RunNames('another', plan);
    const other = new Placement(plan, others, regions);
    for (const contact of plan.contacts) {
      expect(other.homeOf({ kind: 'ARRIVE', subject: others.contactId(contact) })).toBe(
        placement.homeOf({ kind: 'ARRIVE', subject: names.contactId(contact) }),
      );
    }
  });

  it('is what the first event says once there is one', () => {
    const subject = names.contactId(plan.contacts[0]!);
    const seen = (type: string, about: string, region: string): void =>
      placement.see({ type, subject: about, region } as unknown as SeenEvent);
    for (const region of regions) {
      seen('meridian.contact.initiated.v1', subject, region);
      expect(placement.homeOf({ kind: 'HANG_UP', subject })).toBe(region);
    }
    expect(placement.homeOf({ kind: 'ACCEPT', subject: 'r1' })).toBeUndefined();
    seen('meridian.reservation.created.v1', 'r1', 'ap');
    expect(placement.homeOf({ kind: 'ACCEPT', subject: 'r1' })).toBe('ap');
  });

  it('is not said of a region alone', () => {
    const alone = new Placement(plan, names, ['eu']);
    for (const kind of ['SIGN_IN', 'ARRIVE', 'CONFIGURE_QUEUE'] as const) {
      expect(alone.homeOf({ kind, subject: plan.agents[0]!.id })).toBeUndefined();
    }
  });
});
