import { afterEach, describe, expect, it } from '@jest/globals';
import { generatePlan } from '@meridian/cli';
import { eventually } from '@meridian/testing';
import { startRegion, type RealRegion } from './real-region.ts';
import { decided, rehearse, storedPositions, totals, type Progress, type Rehearsed } from './rehearsal.ts';

const plan = generatePlan('killed', { contacts: 50, agents: 3 });

/** What is killed once the play has come so far: after so many events, or with a request under way. */
interface Blow {
  readonly names: readonly string[];
  readonly events?: number;
  readonly publications?: number;
  /** What is started again finds no checkpoint: it goes on where the log says that it had come to. */
  readonly forgets?: true;
}

let region: RealRegion | undefined;
let reference: Rehearsed | undefined;
/** What the supervisor said, for a failure's message. */
let said: string[] = [];

afterEach(async () => {
  await region?.stop();
  region = undefined;
});

async function play(
  processes: 'together' | 'each', blows: readonly Blow[] = [],
): Promise<Rehearsed> {
  said = [];
  region = await startRegion({ processes, clock: 'driven', say: (line) => { said.push(line); } });
  const played = region;
  const { children } = played;
  const forgetting: Promise<void>[] = [];
  const killed: { readonly name: string; readonly pid: number | undefined }[] = [];
  const left = [...blows];
  const strike = ({ events, publications }: Progress): void => {
    const blow = left.find((one) =>
      events >= (one.events ?? Infinity) || publications >= (one.publications ?? Infinity));
    if (blow === undefined) return;
    left.splice(left.indexOf(blow), 1);
    const { names, forgets } = blow;
    for (const name of names) {
      const child = children.get(name);
      killed.push({ name, pid: child?.pid });
      child?.kill('SIGKILL');
    }
    const gone = said.length + names.length;
    // While the next process still starts: it looks for its checkpoints only once it has connected.
    if (forgets !== true) return;
    const areGone = eventually('they are gone', () => said.length >= gone);
    forgetting.push(areGone.then(() => played.forgetCheckpoints()));
  };
  const rehearsed = await rehearse(region, plan, strike);
  await Promise.all(forgetting);
  expect(left).toEqual([]);
  // Each was killed for good, and each is there again as another process.
  for (const { name, pid } of killed) {
    expect(pid).toBeGreaterThan(0);
    await eventually(`${name} runs again`, () => (children.get(name)?.pid ?? pid) !== pid);
  }
  expect(said.filter((line) => line.includes(' ended (SIGKILL)'))).toHaveLength(killed.length);
  return rehearsed;
}

async function undisturbed(): Promise<Rehearsed> {
  reference ??= await play('together');
  await region?.stop();
  region = undefined;
  return reference;
}

function expectTheSame(played: Rehearsed, expected: Rehearsed): void {
  expect(totals(played.report)).toEqual(totals(expected.report));
  expect(played.report.disagreements).toEqual([]);
  expect(played.report.lateEvents).toBe(0);
  expect(played.check.violations).toEqual([]);
  expect(decided(played.decisions)).toEqual(decided(expected.decisions));
  // Nothing that was acknowledged is lost, and the stream went on without a gap or a repeat.
  const idOf = (data: string): string => (JSON.parse(data) as { id: string }).id;
  const stored = new Map(played.intake.map(({ sequence, data }) => [sequence, idOf(data)]));
  for (const { sequence, id } of played.acknowledged) expect(stored.get(sequence)).toBe(id);
  expect(played.streamed).toEqual(storedPositions(played.decisions));
}

describe('a day that is played while processes are killed', () => {
  it('holds contacts that are served, that give up, and that leave in the IVR', async () => {
    const { report, check } = await undisturbed();
    const { served, abandoned, leftInIvr, contacts, unfinished } = totals(report);
    expect(contacts).toBe(50);
    expect(unfinished).toBe(0);
    expect(served + abandoned + leftInIvr).toBe(50);
    expect(Math.min(served, abandoned, leftInIvr)).toBeGreaterThan(0);
    expect(check.violations).toEqual([]);
  }, 300_000);

  it('ends with the same events when each service is killed, and several at once', async () => {
    const expected = await undisturbed();
    const played = await play('each', [
      { publications: 6, names: ['sessions'] },
      { events: 60, names: ['routing'] },
      { publications: 40, names: ['edge'] },
      { events: 150, names: ['sessions'] },
      { events: 200, names: ['edge'] },
      { publications: 80, names: ['routing'] },
      { events: 300, names: ['sessions', 'routing', 'edge'] },
    ]);
    expectTheSame(played, expected);
    expect(played.report.failures).toBeGreaterThan(0);
  }, 300_000);

  it('ends with the same events when nats-server is killed, alone and with the services', async () => {
    const expected = await undisturbed();
    const played = await play('each', [
      { publications: 20, names: ['nats-server'] },
      { events: 120, names: ['nats-server'] },
      { events: 240, names: ['nats-server', 'sessions', 'routing'] },
    ]);
    expectTheSame(played, expected);
  }, 300_000);

  it('ends with the same events when the process of all services is killed', async () => {
    const expected = await undisturbed();
    const played = await play('together', [
      { events: 50, names: ['region'] },
      { publications: 50, names: ['region'] },
      { events: 200, names: ['region', 'nats-server'] },
      { events: 300, names: ['region'], forgets: true },
    ]);
    expectTheSame(played, expected);
    // The last process found its place in the log, not at the beginning.
    const requests = played.intake.filter(({ subject }) => subject.includes('.contact.'));
    const metrics = await (await fetch(`${region?.url}/metrics`)).text();
    const handled = 'meridian_handler_duration_seconds_count{service="sessions",read="requests"}';
    const line = metrics.split('\n').find((one) => one.startsWith(handled)) ?? '';
    const count = Number(line.slice(handled.length));
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(requests.length);
  }, 300_000);
});
