import { describe, expect, it } from '@jest/globals';
import { SmallRegion } from '../../test/small-region.ts';
import { generatePlan } from '../day/index.ts';
import { isGood, playDay, summaryLine, type PlayOptions } from './index.ts';

const plan = generatePlan('7', { contacts: 120, agents: 5 });
const quick = { firstPauseMs: 1, longestPauseMs: 1 };

async function play(region: SmallRegion, options: Partial<PlayOptions> = {}) {
  return playDay({
    edge: region,
    plan,
    real: null,
    speed: 'max',
    run: 'r1',
    patience: quick,
    ...options,
  });
}

describe('a day played in lockstep', () => {
  it('brings every contact to an end, and finds in the log what it saw', async () => {
    const report = await play(new SmallRegion());
    expect(report.check.violations).toEqual([]);
    expect(report.disagreements).toEqual([]);
    expect(report.lateEvents).toBe(0);
    expect(isGood(report)).toBe(true);
    const { contacts, served, abandoned, leftInIvr, unfinished } = report.figures;
    expect([contacts, unfinished, served + abandoned + leftInIvr]).toEqual([120, 0, 120]);
    expect(leftInIvr).toBe(plan.contacts.filter((contact) => contact.leavesInIvr).length);
    expect(served).toBeGreaterThan(60);
  });

  it('asks the same at the same times when it is played again', async () => {
    const [one, two] = [new SmallRegion(), new SmallRegion()];
    const reports = [await play(one), await play(two)];
    expect(two.intake.map(({ data }) => data)).toEqual(one.intake.map(({ data }) => data));
    expect(two.entries.map(({ data }) => data)).toEqual(one.entries.map(({ data }) => data));
    expect(two.times).toEqual(one.times);
    expect(reports[1]?.figures).toEqual(reports[0]?.figures);
  });

  it('gives the same totals under another name of the run', async () => {
    const reports = [
      await play(new SmallRegion()),
      await play(new SmallRegion(), { run: 'other-2' }),
    ];
    expect(reports[1]?.figures).toEqual(reports[0]?.figures);
  });

  it('gives the same log when requests fail before and after they took effect', async () => {
    const [calm, rough] = [
      new SmallRegion(),
      new SmallRegion({
        fails: (method, call) => {
          if (method === 'log') return call % 3 === 0 ? 'before' : undefined;
          return call % 7 === 0 ? 'before' : call % 5 === 0 ? 'after' : undefined;
        },
      }),
    ];
    const reports = [await play(calm), await play(rough)];
    expect(rough.entries.map(({ data }) => data)).toEqual(calm.entries.map(({ data }) => data));
    expect(reports[1]?.figures).toEqual(reports[0]?.figures);
    expect(reports[1]?.failures).toBeGreaterThan(100);
    expect(reports.map((report) => isGood(report))).toEqual([true, true]);
  });

  it('plays a second day after the first, on the next day', async () => {
    const region = new SmallRegion();
    const first = await play(region);
    const second = await play(region, { run: 'r2' });
    expect(second.movedByMs).toBe(86_400_000);
    expect(second.figures).toEqual(first.figures);
    expect(isGood(second)).toBe(true);
  });

  it('refuses to play a run twice in a region', async () => {
    const region = new SmallRegion();
    await play(region);
    await expect(play(region)).rejects.toThrow('Choose another --run');
  });

  it('gives up on a region that stays away, and says so', async () => {
    const region = new SmallRegion({
      fails: (method, call) => (method === 'publish' && call > 9 ? 'before' : undefined),
    });
    await expect(play(region, { patience: { ...quick, patienceMs: 5 } })).rejects.toThrow(
      'Could not publish',
    );
  });

  it('ends when it is interrupted', async () => {
    const stop = new AbortController();
    const region = new SmallRegion({
      fails: (method, call) => {
        if (method === 'publish' && call === 50) stop.abort();
        return undefined;
      },
    });
    await expect(play(region, { signal: stop.signal })).rejects.toThrow('interrupted');
    expect(region.intake.length).toBeLessThan(100);
  });

  it('needs a driven clock', async () => {
    await expect(play(new SmallRegion({ driven: false }))).rejects.toThrow('--speed 1');
  });

  it('counts offers to agents of somebody else, and is not content then', async () => {
    const region = new SmallRegion();
    const stranger = generatePlan('8', { contacts: 1, agents: 1 });
    const agent = stranger.agents[0]!;
    region.now = plan.contacts[0]!.arrivalAt - 7_200_000;
    await region.publish([
      {
        specversion: '1.0',
        id: 'x',
        source: 'somebody',
        time: '1999-08-02T00:00:00Z',
        subject: 'stranger',
        type: 'meridian.agent.sign_in.v1',
        data: {
          sessionId: 's',
          skills: agent.skills,
          capacities: [{ channel: 'VOICE', limit: 1 }],
        },
      },
    ]);
    const report = await play(region);
    expect(report.disagreements).toContainEqual(
      expect.stringContaining('agents who are not of this day'),
    );
    expect(isGood(report)).toBe(false);
  });
});

describe('a day played by the clock', () => {
  it('plays at the speed asked for, and says how far it got', async () => {
    const small = generatePlan('3', { contacts: 8, agents: 2 });
    const short = {
      ...small,
      agents: small.agents.map((agent) => ({
        ...agent,
        shifts: [
          {
            signInAt: small.contacts[0]!.arrivalAt,
            signOutAt: small.contacts[0]!.arrivalAt + 60_000,
          },
        ],
      })),
      contacts: small.contacts.map((contact, index) => ({
        ...contact,
        arrivalAt: small.contacts[0]!.arrivalAt + index * 1000,
        ivrSeconds: 1,
        patienceSeconds: 30,
        leavesInIvr: false,
        talkSeconds: 5,
        wrapUpSeconds: 1,
        serviceSeconds: 6,
      })),
    };
    const region = new RunningRegion(200);
    const report = await play(region, { plan: short, speed: 200 });
    const { contacts, served, abandoned, unfinished } = report.figures;
    expect([contacts, unfinished, served + abandoned]).toEqual([8, 0, 8]);
    expect(report.disagreements).toEqual([]);
    expect(JSON.parse(summaryLine(report))).toMatchObject({ speed: 200, contacts: 8, ok: true });
  });
});

/** A region whose clock runs by itself once it is set to. */
class RunningRegion extends SmallRegion {
  readonly #rate: number;
  #sinceMs: number | undefined;
  #from = 0;

  constructor(rate: number) {
    super();
    this.#rate = rate;
  }

  override async advance(to: { at?: number; rate: number }) {
    this.#show();
    const answer = await super.advance(to);
    this.#from = answer.at;
    this.#sinceMs = to.rate === 0 ? undefined : performance.now();
    return answer;
  }

  override async clock() {
    this.#show();
    return super.clock();
  }

  override async publish(requests: Parameters<SmallRegion['publish']>[0]) {
    this.#show();
    if (this.#sinceMs !== undefined) await super.advance({ rate: this.#rate });
    return super.publish(requests);
  }

  #show(): void {
    if (this.#sinceMs === undefined) return;
    this.now = Math.floor(this.#from + (performance.now() - this.#sinceMs) * this.#rate);
  }
}
