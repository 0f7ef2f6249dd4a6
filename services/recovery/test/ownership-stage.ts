import type { Action, Input } from '../src/domain/actions.ts';
import { homeKey, leaseKey, type HomeRecord, type LeaseRecord } from '../src/domain/control.ts';
import { step } from '../src/domain/ownership.ts';
import { settingsOf, type OnIsolation } from '../src/domain/settings.ts';
import { initialState, type State } from '../src/domain/state.ts';

export const regions = ['ap', 'eu', 'us'];

/** The region us, told step by step what happens. */
export class Stage {
  readonly state: State;
  nowMs = 1_000;
  #revision = 100;

  constructor(onIsolation: OnIsolation = 'fence') {
    const settings = settingsOf({ region: 'us', regions, instance: 'us1', onIsolation });
    this.state = initialState(settings, this.at);
  }

  get at() {
    return { nowMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs };
  }

  tell(input: Input): readonly Action[] {
    return step(this.state, input, this.at).actions;
  }

  /** Lets time pass. */
  tick(ms: number): readonly Action[] {
    this.nowMs += ms;
    return this.tell({ type: 'tick' });
  }

  entry(key: string, value: HomeRecord | LeaseRecord): Input {
    this.#revision += 1;
    const entry = { key, value: JSON.stringify(value), revision: this.#revision };
    return { type: 'control_changed', entry };
  }

  /** Answers everything: reads find nothing new, writes succeed, comparisons are fine. */
  settle(actions: readonly Action[]): Action[] {
    const all = [...actions];
    for (let index = 0; index < all.length; index += 1) {
      const action = all[index] as Action;
      if (action.type === 'read_control') {
        const { id } = action;
        all.push(...this.tell({ type: 'control_read', id, incarnation: 'one', entries: [] }));
      } else if (action.type === 'write') {
        this.#revision += 1;
        all.push(...this.tell({ type: 'written', id: action.id, revision: this.#revision }));
      } else if (action.type === 'compare') {
        all.push(...this.tell({ type: 'compared', id: action.id, outcome: 'whole' }));
      } else if (action.type === 'append') {
        all.push(...this.tell({ type: 'appended', id: action.id, sequence: 50 }));
      }
    }
    return all;
  }

  /** What a process is granted that asks now. */
  ask(nonce: number, heard = '', deciding: Record<string, number> = {}) {
    const actions = this.tell({ type: 'ask', instance: 'd1', nonce, heard, deciding });
    const answers = actions.filter((action) => action.type === 'answer');
    const { homes, intake, answerId } = answers.at(-1) as Extract<Action, { type: 'answer' }>;
    return { homes, intake, answerId };
  }
}

export const lease = (region: string, count = 1): LeaseRecord => ({
  region,
  count,
  at: 1,
  instance: `${region}1`,
});
export const active = (home: string, owner: string, epoch = 1): HomeRecord => ({
  home,
  epoch,
  owner,
  state: 'ACTIVE',
  seals: [],
});
export const writes = (actions: readonly Action[], prefix: string) =>
  actions.flatMap((action) =>
    action.type === 'write' && action.key.startsWith(prefix)
      ? [
          {
            id: action.id,
            value: JSON.parse(action.value) as HomeRecord & LeaseRecord,
            expected: action.expectedRevision,
          },
        ]
      : [],
  );

/** us holds its lease and decides for itself; the others are seen alive. */
export function running(onIsolation?: OnIsolation): Stage {
  const stage = new Stage(onIsolation);
  stage.settle(stage.tick(0));
  for (const region of ['ap', 'eu']) {
    stage.settle(stage.tell(stage.entry(leaseKey(region), lease(region))));
    stage.settle(stage.tell(stage.entry(homeKey(region), active(region, region))));
  }
  stage.settle(stage.tick(10));
  return stage;
}
