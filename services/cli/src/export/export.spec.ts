import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@meridian/testing';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { EdgeDouble } from '../../test/edge-double.ts';
import { at } from '../../test/log-builder.ts';
import { run } from '../../test/run.ts';

const event = (type: string, seconds: number, data: object = {}) => ({
  stream: 'EV_eu',
  sequence: seconds + 1,
  index: 0,
  event: { type: `meridian.contact.${type}.v1`, subject: 'c1', time: at(seconds), data },
});

const served = {
  id: 'c1',
  home: 'eu',
  state: 'COMPLETED',
  channel: 'VOICE',
  method: 'INBOUND',
  queueId: 'sales',
  priority: 2,
  agentId: 'ada',
  reservationId: 'c1-r1',
  initiatedAt: at(0),
  queuedAt: at(5),
  connectedAt: at(20),
  endedAt: at(100),
  waitedMs: 15_000,
  disposition: '=sold, "twice"',
  attributes: { language: 'de' },
  timeline: [
    event('initiated', 0, { customer: '+49 30 1234' }),
    event('connected_to_agent', 20),
    event('held', 30),
    event('resumed', 35),
    event('disconnected', 90),
    event('completed', 100),
  ],
  timelineComplete: true,
};
const abandoned = {
  ...served,
  id: 'c2',
  state: 'ABANDONED',
  agentId: null,
  connectedAt: null,
  endedAt: at(60),
  timeline: [event('initiated', 0, { customer: 'zoe@example.org' }), event('abandoned', 60)],
};

describe('meridian export', () => {
  const folder = temporaryFolder('meridian-export-');
  let edge: EdgeDouble;
  const at_ = (...args: string[]) => run([...args, '--url', edge.url]);
  beforeEach(async () => {
    edge = await EdgeDouble.start();
    edge.json('GET /v1/contacts/c1', served);
    edge.json('GET /v1/contacts/c2', abandoned);
    const page = { contacts: [served, abandoned], next: null, position: {} };
    edge.json('GET /v1/contacts', page);
    edge.json(`GET /v1/as-of/${encodeURIComponent(at(9))}/contacts`, page);
  });
  afterEach(() => edge.close());
  afterAll(() => folder.remove());

  it('writes a contact that was served as a vCon: parties, one dialog, its events', async () => {
    const { out, code } = await at_('export', '--vcon', 'c1');
    expect(code).toBe(0);
    const vcon = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(vcon)).toEqual([
      'vcon',
      'uuid',
      'created_at',
      'subject',
      'parties',
      'dialog',
      'analysis',
      'attachments',
    ]);
    expect(vcon).toMatchObject({
      vcon: '0.4.0',
      parties: [
        { tel: '+49 30 1234', type: 'person' },
        { uuid: 'ada', name: 'ada', type: 'person' },
      ],
    });
    expect(vcon['uuid']).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(vcon['dialog']).toEqual([
      {
        type: 'recording',
        start: at(20),
        duration: 70,
        parties: [0, 1],
        originator: 0,
        party_history: [
          { party: 0, time: at(20), event: 'join' },
          { party: 1, time: at(20), event: 'join' },
          { party: 0, time: at(30), event: 'hold' },
          { party: 0, time: at(35), event: 'unhold' },
          { party: 0, time: at(90), event: 'drop' },
          { party: 1, time: at(90), event: 'drop' },
        ],
      },
    ]);
    const [record, timeline] = vcon['attachments'] as { body: object; dialog: number }[];
    expect(record).toMatchObject({ encoding: 'json', body: { id: 'c1' }, party: 0, dialog: 0 });
    expect(timeline?.body).toEqual({
      complete: true,
      events: served.timeline.map((one) => one.event),
    });
    expect((JSON.parse((await at_('export', '--vcon', 'c1')).out) as { uuid: string }).uuid).toBe(
      vcon['uuid'],
    );
  });

  it('shows the customer sealed, or in the clear where that is asked for and the key may', async () => {
    const customer = `sealed:1:${'0f'.repeat(16)}:${'A'.repeat(38)}`;
    const [, ...later] = served.timeline;
    const sealed = { ...served, timeline: [event('initiated', 0, { customer }), ...later] };
    const asked = async (...args: string[]) => {
      const { out, err, code } = await at_('export', '--vcon', 'c1', ...args);
      expect(code).toBe(0);
      return { vcon: JSON.parse(out) as { parties: object[]; attachments: object[] }, err };
    };
    edge.json('GET /v1/contacts/c1', sealed);
    expect((await asked()).vcon.parties[0]).toEqual({ name: customer, type: 'person' });
    edge.json('GET /v1/contacts/c1', { ...served, personal: { opened: 1, notOpened: [] } });
    const { vcon } = await asked('--personal');
    expect(edge.received.at(-1)?.path).toBe('/v1/contacts/c1?personal=open');
    expect(vcon.parties[0]).toEqual({ tel: '+49 30 1234', type: 'person' });
    expect(JSON.stringify(vcon.attachments)).not.toContain('notOpened');
    edge.replies.set('GET /v1/contacts/c1', (response, { path }) => {
      const may = !path.endsWith('?personal=open');
      response
        .writeHead(may ? 200 : 403, { 'content-type': 'application/json' })
        .end(JSON.stringify(may ? sealed : { title: 'no', detail: 'needs the scope personal' }));
    });
    const refused = await asked('--personal');
    expect(refused.vcon.parties[0]).toEqual({ name: customer, type: 'person' });
    expect(refused.err).toMatch(/needs the scope personal[^]*The customer is shown sealed/);
  });

  it('writes a contact that gave up as an incomplete dialog', async () => {
    const file = join(folder.path, 'c2.vcon');
    expect((await at_('export', '--vcon', 'c2', '--out', file)).out).toContain('is in');
    const vcon = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    expect(vcon).toMatchObject({
      parties: [{ mailto: 'zoe@example.org' }],
      dialog: [{ type: 'incomplete', disposition: 'hung-up', start: at(0), duration: 60 }],
    });
    expect((await at_('export', '--vcon', 'nobody')).code).toBe(3);
  });

  it('writes contact records as CSV that no spreadsheet runs', async () => {
    const { out } = await at_('export', '--contacts', '--out', '-');
    expect(out.split('\r\n')).toEqual([
      'contact_id,home,state,channel,method,queue_id,priority,agent_id,reservation_id,initiated_at,' +
        'queued_at,connected_at,ended_at,waited_ms,duration_ms,disposition,attributes',
      `c1,eu,COMPLETED,VOICE,INBOUND,sales,2,ada,c1-r1,${at(0)},${at(5)},${at(20)},${at(100)},15000,` +
        '100000,"\'=sold, ""twice""","{""language"":""de""}"',
      `c2,eu,ABANDONED,VOICE,INBOUND,sales,2,,c1-r1,${at(0)},${at(5)},,${at(60)},15000,60000,` +
        '"\'=sold, ""twice""","{""language"":""de""}"',
      '',
    ]);
  });

  it('writes contact records as Parquet, as of a moment too', async () => {
    const file = join(folder.path, 'contacts.parquet');
    const ran = await at_('export', '--contacts', '--as-of', at(9), '--out', file);
    expect(ran.out).toBe(`2 contacts are in ${file}.\n`);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
    expect(rows).toMatchObject([
      { contact_id: 'c1', connected_at: new Date(at(20)), waited_ms: 15_000, priority: 2 },
      { contact_id: 'c2', connected_at: null, agent_id: null, disposition: '=sold, "twice"' },
    ]);
  });
});
