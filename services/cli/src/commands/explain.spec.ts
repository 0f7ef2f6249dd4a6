import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contact, routing } from '../../test/drafts.ts';
import { EdgeDouble } from '../../test/edge-double.ts';
import { at, type Draft } from '../../test/log-builder.ts';
import { borrowed, lent } from '../../test/mesh-scenes.ts';
import { run } from '../../test/run.ts';
import type { TimelinePlace } from '../render/causation.ts';

let sequence = 0;

/** The events of one entry as the timeline shows them. */
function entry(home: string, seconds: number, cause: string, drafts: Draft[]): TimelinePlace[] {
  sequence += 1;
  return drafts.map((draft, index) => ({
    stream: `EV_${home}`,
    sequence,
    index,
    home,
    region: home,
    epoch: 1,
    adoptedFrom: null,
    event: {
      ...draft,
      id: `${sequence}.${index}`,
      causationid: cause,
      actor: 'key-1',
      time: at(seconds),
      configversion: 4,
    },
  }));
}

describe('meridian explain', () => {
  let edge: EdgeDouble;
  beforeEach(async () => {
    edge = await EdgeDouble.start();
    sequence = 0;
  });
  afterEach(() => edge.close());

  it('says what led to what across homes, and the configuration that was in force', async () => {
    const timeline = [
      ...entry('us', 0, '/crm#a', contact.initiated('c1', false)),
      ...entry('us', 2, '/crm#b', contact.queued('c1').slice(1)),
      ...entry('us', 2, '2.0', [routing.decided('c1', 'WAITING', 'CONTACT_QUEUED', 2)]),
      ...entry('us', 3, 'loan.us.1', [lent('eu')]),
      ...entry('eu', 3, '4.0', borrowed('c1-r1')),
      ...entry('eu', 4, '/desk#c', [routing.changed('accepted', 'c1-r1', 'c1', 'a1')]),
    ];
    edge.json('GET /v1/contacts/c1', {
      id: 'c1',
      state: 'CONNECTED',
      method: 'INBOUND',
      channel: 'VOICE',
      queueId: 'q1',
      agentId: 'a1',
      initiatedAt: at(0),
      queuedAt: at(2),
      connectedAt: null,
      endedAt: null,
      waitedMs: null,
      timeline,
      timelineComplete: true,
    });
    const configured = (home: string, ttl: number, place: string): string => {
      const { type, subject, data } = routing.queue('q1');
      const settings = { ...(data as { settings: object }).settings, offerTtlMs: ttl };
      const event = { id: place, type, subject, time: at(0), region: home, data: { settings } };
      return `id: ${place}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
    };
    edge.replies.set('GET /v1/stream', (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(configured('us', 15_000, 'EV_eu:0,EV_us:1.0'));
      response.write(configured('eu', 25_000, 'EV_eu:4.0,EV_us:1'));
      // What comes later is not in force yet.
      response.end(`${configured('eu', 99_000, 'EV_eu:99.0,EV_us:4')}event: end\ndata: {}\n\n`);
    });
    const ran = await run(['explain', 'c1', '--url', edge.url]);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain(
      'request /crm#b, by key-1\n' +
        '  08:00:02.000  contact.queued: queue q1, VOICE, priority 0  (EV_us:2.0)\n' +
        '    08:00:02.000  routing.decided: waiting, queue q1,',
    );
    expect(ran.out).toContain('event loan.us.1, by key-1\n  08:00:03.000  routing.lent: to eu');
    expect(ran.out).toContain('(EV_eu:5.0, eu for home eu, epoch 1)');
    expect(ran.out).toContain('Lent to home eu (loan 1): an agent there may serve it.');
    expect(ran.out).toContain('Because another home lent the contact: offered to a1.');
    expect(ran.out).toMatch(/In force: .*rings 15.0 s.* \(EV_us:1.0\), configuration 4 of/);
    expect(ran.out).toMatch(/In force: .*rings 25.0 s.* \(EV_eu:4.0\)/);
    expect(ran.out).not.toContain('99.0 s');
    expect(ran.out).toContain('1.0 s later: a1 accepted it.');
    const asked = edge.received.find(({ path }) => path.startsWith('/v1/stream'))?.path ?? '';
    const query = new URL(asked, edge.url).searchParams;
    expect(query.get('to')).toBe('EV_us:4,EV_eu:5');
    const json = JSON.parse((await run(['explain', 'c1', '--json', '--url', edge.url])).out) as {
      decisions: { partition: object; inForce: { place: string } }[];
      causation: { cause: string; led: { led: unknown[] }[] }[];
    };
    expect(json.decisions.map(({ inForce }) => inForce?.place)).toEqual([
      'EV_us:1.0',
      'EV_us:1.0',
      'EV_eu:4.0',
    ]);
    expect(json.causation.map(({ cause }) => cause)).toEqual([
      '/crm#a',
      '/crm#b',
      'loan.us.1',
      '/desk#c',
    ]);
  });

  it('explains a contact as it was known at a moment', async () => {
    const timeline = entry('eu', 0, '/crm#a', contact.initiated('c1', false));
    edge.json(`GET /v1/as-of/${encodeURIComponent(at(1))}/contacts/c1`, {
      id: 'c1',
      state: 'IN_SYSTEM',
      method: 'INBOUND',
      channel: 'VOICE',
      queueId: null,
      agentId: null,
      initiatedAt: at(0),
      queuedAt: null,
      connectedAt: null,
      endedAt: null,
      waitedMs: null,
      timeline,
      timelineComplete: true,
    });
    const ran = await run(['explain', 'c1', '--as-of', at(1), '--url', edge.url]);
    expect(ran.out).toContain('c1 is IN_SYSTEM; nothing was decided about it yet.');
    expect((await run(['explain', 'c1', '--as-of', 'soon', '--url', edge.url])).code).toBe(2);
  });
});
