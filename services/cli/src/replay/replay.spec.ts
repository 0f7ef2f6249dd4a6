import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@meridian/testing';
import { contact, routing } from '../../test/drafts.ts';
import { at, startMs } from '../../test/log-builder.ts';
import { MeshBuilder, sourcesOf } from '../../test/mesh-builder.ts';
import { completed, ringingElsewhere } from '../../test/mesh-scenes.ts';
import { run } from '../../test/run.ts';
import { diffFloors, renderDiff } from './diff.ts';
import { foldedFloor } from './floor.ts';
import { placed, readMesh } from './mesh-log.ts';
import { isFrom, isTo, parsePlace, placeText } from './place.ts';

/** Home us fails over to eu after its third entry; a fourth one is too late. */
function failedOver(): MeshBuilder {
  const mesh = new MeshBuilder();
  mesh.add('us', 'routing.us', 0, [routing.queue('q1')]);
  mesh.add('us', 'contact.c1', 1, contact.initiated('c1'));
  mesh.add('us', 'contact.c1', 2, contact.queued('c1'));
  mesh.add('us', 'contact.late', 9, contact.initiated('late'), { isOrphan: true });
  const now = { by: 'eu', epoch: 2 } as const;
  // The mesh's own clock may be another than the log's: it holds nothing up.
  mesh.add('us', 'ownership.us', 900_000, [completed('us', 2, 'eu', [['us', 3]])], {
    ...now,
    tenant: 'meridian',
  });
  mesh.add('us', 'contact.c1', 6, contact.gaveUp('c1', 4, { QUEUED: 4 }), now);
  mesh.add('eu', 'contact.c2', 3, contact.initiated('c2'));
  return mesh;
}

describe('the log of several regions', () => {
  it('comes in the order in which each home counts, without what lies beyond a seal', async () => {
    const log = readMesh(sourcesOf(failedOver().streams));
    const order: string[] = [];
    for await (const item of log.entries) order.push(`${item.entry.stream}:${item.entry.sequence}`);
    // The entry of c2 is stored after those of the new owner, in the same stream.
    expect(order).toEqual(['EV_us:1', 'EV_us:2', 'EV_us:3', 'EV_eu:1', 'EV_eu:2', 'EV_eu:3']);
    expect(log.orphans()).toBe(1);
  });

  it('leaves files that are whole, also when it is interrupted', async () => {
    const folder = temporaryFolder('meridian-replay-cut-');
    const [[, entries] = ['', []]] = [...failedOver().streams];
    const file = join(folder.path, 'EV_us.ndjson');
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    writeFileSync(file, `${text}this is no entry\n`);
    for (const name of ['out.ndjson', 'out.parquet']) {
      const out = join(folder.path, name);
      expect((await run(['replay', '--file', file, '--out', out])).code).toBe(2);
      const written = readFileSync(out);
      if (name.endsWith('.parquet')) expect(written.subarray(-4).toString()).toBe('PAR1');
      else expect(written.toString().split('\n').length - 1).toBeGreaterThanOrEqual(entries.length);
    }
    folder.remove();
  });

  it('shows every event of all homes with its region, or one stream alone', async () => {
    const folder = temporaryFolder('meridian-replay-mesh-');
    const files = [...failedOver().streams].map(([stream, entries]) => {
      const file = join(folder.path, `${stream}.ndjson`);
      writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      return file;
    });
    const all = await run(['replay', '--file', files.join(','), '--entity', 'contact']);
    expect(all.out).toContain('us:2.0  08:00:01.000  contact.initiated');
    expect(all.out).toContain('eu:2.1  08:00:06.000  contact.abandoned');
    expect(all.out).not.toContain('late');
    const one = await run(['replay', '--file', files[0] ?? '', '--subject', 'late', '--json']);
    expect(JSON.parse(one.out.split('\n')[0] ?? '')).toMatchObject({
      stream: 'EV_us',
      sequence: 4,
    });
    expect((await run(['replay', '--file', files.join(','), '--from', '2'])).code).toBe(2);
    folder.remove();
  });

  it('is folded up to a moment, in all homes', async () => {
    const sources = sourcesOf(failedOver().streams);
    const before = await foldedFloor(sources, { timeMs: startMs + 5_500 });
    expect(before.contacts.map(({ id, state }) => [id, state])).toEqual([
      ['c2', 'IVR'],
      ['c1', 'QUEUED'],
    ]);
    expect(before.queues[0]).toMatchObject({ id: 'q1', waiting: 1 });
    expect(before.places).toEqual({ 'EV_eu.eu': 3, 'EV_us.us': 3 });
    const after = await foldedFloor(sources, parsePlace('as-of', 'EV_eu:3,EV_us:4'), true);
    expect(after.contacts.map(({ id, state }) => [id, state])).toEqual([
      ['c2', 'IVR'],
      ['c1', 'ABANDONED'],
    ]);
    expect(after.places).toEqual({ 'EV_eu.eu': 3, 'EV_eu.us': 2, 'EV_us.us': 3 });
    await expect(foldedFloor(sources, { sequence: 3 })).rejects.toThrow('of one stream');
  });

  it('adds up the queues of all homes, and shows an agent where it is', async () => {
    const { mesh } = ringingElsewhere();
    const floor = await foldedFloor(sourcesOf(mesh.streams), { timeMs: startMs + 60_000 });
    expect(floor.queues).toHaveLength(1);
    expect(floor.queues[0]).toMatchObject({ waiting: 1, totals: { queued: 1 } });
    expect(floor.agents).toMatchObject([{ id: 'a1', reservations: [{ contactId: 'c1' }] }]);
    expect(floor.contacts).toMatchObject([{ id: 'c1', state: 'OFFERED', agentId: 'a1' }]);
  });
});

describe('what changed between two moments', () => {
  it('names contacts that began and ended, and each field that differs', async () => {
    const { mesh } = ringingElsewhere();
    const sources = sourcesOf(mesh.streams);
    const at2 = await foldedFloor(sources, { timeMs: startMs + 2_000 }, true);
    const at3 = await foldedFloor(sources, { timeMs: startMs + 3_000 }, true);
    const diff = diffFloors(at2, at3);
    expect(diff.from.at).toBe(at(2));
    expect(diff.contacts).toEqual([
      {
        id: 'c1',
        change: 'changed',
        fields: {
          state: ['QUEUED', 'OFFERED'],
          agentId: [null, 'a1'],
          reservationId: [null, 'c1-r1'],
        },
      },
    ]);
    expect(diff.agents[0]).toMatchObject({ id: 'a1', change: 'changed' });
    expect(diff.queues).toEqual([]);
    const text = renderDiff(diff);
    expect(text).toContain('c1       changed  state QUEUED -> OFFERED, agentId - -> a1\n');
    expect(text).toContain('reservations - -> c1 offered');
    expect(text).toContain('No queues changed.');
    expect(diffFloors(at3, at3)).toMatchObject({ contacts: [], agents: [], queues: [] });
    const at0 = await foldedFloor(sources, { timeMs: startMs - 1 }, true);
    expect(diffFloors(at0, at3).contacts).toMatchObject([{ id: 'c1', change: 'began' }]);
    expect(diffFloors(at0, at3).queues).toMatchObject([{ id: 'q1', change: 'appeared' }]);
  });
});

describe('places', () => {
  it('are times, sequences, or sequences by stream', async () => {
    expect(parsePlace('to', '17')).toEqual({ sequence: 17 });
    expect(placeText(parsePlace('to', 'EV_eu:1,EV_us:2'))).toBe('EV_eu:1,EV_us:2');
    expect(placeText(parsePlace('to', '2026-03-02T09:00:00+01:00'))).toBe(at(0));
    expect(() => parsePlace('to', 'soon')).toThrow('--to is "soon"');
    const [event] = await eventsOf(failedOver());
    if (event === undefined) throw new Error('There is no event.');
    expect(isTo(event, { timeMs: startMs })).toBe(true);
    expect(isTo(event, { timeMs: startMs - 1 })).toBe(false);
    expect(isFrom(event, parsePlace('from', 'EV_us:2'))).toBe(false);
    expect(isFrom(event, parsePlace('from', 'EV_eu:9'))).toBe(true);
    expect(isTo(event, parsePlace('to', 'EV_eu:9'))).toBe(false);
  });
});

async function eventsOf(mesh: MeshBuilder) {
  const events = [];
  for await (const item of readMesh(sourcesOf(mesh.streams)).entries) events.push(...placed(item));
  return events;
}
