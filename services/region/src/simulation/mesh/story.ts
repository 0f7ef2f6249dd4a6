import type { MeshFaults } from '@meridian/testing';
import { eventStream, intakeStream, type EventEnvelope } from '@meridian/wire';
import { regions } from './scenario.ts';
import type { MeshServices } from './services.ts';
import { simulateMesh, type MeshSimulationOptions, type MeshSimulationResult } from './simulate.ts';

/** How many worlds are tried to find out which faults a problem needs. */
const attemptsLimit = 120;
/** How many messages of a story are told. */
const linesLimit = 60;

/** A moment of the day, as minutes, seconds and milliseconds. */
const moment = (atMs: number): string => new Date(atMs).toISOString().slice(14, 23);

/** The faults of a plan one by one, each with a plan that lacks it. */
function* without(faults: MeshFaults): Iterable<MeshFaults> {
  const lists = ['losses', 'cuts', 'slowLinks', 'pauses', 'control'] as const;
  for (const name of lists) {
    for (const index of faults[name].keys()) {
      yield { ...faults, [name]: faults[name].filter((_, other) => other !== index) };
    }
  }
  const { processes } = faults;
  for (const name of ['crashes', 'zombies', 'troubles'] as const) {
    for (const index of processes[name].keys()) {
      const left = processes[name].filter((_, other) => other !== index);
      yield { ...faults, processes: { ...processes, [name]: left } };
    }
  }
  if (faults.beatLoss > 0) yield { ...faults, beatLoss: 0 };
}

/** Leaves out fault after fault as long as something is still wrong with the world. */
export async function shrink(
  options: MeshSimulationOptions,
  faults: MeshFaults,
): Promise<MeshFaults> {
  let least = faults;
  let attempts = 0;
  const isWrong = async (fewer: MeshFaults): Promise<boolean> => {
    attempts += 1;
    try {
      return (await simulateMesh({ ...options, faults: fewer })).problems.length > 0;
    } catch {
      return true;
    }
  };
  for (let found = true; found;) {
    found = false;
    for (const fewer of without(least)) {
      if (attempts >= attemptsLimit) return least;
      if (!(await isWrong(fewer))) continue;
      least = fewer;
      found = true;
      break;
    }
  }
  return least;
}

/** What goes wrong in a world, one sentence each, in the order of time. */
export function faultLines(faults: MeshFaults): string[] {
  const { losses, cuts, slowLinks, pauses, control, processes, beatLoss } = faults;
  const lines: [number, string][] = [
    ...losses.map(({ atMs, region, downMs, lostMessages }): [number, string] => [
      atMs,
      `${region} dies for ${downMs} ms${lostMessages > 0 ? `, losing up to ${lostMessages} messages a stream` : ''}`,
    ]),
    ...cuts.map(({ fromMs, toMs, from, to, scope }): [number, string] => [
      fromMs,
      `nothing comes from ${from} to ${to} for ${toMs - fromMs} ms${scope === 'all' ? '' : ' (streams only)'}`,
    ]),
    ...slowLinks.map(({ fromMs, toMs, from, to, slowMs }): [number, string] => [
      fromMs,
      `${from} to ${to} takes ${slowMs} ms more for ${toMs - fromMs} ms`,
    ]),
    ...pauses.map(({ atMs, node, forMs }): [number, string] => [
      atMs,
      `${node} stands still for ${forMs} ms`,
    ]),
    ...control.map(({ fromMs, toMs, region, ...rest }): [number, string] => [
      fromMs,
      `${region} has trouble with the control store for ${toMs - fromMs} ms: ${JSON.stringify(rest)}`,
    ]),
    ...processes.crashes.map(({ atMs, node, downMs }): [number, string] => [
      atMs,
      `${node} dies for ${downMs} ms`,
    ]),
    ...processes.zombies.map(({ atMs, node, overlapMs }): [number, string] => [
      atMs,
      `a second ${node} runs; the first dies ${overlapMs} ms later`,
    ]),
    ...processes.troubles.map(({ fromMs, toMs, node, ...rest }): [number, string] => [
      fromMs,
      `${node} has trouble with its log for ${toMs - fromMs} ms: ${JSON.stringify(rest)}`,
    ]),
  ];
  lines.sort(([a], [b]) => a - b);
  return [
    ...lines.map(([atMs, line]) => `${moment(atMs)} ${line}`),
    ...(beatLoss === 0 ? [] : [`a beat is lost with probability ${beatLoss.toFixed(2)}`]),
  ];
}

/** What the problems name, and each change of who owns what. */
function wordsOf({ problems }: MeshSimulationResult): RegExp {
  const names = problems
    .flatMap(({ detail }) => detail.match(/\b[ca]\d+(?:-\d+|-r\d+)?\b/g) ?? [])
    .map((name) => name.replace(/-.*$/, ''));
  return new RegExp(`\\.ownership\\.|\\b(?:${[...new Set(names), 'nobody'].join('|')})\\b`);
}

/** The messages that the problems are about, as they were stored, in the order of time. */
function messageLines({ mesh }: MeshServices, words: RegExp): string[] {
  const lines: [number, string][] = [];
  for (const region of regions) {
    for (const stream of [intakeStream(region), eventStream(region)]) {
      for (const message of mesh.region(region).log.messages(stream)) {
        const text = message.text();
        if (!words.test(message.subject) && !words.test(text)) continue;
        const value: unknown = JSON.parse(text);
        const events = (Array.isArray(value) ? value : [value]) as Partial<EventEnvelope>[];
        const told = events.map(({ type = '', subject = '', epoch }) => {
          const short = type.slice('meridian.'.length, -'.v1'.length);
          return `${short} ${subject}${epoch === undefined ? '' : ` (epoch ${epoch})`}`;
        });
        const where = `${stream} ${message.sequence}`;
        lines.push([
          message.storedAtMs,
          `${moment(message.storedAtMs)} ${where} ${told.join(', ')}`,
        ]);
      }
    }
  }
  lines.sort(([a], [b]) => a - b);
  return lines.slice(-linesLimit).map(([, line]) => line);
}

/** Tells what is wrong with a world with as few faults as it needs. */
export async function tellStory(options: MeshSimulationOptions): Promise<string[]> {
  try {
    return await tell(options);
  } catch (error) {
    return [`the world breaks: ${(error as Error).stack ?? String(error)}`];
  }
}

async function tell(options: MeshSimulationOptions): Promise<string[]> {
  const { faults } = await simulateMesh(options);
  const least = await shrink(options, faults);
  let services: MeshServices | undefined;
  const result = await simulateMesh({
    ...options,
    faults: least,
    onEnd: (all) => {
      services = all;
    },
  });
  return [
    'with these faults alone:',
    ...faultLines(least).map((line) => `  ${line}`),
    'this is wrong:',
    ...result.problems.slice(0, 6).map(({ rule, detail }) => `  ${rule}: ${detail.slice(0, 400)}`),
    'and this was stored:',
    ...(services === undefined ? [] : messageLines(services, wordsOf(result))).map(
      (line) => `  ${line}`,
    ),
  ];
}
