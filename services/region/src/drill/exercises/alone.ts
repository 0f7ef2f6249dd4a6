import { setTimeout as wait } from 'node:timers/promises';
import type { Observation } from '@meridian/cli';
import { eventStream } from '@meridian/wire';
import { decidedAt, LongCall } from '../long-call.ts';
import { longestPauseOfOffers } from '../offers.ts';
import { nothing, promised, type Evidence, type Exercise } from './exercise.ts';

/** How long the region that is left waits for somebody's word, in ms: longer than its lease. */
const waitMs = 8_000;

/** Both other regions are lost; the one that is left decides for all on somebody's word. */
export function breakGlass(left: string, lost: readonly string[]): Exercise {
  const [home = ''] = lost;
  let call: LongCall | undefined;
  return {
    name: 'break-glass',
    what: `kill ${lost.join(' and ')}, and let ${left} decide by break glass`,
    home,
    kind: 'NONE',
    lost,
    async act(stage) {
      call = await LongCall.begin(stage, left);
      const at = stage.note(`kill -9 of every process of ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).kill()));
      await call.goOn(waitMs);
      for (const one of [left, ...lost]) {
        stage.note(`break the glass: ${left} is to decide for ${one}`);
        const asked = { home: one, to: left, kind: 'UNPLANNED', breakGlass: true, reason: 'drill' };
        await stage
          .ask(left, '/v1/failovers', asked)
          .catch((error: unknown) => stage.say(String(error)));
      }
      return at;
    },
    async mend(stage) {
      stage.note(`start ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).start()));
    },
    judge: (evidence) => judgeCall(call, evidence),
  };
}

/** Of what somebody said about a call that went on while nobody could decide. */
async function judgeCall(
  call: LongCall | undefined,
  { stage, entries }: Evidence,
): Promise<Observation[]> {
  const commands = call?.commands ?? [];
  const streams = stage.regions.flatMap((region) => entries(region, eventStream(region)));
  const decided = call === undefined ? new Map() : await decidedAt(call, streams);
  const refused = commands.filter(({ acknowledgedAt }) => acknowledgedAt === undefined).length;
  const without = commands.filter(({ id }) => !decided.has(id)).length;
  return [
    promised(
      'CALL_TAKEN',
      'Hold, resume and hang-up of a call that goes on are taken in during the wait',
      commands.length === 0 ? null : refused,
      'at most',
      0,
      'refused',
    ),
    promised(
      'CALL_DECIDED',
      'All of them are decided, none is forgotten',
      commands.length === 0 ? null : without,
      'at most',
      0,
      'undecided',
    ),
  ];
}

/** What a person may notice as a pause, in ms. */
const pauseLimitMs = 2_000;
/** Customers come all the time: so long nobody is offered to nobody, in ms. */
const offersLimitMs = 5_000;

/** Both other regions are lost; the one that is left was told to go on for its own home. */
export function serveAlone(left: string, lost: readonly string[]): Exercise {
  let call: LongCall | undefined;
  return {
    name: 'on-isolation-serve',
    what: `kill ${lost.join(' and ')}; ${left} was told to serve alone`,
    home: null,
    kind: 'NONE',
    lost,
    prepare: () =>
      Promise.resolve({
        mesh: { environmentOf: { [left]: { MERIDIAN_ON_ISOLATION: 'serve' } } },
        undo: nothing,
      }),
    async act(stage) {
      call = await LongCall.begin(stage, left);
      const at = stage.note(`kill -9 of every process of ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).kill()));
      await call.goOn(waitMs, 500);
      await wait(1_000);
      return at;
    },
    async mend(stage) {
      stage.note(`start ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).start()));
    },
    async judge(evidence) {
      const { stage, entries, blowAt, mendedAt, settled } = evidence;
      const streams = () => [entries(left, eventStream(left))];
      const decided = call === undefined ? new Map() : await decidedAt(call, streams());
      const waits = (call?.commands ?? []).map(({ id, acknowledgedAt }) => {
        const at = decided.get(id) as number | undefined;
        return at === undefined || acknowledgedAt === undefined ? Infinity : at - acknowledgedAt;
      });
      const longest = waits.length === 0 ? Infinity : Math.max(0, ...waits);
      const pause = await longestPauseOfOffers(left, streams(), { fromMs: blowAt, toMs: mendedAt });
      const asked = settled.findings.takeovers.filter(
        ({ completedAt }) => completedAt >= blowAt && completedAt < mendedAt,
      );
      stage.say(`waits of the call's commands in ms: ${waits.map(Math.round).join(', ')}`);
      return [
        promised(
          'CALL_GOES_ON',
          'A call that goes on is decided about without a pause of 2 s',
          Number.isFinite(longest) ? Math.round(longest) : null,
          'at most',
          pauseLimitMs,
          'ms',
        ),
        promised(
          'OFFERS_GO_ON',
          'Offers go on without a pause of 5 s',
          pause,
          'at most',
          offersLimitMs,
          'ms',
        ),
        promised('NOBODY_ASKED', 'No epoch begins meanwhile', asked.length, 'at most', 0, 'epochs'),
      ];
    },
  };
}
