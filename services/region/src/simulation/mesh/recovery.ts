import {
  followLedger,
  LogFault,
  meshTenant,
  readEntry,
  type FollowedLedger,
  type LogMessage,
} from '@meridian/journal';
import {
  leaseAskSubject,
  leaseGrantSubject,
  type LeaseAnswer,
  type LeaseAsk,
} from '@meridian/nest';
import {
  initialState,
  settingsOf,
  step,
  type Action,
  type Input,
  type Moment,
  type Position,
  type State,
} from '@meridian/recovery';
import {
  WrongRevision,
  type ControlClient,
  type Instance,
  type SimulatedMesh,
  type SimulatedRegion,
} from '@meridian/testing';
import { eventStream, intakeStream, parseSubject, type RequestFailover } from '@meridian/wire';
import { compareWithPeers } from './compare.ts';
import { tellWhatIsHeld } from './held.ts';
import { appendOwnership } from './ownership-log.ts';
import type { MeshPlant } from './plants.ts';
import { regions } from './scenario.ts';

const tickMs = 400;
const keyKinds = ['home.', 'lease.', 'claim.'];

type Of<Type extends Action['type']> = Extract<Action, { type: Type }>;

/** One life of a region's recovery: carries out what the decider says, and tells it what came of it. */
class SimulatedRecovery {
  readonly #mesh: SimulatedMesh;
  readonly #region: SimulatedRegion;
  readonly #instance: Instance;
  readonly #control: ControlClient;
  readonly #followed: FollowedLedger;
  readonly #positions: Record<string, Position> = {};
  readonly #state: State;
  readonly #plant: MeshPlant;
  #hasMoved = false;

  constructor(mesh: SimulatedMesh, region: SimulatedRegion, instance: Instance, plant: MeshPlant) {
    this.#mesh = mesh;
    this.#plant = plant;
    this.#region = region;
    this.#instance = instance;
    const { gate, log, random, wait } = instance;
    this.#control = mesh.control.client(region.name, gate, random.fork('control'));
    const fail = (error: unknown): void => instance.fail(error);
    this.#followed = followLedger(log, regions, fail, { wait });
    const settings = settingsOf({
      region: region.name,
      regions,
      instance: `${region.name}-${instance.number}`,
    });
    this.#state = initialState(settings, this.#now());
  }

  /** Begins once it knows what the log says. */
  async open(): Promise<void> {
    const { log } = this.#instance;
    await this.#followed.caughtUp();
    for (const region of regions) {
      const stream = eventStream(region);
      const sequence = await log.lastSequence(stream);
      const last = sequence === 0 ? undefined : await log.get(stream, sequence);
      this.#hold(region, sequence, last);
    }
    const { ledger } = this.#followed;
    const tellLedger = (home: string): void =>
      this.#take({ type: 'ledger', home, epochs: ledger.epochs(home) });
    for (const home of regions) tellLedger(home);
    ledger.onChange(tellLedger);
    this.#take({ type: 'positions', positions: this.#positions });
    this.#follow();
    this.#listen();
    const tick = (): void => {
      this.#instance.after(tickMs, tick);
      if (this.#hasMoved) this.#take({ type: 'positions', positions: this.#positions });
      this.#hasMoved = false;
      this.#take({ type: 'tick' });
    };
    tick();
  }

  #now(): Moment {
    return { nowMs: this.#instance.monotonicMs(), wallMs: this.#instance.now() };
  }

  #hold(region: string, sequence: number, last: LogMessage | undefined): void {
    this.#hasMoved = true;
    this.#positions[region] = {
      sequence,
      ...(last === undefined ? {} : { storedAtMs: last.storedAtMs }),
    };
  }

  #follow(): void {
    const { log } = this.#instance;
    const onFailure = (error: unknown): void => this.#instance.fail(error);
    for (const region of regions) {
      const stream = eventStream(region);
      log.follow(stream, { after: this.#positions[region]?.sequence ?? 0, onFailure }, (message) =>
        this.#hold(region, message.sequence, message),
      );
      const filters = [`ev.${region}.*.${meshTenant}.ownership.*`];
      log.follow(stream, { after: 0, filters, onFailure }, (message) => this.#see(message));
      log.follow(
        intakeStream(region),
        { after: 0, filters: [`in.${region}.*.*.failover.*`], onFailure },
        (message) => this.#request(message),
      );
    }
  }

  #listen(): void {
    const { gate } = this.#instance;
    const { name, beats } = this.#region;
    beats.subscribe(leaseAskSubject(name, '*'), gate, (text) => {
      this.#take({ type: 'ask', ...(JSON.parse(text as string) as LeaseAsk) });
    });
    for (const prefix of keyKinds) {
      this.#control.watch(prefix, (entry) => this.#take({ type: 'control_changed', entry }));
    }
  }

  /** An entry of some home's ownership is held here. */
  #see(message: LogMessage): void {
    const home = parseSubject(message.subject)?.home ?? '';
    for (const { type, epoch, data, causationid } of readEntry(message).events) {
      if (!causationid.startsWith('ownership.')) {
        this.#take({ type: 'request_settled', home, id: causationid });
      }
      if (type !== 'meridian.failover.sealed.v1') continue;
      const { to } = data as { to: string };
      this.#take({ type: 'sealed', home, epoch, to, sequence: message.sequence });
    }
  }

  #request(message: LogMessage): void {
    const { id, source, subject, data } = JSON.parse(message.text()) as {
      id: string;
      source: string;
      subject: string;
      data: RequestFailover;
    };
    const request = { ...data, id: `${source}#${id}`, home: subject, atMs: message.storedAtMs };
    this.#take({ type: 'request', request });
  }

  #take(input: Input): void {
    const written = input.type === 'written' ? this.#state.writes.get(input.id)?.kind : undefined;
    const { actions } = step(this.#state, input, this.#now());
    if (written !== undefined) this.#plant.afterWrite?.(this.#state, written, this.#now());
    for (const action of actions) this.#do(action);
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'read_control':
        void this.#read(action);
        break;
      case 'write':
        void this.#write(action);
        break;
      case 'append':
        void this.#append(action);
        break;
      case 'compare':
        void this.#compare(action);
        break;
      case 'answer': {
        const { instance, nonce, answerId: id, intake, homes } = action;
        const answer: LeaseAnswer = { id, nonce, intake, homes };
        const { name, beats } = this.#region;
        beats.publish(leaseGrantSubject(name, instance), JSON.stringify(answer));
        break;
      }
      case 'report':
        this.#mesh.world.count(`recovery: ${action.report.what}`);
        break;
      default:
        action satisfies never;
    }
  }

  async #read({ id }: Of<'read_control'>): Promise<void> {
    try {
      const entries = [];
      for (const prefix of keyKinds) entries.push(...(await this.#control.list(prefix)));
      this.#take({ type: 'control_read', id, incarnation: 'the one', entries });
    } catch {
      this.#take({ type: 'control_unread', id });
    }
  }

  async #write({ id, key, value, expectedRevision }: Of<'write'>): Promise<void> {
    try {
      const revision = await (expectedRevision === undefined
        ? this.#control.put(key, value)
        : this.#control.compareAndSet(key, value, expectedRevision));
      this.#take({ type: 'written', id, revision });
    } catch (error) {
      this.#take({ type: error instanceof WrongRevision ? 'write_refused' : 'write_lost', id });
    }
  }

  async #append(action: Of<'append'>): Promise<void> {
    const { id, home, purpose } = action;
    const { log, now } = this.#instance;
    try {
      const known = this.#followed.ledger.epochs(home);
      const sequence = await appendOwnership(log, this.#region.name, action, known, now());
      this.#mesh.world.count(`ownership: ${purpose}`);
      this.#take({ type: 'appended', id, sequence });
    } catch (error) {
      if (error instanceof LogFault && error.retryable) this.#take({ type: 'append_lost', id });
      else this.#instance.fail(error);
    }
  }

  async #compare({ id }: Of<'compare'>): Promise<void> {
    const outcome =
      this.#plant.opensWithoutComparing === true
        ? 'whole'
        : await compareWithPeers(this.#mesh, this.#region, this.#instance);
    if (outcome === 'mending') this.#mesh.world.count('re-imports');
    this.#take({ type: 'compared', id, outcome });
  }
}

/** Starts a region's recovery in the world. */
export function startRecovery(
  mesh: SimulatedMesh,
  region: SimulatedRegion,
  plant: MeshPlant,
): void {
  region.node('recovery', async (instance) => {
    tellWhatIsHeld(mesh, region, instance);
    await new SimulatedRecovery(mesh, region, instance, plant).open();
  });
}
