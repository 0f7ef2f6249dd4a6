import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '@meridian/testing';
import { dayLog } from '../../test/day-log.ts';
import { run, type Ran } from '../../test/run.ts';
import { compare, estimate } from '../what-if/compare.ts';
import type { Run } from '../what-if/index.ts';
import { DayTally, type DayFigures } from '../what-if/tally.ts';

/**
 * A checkout whose simulator is a program of the test: it is given the job, and what it answers is
 * for the test to say. The real one is tested where the deciders are.
 */
function checkout(program: string): {
  readonly ask: (config?: string, ...more: string[]) => Promise<Ran>;
  readonly remove: () => void;
} {
  const folder = temporaryFolder('meridian-what-if-');
  const inside = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const log = dayLog('what-if', 40).map((entry) => `${JSON.stringify(entry)}\n`);
  const file = inside('eu.ndjson', log.join(''));
  const scripts = temporaryFolder('meridian-what-if-checkout-');
  const script = join(scripts.path, 'scripts', 'what-if');
  writeProgram(script, `#!/usr/bin/env node\n${program}`);
  return {
    ask: (config, ...more) => {
      const changes = config === undefined ? [] : ['--config', inside('c.json', config)];
      return run(['what-if', '--file', file, ...changes, ...more], { folder: scripts.path });
    },
    remove: () => {
      folder.remove();
      scripts.remove();
    },
  };
}

function writeProgram(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** Answers every run of day 1 with one contact more given up than in day 0; each seed with its own. */
const simulator = `
let text = '';
process.stdin.on('data', (some) => { text += some; }).on('end', () => {
  const job = JSON.parse(text);
  job.seeds.forEach((seed, index) => job.days.forEach((each, day) => {
    const abandoned = 2 + index + day;
    const all = { contacts: 40, answered: 40 - abandoned, abandoned, open: 0,
      serviceLevel: (30 + 4 * day) / 40, asaMs: 9000 - 1000 * day - 10 * index,
      abandonment: abandoned / 40, longestWaitMs: 60000, offers: 44, offersRejected: 0, offersTimedOut: 4 };
    console.log(JSON.stringify({ day, seed, figures: { occupancy: 0.5, all, queues: { q1: all } },
      likeRecord: { answered: 30, sameAgent: 30 - index, sameWait: 30 }, drawn: { patience: 36, gaveUp: day },
      handlingsDrawn: day, reactionsDrawn: 4 * day, offers: 44, refused: 0, events: each.contacts.length }));
  }));
});`;
const twice = '{ "agents": { "add": [{ "like": "a1" }] } }';

describe('meridian what-if', () => {
  it('shows how far off the simulator is, what changes, and what is not known', async () => {
    const { ask, remove } = checkout(simulator);
    const { code, out } = await ask(twice, '--runs', '3');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^demo, 2026-03-02 08:00:00 to .*: 40 contacts in 1 queues, 2 agents\. 3 runs/,
    );
    expect(out).toContain(
      'Service level: answered within 20.0 s of joining, of answered and abandoned',
    );
    expect(out).toMatch(/How far the simulator is from the record/);
    expect(out).toContain(
      '96.7 % are answered by the same agent again, and 100.0 % after the same wait',
    );
    expect(out).toMatch(
      /Service level +75\.0 % +85\.0 % +\+10\.0 {2}\(\+10\.0 to \+10\.0\) points/,
    );
    expect(out).toMatch(/ASA +8\.9 s +7\.9 s +-1\.0 s {2}\(-1\.0 s to -1\.0 s\)/);
    expect(out).toMatch(/Abandoned +3 +4 +\+1 {2}\(\+1 to \+1\)/);
    expect(out).toContain(
      '- 1 agent added: answering, and being away after an offer that rang out',
    );
    expect(out).toMatch(
      /gave up in the record: that is their patience\. That of the other \d+ is not known/,
    );
    expect(out).toContain('come from 3 pairs of runs');
    remove();
  });

  it('gives all of it as JSON, and without a change only how far off the simulator is', async () => {
    const { ask, remove } = checkout(simulator);
    const { out } = await ask(twice, '--runs', '2', '--seed', 'mine', '--json');
    const answer = JSON.parse(out) as {
      readonly all: Readonly<Record<string, unknown>>;
      readonly runs: readonly Run[];
      readonly limits: readonly string[];
    };
    expect(answer.runs.map(({ seed, day }) => `${seed} ${day}`)).toEqual([
      'mine/1 0',
      'mine/1 1',
      'mine/2 0',
      'mine/2 1',
    ]);
    expect(answer.all['abandoned']).toMatchObject({
      again: { mean: 2.5 },
      changed: { mean: 3.5 },
      difference: { mean: 1, halfWidth: 0 },
    });
    expect(answer.limits.length).toBeGreaterThan(4);
    const alone = (await ask(undefined, '--runs', '1')).out;
    expect(alone).not.toContain('What changes');
    expect(alone).toContain('How far the simulator is from the record');
    remove();
  });

  it('measures the record by the seconds of the change too', async () => {
    const { ask, remove } = checkout(simulator);
    const recorded = async (config: string): Promise<number> => {
      const answer = JSON.parse((await ask(config, '--runs', '1', '--json')).out) as {
        readonly all: { readonly serviceLevel: { readonly recorded: number } };
      };
      return answer.all.serviceLevel.recorded;
    };
    const strict = await recorded('{ "queues": { "q1": { "serviceLevelMs": 2000 } } }');
    expect(strict).toBeLessThan(await recorded(twice));
    remove();
  });

  it('says what was wrong: with the file, the time, the number of runs, the simulator', async () => {
    const { ask, remove } = checkout("console.error('it broke'); process.exitCode = 3;");
    expect(await ask('{ "queues": { "q7": {} } }')).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        'queues.q7 names "q7"; the record has no such queue. It has q1.',
      ),
    });
    expect((await ask(twice, '--from', '2027-01-01T00:00:00Z')).err).toContain(
      'No contact of tenant',
    );
    expect((await ask(twice, '--runs', '5000')).err).toContain(
      '--runs is 5000; it must be at most',
    );
    const broken = await ask(twice);
    expect(broken.code).toBe(1);
    expect(broken.err).toContain('The simulator ended (3) after 0 of 20 runs.\nit broke');
    remove();
  });
});

describe('a comparison', () => {
  it('has the mean and the half width of Student’s interval', () => {
    // Mean 3, standard deviation 1.5811; t(4) = 2.776, so 2.776 * 1.5811 / sqrt(5) = 1.963.
    expect(estimate([1, 2, 3, 4, 5])?.mean).toBe(3);
    expect(estimate([1, 2, 3, 4, 5])?.halfWidth).toBeCloseTo(1.963, 3);
    expect(estimate([7])).toEqual({ mean: 7, halfWidth: null });
    expect(estimate([])).toBeNull();
    const many = Array.from({ length: 61 }, (_, index) => index % 2);
    const deviation = Math.sqrt((30 * (30 / 61) ** 2 + 31 * (31 / 61) ** 2) / 60);
    expect(estimate(many)?.halfWidth).toBeGreaterThan((1.99 * deviation) / Math.sqrt(61) - 0.01);
  });

  it('sets the runs against each other seed by seed', () => {
    const figures = (abandoned: number): DayFigures => {
      const { all } = new DayTally().figures({ fromMs: 0, toMs: 1, serviceLevelMs: new Map() });
      const own = { ...all, abandoned };
      return { occupancy: null, all: own, queues: { q1: own } };
    };
    const runOf = (seed: string, day: number, abandoned: number): Run =>
      ({ seed, day, figures: figures(abandoned) }) as Run;
    // They differ far more between seeds than between the days: the pairs tell.
    const runs = [
      runOf('a', 0, 10),
      runOf('b', 0, 50),
      runOf('a', 1, 9),
      runOf('b', 1, 49),
    ] satisfies readonly Run[];
    const { all, queues } = compare(figures(12), runs);
    expect(all.abandoned).toEqual({
      recorded: 12,
      again: { mean: 30, halfWidth: expect.closeTo(254.12, 1) },
      changed: { mean: 29, halfWidth: expect.closeTo(254.12, 1) },
      difference: { mean: -1, halfWidth: 0 },
    });
    expect(all.serviceLevel.difference).toBeNull();
    expect(queues['q1']?.abandoned.difference).toEqual({ mean: -1, halfWidth: 0 });
  });
});
