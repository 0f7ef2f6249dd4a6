import { statfs } from 'node:fs/promises';
import { EdgeRefusal, EdgeUnreachable, exitCodes } from '../fault.ts';
import type { Paint } from '../render/colour.ts';
import { formatDuration } from '../render/duration.ts';
import { table } from '../render/table.ts';
import type { AsideRow } from './set-aside.ts';
import { printJson, type CommandSpec, type Context } from './command.ts';

export interface Finding {
  readonly what: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do; empty when nothing. */
  readonly advice: string;
}

const ok = (what: string, found: string): Finding => ({ what, verdict: 'ok', found, advice: '' });

/** Node 24 or newer. @param version such as `v24.21.0` */
export function judgeNode(version: string): Finding {
  const major = Number(/^v?(\d+)/.exec(version)?.[1]);
  if (major >= 24) return ok('Node.js', version);
  return {
    what: 'Node.js',
    verdict: 'fail',
    found: version,
    advice: 'Run scripts/setup, and meridian through scripts/meridian: 24 is needed.',
  };
}

/** Space left where the log is likely to be. @param freeBytes @param totalBytes of the file system */
export function judgeDisk(freeBytes: number, totalBytes: number): Finding {
  const found = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free of ${(totalBytes / 2 ** 30).toFixed(1)} GiB`;
  if (freeBytes < 2 ** 30) {
    return {
      what: 'disk',
      verdict: 'fail',
      found,
      advice: 'Make room: JetStream stops storing when the disk is full.',
    };
  }
  if (freeBytes < 5 * 2 ** 30) {
    return { what: 'disk', verdict: 'warn', found, advice: 'Make room soon.' };
  }
  return ok('disk', found);
}

/** How far this machine's clock and the region's are apart. @param driftMs region less machine */
export function judgeClock(source: string, driftMs: number | null): Finding {
  if (source === 'driven') return ok('clock', driftMs === null ? 'driven, not set yet' : 'driven');
  const apart = Math.abs(driftMs ?? 0);
  const found = `${formatDuration(apart)} apart`;
  if (apart < 1000) return ok('clock', found);
  return {
    what: 'clock',
    verdict: 'warn',
    found,
    advice: 'Synchronise the clocks (NTP): offers end by the clock of the region.',
  };
}

interface Health {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly nats: string;
  readonly services: readonly {
    readonly service: string;
    readonly state: string;
    readonly detail?: string;
    readonly lag: Readonly<Record<string, { readonly sequences: number; readonly ageMs: number }>>;
  }[];
}

/** Each service by its state and how far it is behind what it reads. */
export function judgeHealth({ ok: ready, reasons, nats, services }: Health): Finding[] {
  const head: Finding = ready
    ? ok('ready', `NATS ${nats}, ${services.length} services`)
    : {
        what: 'ready',
        verdict: 'fail',
        found: reasons.join('; '),
        advice: 'See the log of the region; scripts/up starts it anew.',
      };
  return [
    head,
    ...services.map(({ service, state, detail, lag }): Finding => {
      const reads = Object.entries(lag);
      const behind = Math.max(0, ...reads.map(([, one]) => one.sequences));
      const ageMs = Math.max(0, ...reads.map(([, one]) => one.ageMs));
      const why = detail === undefined ? '' : ` (${detail})`;
      const found = `${state}${why}, ${behind} behind${behind > 0 ? `, ${formatDuration(ageMs)}` : ''}`;
      const what = `service ${service}`;
      if (state !== 'open') {
        return {
          what,
          verdict: 'fail',
          found,
          advice: 'See its log; set-aside list shows what it could not process.',
        };
      }
      if (ageMs < 5000) return ok(what, found);
      return {
        what,
        verdict: 'warn',
        found,
        advice: 'It is falling behind: look at the load and at its log.',
      };
    }),
  ];
}

/** What was set aside. @param items those not resolved @param isAll false when there are more */
export function judgeAside(items: readonly AsideRow[], isAll: boolean): Finding {
  const count = (status: AsideRow['status']): number =>
    items.filter((item) => item.status === status).length;
  const failed = count('failed');
  const found =
    `${failed} failed, ${count('rejected')} rejected, ` +
    `${count('retry_requested')} to be tried again${isAll ? '' : ' (of the first)'}`;
  if (failed === 0) return ok('set aside', found);
  return {
    what: 'set aside',
    verdict: 'warn',
    found,
    advice: 'meridian set-aside list --status failed',
  };
}

/** Runs a check that needs the edge; a refusal is a warning, silence a failure. */
async function ask(what: string, work: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    const found = await work();
    return Array.isArray(found) ? found : [found];
  } catch (error) {
    if (error instanceof EdgeRefusal) {
      const advice =
        error.status === 403 || error.status === 401
          ? 'Give a key with the scope admin.'
          : 'See the log of the edge.';
      return [
        {
          what,
          verdict: 'warn',
          found: `${error.status} ${error.problem.title ?? ''}`.trim(),
          advice,
        },
      ];
    }
    if (error instanceof EdgeUnreachable) {
      const [found = '', advice = ''] = error.message.split('\n');
      return [{ what, verdict: 'fail', found, advice }];
    }
    throw error;
  }
}

async function examine(context: Context): Promise<Finding[]> {
  const { client, io } = context;
  const { bavail, blocks, bsize } = await statfs(io.folder);
  const findings = [judgeNode(process.version), judgeDisk(bavail * bsize, blocks * bsize)];
  const edge = await ask('edge', async () => {
    const { status } = await client.probe('/health/live');
    return status === 200
      ? ok('edge', client.url)
      : {
          what: 'edge',
          verdict: 'fail',
          found: `${client.url} answers ${status}`,
          advice: 'See the log of the region.',
        };
  });
  findings.push(...edge);
  if (edge.some(({ verdict, found }) => verdict === 'fail' && found.includes('no answer'))) {
    return findings;
  }
  findings.push(
    ...(await ask('ready', async () =>
      judgeHealth(JSON.parse((await client.probe('/health/ready')).text) as Health),
    )),
  );
  findings.push(
    ...(await ask('clock', async () => {
      const { source, now } = await client.get<{ source: string; now: number | null }>('/v1/clock');
      return judgeClock(source, now === null ? null : now - io.now());
    })),
  );
  findings.push(...(await ask('streams', () => judgeStreams(context))));
  findings.push(
    ...(await ask('set aside', async () => {
      const { items, next } = await client.get<{ items: readonly AsideRow[]; next?: number }>(
        '/v1/set-aside?limit=1000',
      );
      return judgeAside(items, next === undefined);
    })),
  );
  return findings;
}

/** Whether the region's streams can be read. */
async function judgeStreams({ client }: Context): Promise<Finding[]> {
  const { position } = await client.get<{ position: { stream: string; sequence: number } }>(
    '/v1/queues?limit=1',
  );
  const region = position.stream.replace(/^EV_/, '');
  const findings: Finding[] = [ok('read models', `up to ${position.stream} ${position.sequence}`)];
  for (const stream of [`IN_${region}`, `EV_${region}`, `ASIDE_${region}`]) {
    findings.push(
      ...(await ask(`stream ${stream}`, async () => {
        // Its first lines show that it is there; an empty one gives none.
        for await (const lines of client.log(stream)) if (lines.length > 0) break;
        return ok(`stream ${stream}`, 'present');
      })),
    );
  }
  return findings;
}

export function renderFindings(findings: readonly Finding[], paint: Paint): string {
  const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
  return table(
    [{ heading: '' }, { heading: 'what' }, { heading: 'found' }, { heading: 'what to do' }],
    findings.map(({ verdict, what, found, advice }) => [
      paint(colours[verdict], verdict),
      what,
      found,
      advice,
    ]),
  );
}

export const doctorCommand: CommandSpec = {
  usage: 'doctor',
  summary: 'Look at everything a region needs, and say what to do about what is wrong',
  examples: ['meridian doctor', 'meridian doctor --json || notify'],
  async run(context) {
    const findings = await examine(context);
    const healthy = findings.every(({ verdict }) => verdict !== 'fail');
    if (context.json) printJson(context, { ok: healthy, findings });
    else context.io.out(renderFindings(findings, context.paint));
    return healthy ? exitCodes.ok : exitCodes.no;
  },
};
