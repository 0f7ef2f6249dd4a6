import { describe, expect, it } from '@jest/globals';
import type { RawEntry } from '../check/index.ts';
import { generatePlan } from '../day/index.ts';
import { RunNames } from './names.ts';
import { DayFromLog } from './totals.ts';

const plan = generatePlan('7', { contacts: 1, agents: 1 });
const names = new RunNames('r1', plan);
const [contactId = ''] = names.contactIds();
const [agent] = plan.agents;
const agentId = agent?.id ?? '';

/** An entry of one event each, at so many seconds. */
function entries(
  home: string,
  events: readonly (readonly [number, string, object?])[],
): RawEntry[] {
  return events.map(([seconds, type, data = {}], index) => ({
    stream: `EV_${home}`,
    sequence: index + 1,
    subject: `ev.${home}.${home}.demo.x.y`,
    storedAt: seconds * 1_000,
    data: JSON.stringify([
      {
        type: `meridian.${type}.v1`,
        subject: type.startsWith('agent') ? agentId : contactId,
        time: new Date(seconds * 1_000).toISOString(),
        data,
      },
    ]),
  }));
}

const ofAgent = entries('us', [
  [10, 'agent.signed_in'],
  [110, 'agent.signed_out'],
]);
const ofContact = entries('eu', [
  [20, 'contact.initiated'],
  [25, 'contact.queued'],
  [30, 'contact.connected_to_agent', { agentId }],
  [60, 'contact.disconnected'],
  [65, 'contact.completed'],
]);

describe('what became of a run', () => {
  it.each([
    ['the agent first', [...ofAgent, ...ofContact]],
    ['the contact first, as when the home of the agent moved', [...ofContact, ...ofAgent]],
  ])('is the same whichever home is read first: %s', (_, log) => {
    const day = new DayFromLog(names, [agentId], {
      first: { EV_eu: 1, EV_us: 1 },
      last: { EV_eu: 5, EV_us: 2 },
      tenant: 'demo',
    });
    for (const entry of log) day.read(entry);
    const { samples, contacts, events } = day.finish();
    expect({ contacts, events }).toEqual({ contacts: 1, events: 7 });
    expect(samples.agents).toEqual([
      {
        signedIn: [{ startAt: 10_000, endAt: 110_000 }],
        busy: [{ startAt: 30_000, endAt: 65_000 }],
      },
    ]);
    expect(samples.contacts).toMatchObject([{ outcome: 'SERVED', talkSeconds: 30 }]);
  });
});
