import { setTimeout as wait } from 'node:timers/promises';
import type { Stage } from '../stage.ts';
import { nothing, type Exercise } from './exercise.ts';

/** All processes of a region end at once, and start again after the load. */
export function killRegion(region: string): Exercise {
  return {
    name: `kill-${region}`,
    what: `kill ${region}`,
    home: region,
    kind: 'UNPLANNED',
    lost: [region],
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
