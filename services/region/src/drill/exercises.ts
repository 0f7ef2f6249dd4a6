import { setTimeout as wait } from 'node:timers/promises';
import type { Observation } from '@meridian/cli';
import type { CutOrder, DrillOptions } from './options.ts';
import type { Stage } from './stage.ts';

/** Something that is done to the regions under load, and undone. */
export interface Exercise {
  /** Such as `kill-eu`; part of file names. */
  readonly name: string;
  /** In words, for the receipt. */
  readonly what: string;
  /** Whose ownership is to move, and how. */
  readonly home: string | null;
  readonly kind: 'PLANNED' | 'UNPLANNED' | 'NONE';
  /** Regions whose processes are all gone in between. */
  readonly lost: readonly string[];
  /**
   * Done after a third of the load, while it goes on.
   * @returns when the blow fell, epoch ms
   */
  act(stage: Stage): Promise<number>;
  /** Done after the load: what was killed starts again, what was cut is healed. */
  mend(stage: Stage): Promise<void>;
  /** What it measures beyond what all drills do. */
  readonly observations: Observation[];
}

const nothing = async (): Promise<void> => {};

/** All processes of a region end at once, and start again after the load. */
export function killRegion(region: string): Exercise {
  return {
    name: `kill-${region}`,
    what: `kill ${region}`,
    home: region,
    kind: 'UNPLANNED',
    lost: [region],
    observations: [],
    async act(stage) {
      const at = stage.note(`kill -9 of every process of ${region}`);
      await stage.mesh.region(region).kill();
      return at;
    },
    async mend(stage) {
      stage.note(`start ${region}`);
      await stage.mesh.region(region).start();
    },
  };
}

/** The ownership of a home moves to the next region by request, and back, under load. */
export function planned(home: string, to: string): Exercise {
  return {
    name: `planned-${home}`,
    what: `planned failover of ${home} to ${to} and failback`,
    home,
    kind: 'PLANNED',
    lost: [],
    observations: [],
    async act(stage) {
      const at = stage.note(`ask for a planned failover of ${home} to ${to}`);
      await stage.ask(home, '/v1/failovers', { home, to, kind: 'PLANNED', reason: 'drill' });
      const moved = await stage.untilOwner(to, home, (owner) => owner === to);
      if (!moved) throw new Error(`${home} was not decided for by ${to} within a minute.`);
      await wait(3_000);
      stage.note(`ask for the failback of ${home}`);
      await stage.ask(to, '/v1/failovers', { home, to: home, kind: 'PLANNED', reason: 'drill' });
      const back = await stage.untilOwner(home, home, (owner) => owner === home);
      if (!back) throw new Error(`${home} was not decided for by itself again within a minute.`);
      return at;
    },
    mend: nothing,
  };
}

/** Links and control routes are cut as ordered, and healed after the load. */
export function cutLinks(cuts: readonly CutOrder[]): Exercise {
  const text = cuts
    .map(
      ({ from, to, by, direction }) => `${from}${direction === 'both' ? '-' : '>'}${to} by ${by}`,
    )
    .join(', ');
  return {
    name: `cut-${cuts.map(({ from, to, by }) => `${from}-${to}-${by.replace(' ', '')}`).join('-')}`,
    what: `cut ${text}`,
    home: null,
    kind: 'NONE',
    lost: [],
    observations: [],
    act(stage) {
      const at = stage.note(`cut ${text}`);
      for (const { from, to, by, direction } of cuts) {
        stage.mesh.links?.cut([from], [to], by === 'reset' ? { by } : { by, direction });
      }
      return Promise.resolve(at);
    },
    mend(stage) {
      stage.note('heal all links');
      stage.mesh.links?.heal();
      return Promise.resolve();
    },
  };
}

/** A process of a region ends (SIGKILL) and is started again by its supervisor at once. */
export function killProcess(region: string, process: string): Exercise {
  return {
    name: `kill-${region}-${process}`,
    what: `kill ${process} of ${region}`,
    home: null,
    kind: 'NONE',
    lost: [],
    observations: [],
    act(stage) {
      const at = stage.note(`kill -9 of ${process} of ${region}`);
      const child = stage.mesh.region(region).children.get(process);
      if (child === undefined) throw new Error(`${region} has no process ${process}.`);
      child.kill('SIGKILL');
      return Promise.resolve(at);
    },
    mend: nothing,
  };
}

/** All processes of a region stand still for a while: connections stay, nothing is answered. */
export function stopRegion(region: string, seconds: number): Exercise {
  const signal = (stage: Stage, name: NodeJS.Signals): void => {
    for (const child of stage.mesh.region(region).children.values()) child.kill(name);
  };
  return {
    name: `stop-${region}`,
    what: `SIGSTOP of ${region} for ${seconds} s`,
    home: region,
    kind: 'UNPLANNED',
    lost: [],
    observations: [],
    async act(stage) {
      const at = stage.note(`SIGSTOP of nats-server, control server and services of ${region}`);
      signal(stage, 'SIGSTOP');
      await wait(seconds * 1_000);
      stage.note(`SIGCONT of ${region}`);
      signal(stage, 'SIGCONT');
      return at;
    },
    mend: nothing,
  };
}

/** The region that took over is killed as well, as soon as it has. */
export function failoverDuringFailover(first: string): Exercise {
  const killed = [first];
  return {
    name: `kill-${first}-then-its-heir`,
    what: `kill ${first}, then the region that takes over`,
    home: first,
    kind: 'NONE',
    lost: [first],
    observations: [],
    async act(stage) {
      const others = stage.regions.filter((region) => region !== first);
      const at = stage.note(`kill -9 of every process of ${first}`);
      await stage.mesh.region(first).kill();
      let heir: string | undefined;
      await stage.untilOwner(others[0] as string, first, (owner) => {
        heir = owner === first ? undefined : owner;
        return heir !== undefined;
      });
      if (heir === undefined) throw new Error(`Nobody took ${first} over within a minute.`);
      stage.note(`start ${first}, and kill -9 of every process of ${heir} which took it over`);
      killed.push(heir);
      await stage.mesh.region(first).start();
      await stage.mesh.region(heir).kill();
      return at;
    },
    async mend(stage) {
      for (const region of killed) {
        if (stage.mesh.region(region).isRunning) continue;
        stage.note(`start ${region}`);
        await stage.mesh.region(region).start();
      }
    },
  };
}

/** Two of the three control servers are gone: nobody may take over, and nobody needs to. */
export function withoutQuorum(gone: readonly string[]): Exercise {
  const controls = (stage: Stage) =>
    gone.flatMap((region) => stage.mesh.region(region).children.get('control') ?? []);
  return {
    name: 'control-without-quorum',
    what: `control servers of ${gone.join(' and ')} killed`,
    home: null,
    kind: 'NONE',
    lost: [],
    observations: [],
    async act(stage) {
      const at = stage.note(`kill -9 of the control servers of ${gone.join(' and ')}`);
      await Promise.all(controls(stage).map((child) => child.stop('SIGKILL')));
      return at;
    },
    async mend(stage) {
      stage.note(`start the control servers of ${gone.join(' and ')}`);
      await Promise.all(controls(stage).map((child) => child.start()));
    },
  };
}

/** Both other regions are lost; the one that is left decides for all on somebody's word. */
export function breakGlass(left: string, lost: readonly string[]): Exercise {
  const [home = ''] = lost;
  return {
    name: 'break-glass',
    what: `kill ${lost.join(' and ')}, and let ${left} decide by break glass`,
    home,
    kind: 'NONE',
    lost,
    observations: [],
    async act(stage) {
      const at = stage.note(`kill -9 of every process of ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).kill()));
      await wait(8_000);
      for (const one of [left, ...lost]) {
        stage.note(`break the glass: ${left} is to decide for ${one}`);
        await stage
          .ask(left, '/v1/failovers', {
            home: one,
            to: left,
            kind: 'UNPLANNED',
            breakGlass: true,
            reason: 'drill',
          })
          .catch((error: unknown) => stage.say(String(error)));
      }
      return at;
    },
    async mend(stage) {
      stage.note(`start ${lost.join(' and ')}`);
      await Promise.all(lost.map((region) => stage.mesh.region(region).start()));
    },
  };
}

/** What a command line asks for, or the long series. */
export function exercisesOf(options: DrillOptions): Exercise[] {
  const { kill, planned: isPlanned, cuts, all, only } = options;
  if (all) {
    const series = longSeries();
    return only.length === 0 ? series : series.filter(({ name }) => only.includes(name));
  }
  if (kill === undefined) return [cutLinks(cuts)];
  const next = kill === 'us' ? 'ap' : 'us';
  return [isPlanned ? planned(kill, next) : killRegion(kill)];
}

/** Every kill, stop and cut there is. */
export function longSeries(): Exercise[] {
  const cut = (from: string, to: string, by: CutOrder['by'], direction: CutOrder['direction']) => ({
    from,
    to,
    by,
    direction,
  });
  return [
    killRegion('eu'),
    killRegion('us'),
    planned('eu', 'us'),
    killProcess('eu', 'nats-server'),
    killProcess('us', 'region'),
    stopRegion('ap', 40),
    cutLinks([cut('eu', 'us', 'reset', 'both')]),
    cutLinks([cut('eu', 'us', 'black hole', 'both')]),
    cutLinks([cut('us', 'ap', 'black hole', 'forward')]),
    cutLinks([cut('eu', 'us', 'black hole', 'both'), cut('eu', 'ap', 'black hole', 'both')]),
    failoverDuringFailover('eu'),
    withoutQuorum(['us', 'ap']),
    breakGlass('eu', ['us', 'ap']),
  ];
}
