import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  buildReceipt,
  dayFacts,
  generatePlan,
  inconsistenciesOf,
  isGood,
  type PlayReport,
  type Receipt,
} from '@meridian/cli';
import type { DevelopmentMesh } from '../src/index.ts';
import { playAcross, startRegions, type PlayedDay } from './day-mesh.ts';
import { eventsOf, totals } from './rehearsal.ts';

const regions = ['eu', 'us', 'ap'] as const;
const plan = generatePlan('three', { contacts: 30, agents: 4 });

let mesh: DevelopmentMesh;
let played: PlayedDay;

function expectPlayedOut(report: PlayReport): void {
  expect(report.check.violations).toEqual([]);
  expect(report.disagreements).toEqual([]);
  expect(report.lateEvents).toBe(0);
  expect(isGood(report)).toBe(true);
  const { contacts, served, abandoned, leftInIvr, unfinished } = totals(report);
  expect([contacts, unfinished, served + abandoned + leftInIvr]).toEqual([30, 0, 30]);
}

/** Verdicts that are about how long something took, which a test does not judge. */
const aboutTime = new Set(['RTO', 'RPO']);

function receiptOf(report: PlayReport): Receipt {
  const facts = dayFacts(report);
  if (facts === undefined) throw new Error('The report knows of no region that was lost.');
  const versions = { meridian: '0.1.0', natsServer: 'any', node: process.versions.node };
  const parameters = { ...facts.parameters, leaseMs: 5_000 };
  return buildReceipt({ ...facts, id: 'day-test', versions, parameters });
}

/** One day after the other in the same regions, each on its own date. */
describe('days that are played across three regions', () => {
  beforeAll(async () => {
    mesh = await startRegions(regions, { ownership: 'control' });
    played = await playAcross(mesh, plan, { run: 'first' });
  }, 600_000);

  afterAll(async () => {
    await mesh?.stop();
  });

  it('end with every contact, whoever served it where', () => {
    expectPlayedOut(played.report);
    for (const region of regions) {
      const events = (played.decisions.get(`EV_${region}`) ?? []).flatMap(eventsOf);
      const types = new Set(events.map(({ type }) => type));
      expect(types).toContain('meridian.contact.initiated.v1');
      expect(types).toContain('meridian.agent.signed_in.v1');
      expect(types).toContain('meridian.queue.created.v1');
    }
    const all = [...played.decisions.values()].flat().flatMap(eventsOf);
    expect(all.map(({ type }) => type)).toContain('meridian.routing.lent.v1');
  });

  it('give the same totals again', async () => {
    const { report } = await playAcross(mesh, plan, { run: 'second' });
    expectPlayedOut(report);
    // Queues are there already: setting them up again as they are decides nothing.
    const events = [...played.decisions.values()].flat().flatMap(eventsOf);
    const ofQueues = events.filter(({ type }) => type.startsWith('meridian.queue.')).length;
    const first = totals(played.report);
    expect(totals(report)).toEqual({ ...first, eventsStored: first.eventsStored - ofQueues });
    expect(report.figures).toEqual(played.report.figures);
  }, 600_000);

  it('go on when a region is killed at noon, lose nothing, and have it back after the day', async () => {
    const { report, intake } = await playAcross(mesh, plan, {
      run: 'third',
      killed: { region: 'eu', timeOfDayMs: 12 * 3_600_000 },
    });
    expectPlayedOut(report);
    const { disaster } = report;
    expect(disaster).toMatchObject({ region: 'eu', owners: { us: 'us', ap: 'ap' } });
    expect(disaster?.owners['eu']).not.toBe('eu');
    expect(disaster?.returnedMs).toBeGreaterThan(0);
    expect(disaster?.takeovers).toEqual([
      expect.objectContaining({ home: 'eu', epoch: 2, from: 'eu', kind: 'UNPLANNED' }),
    ]);
    for (const { outcome } of report.check.orphans) expect(outcome).toBeDefined();
    const receipt = receiptOf(report);
    const broken = receipt.verdicts.filter(({ code, kept }) => !kept && !aboutTime.has(code));
    expect({ broken, problems: inconsistenciesOf(receipt) }).toEqual({ broken: [], problems: [] });
    expect(receipt.totals.acknowledged).toBe(report.requestsStored);
    expect(receipt.times).toEqual({
      detectionMs: expect.any(Number),
      takeoverMs: expect.any(Number),
      firstOfferMs: expect.any(Number),
      returnMs: expect.any(Number),
    });
    // Those of the lost region went elsewhere from then on.
    const noon = Number(disaster?.at);
    const askedAfter = (stream: string): number =>
      (intake.get(stream) ?? [])
        .map(({ data }) => JSON.parse(data) as { time: string; type: string })
        // That the log was read is asked for by the region that reads it, once it is back.
        .filter(({ type }) => !type.startsWith('meridian.privacy.'))
        .filter(({ time }) => Date.parse(time) > noon).length;
    expect(askedAfter('IN_eu')).toBe(0);
    expect(askedAfter('IN_us')).toBeGreaterThan(0);
  }, 600_000);
});
