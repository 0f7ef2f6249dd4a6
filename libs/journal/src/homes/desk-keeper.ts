import { Fenced, LogFault, NotOwner } from '../errors.ts';
import { journalOf, placesOf, type Journal } from '../journal.ts';
import type { Log, LogMessage } from '../log.ts';
import { pause } from '../pause.ts';
import type { Positions } from '../places.ts';
import { followHome, type HomeFollower } from './follow-home.ts';
import type { Ledger } from './ledger.ts';

/** The right to decide, as it is granted to a process from moment to moment. */
export interface Grants {
  /** Whether a decision for the home may be stored at this very moment. */
  holds(home: string): boolean;
  /** The epoch under which the home may be decided; undefined when it may not. */
  grantOf(home: string): { readonly epoch: number } | undefined;
  /** Calls back when a grant comes, goes or changes its epoch. @returns what ends that */
  onChange(callback: () => void): () => void;
}

/** What one service has of one home: warm from the log, or deciding. */
export interface Desk {
  /** Takes an entry of the home's history, in canonical order. */
  absorb(message: LogMessage): void;
  /** What was absorbed is the whole history: from now on it decides. */
  ready(): Promise<void> | void;
}

/** What an open desk reads. */
export interface DeskSources {
  /** Up to where everything is settled, by source. */
  settled(): Positions;
  /** Ends delivery and resolves when what is under way has come to its end. */
  close(): Promise<void>;
}

/** `following`: warm, another region decides; `open`: decides here; `paused`: no grant for now. */
export type DeskState = 'following' | 'opening' | 'open' | 'paused' | 'closed';

export interface DeskKeeperOptions<D extends Desk> {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly grants: Grants;
  readonly region: string;
  readonly home: string;
  readonly service: string;
  /** The subjects of its own aggregates after `ev.<region>.<home>.`, such as `*.contact.*`. */
  readonly own: readonly string[];
  /** A desk that knows nothing yet. */
  readonly create: (journal: Journal) => D;
  /**
   * Begins to read what the desk decides upon.
   * @param starts up to where the home's history says that everything is settled, by source
   */
  readonly open: (desk: D, starts: Positions, epoch: number) => Promise<DeskSources>;
  /** Told of each entry of the home's history that the desk has taken. */
  readonly onAbsorbed?: () => void;
  /** Told of each change of the state. */
  readonly onState?: (state: DeskState) => void;
  /** Told when the desk cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/** The wait before a step that the log did not answer is taken again, in ms. */
const retryDelayMs = 250;

/**
 * Keeps one service's desk for one home: warm while another region decides, open while this region
 * is the owner and holds a grant, paused when the grant runs out, warm again when the home has moved on.
 */
export class DeskKeeper<D extends Desk> {
  readonly home: string;
  readonly #options: DeskKeeperOptions<D>;
  readonly #unlisten: (() => void)[];
  #desk: D;
  #state: DeskState = 'following';
  /** The epoch under which the desk writes; 0 before it was opened. */
  #epoch = 0;
  /** Whether the desk was told that its history is whole. */
  #isReady = false;
  /** Whether something may still be under way. */
  #isDeciding = false;
  #follower: HomeFollower | undefined;
  #sources: DeskSources | undefined;
  /** What the history says is settled; while open, what the sources say. */
  #settled: Record<string, number> = {};
  /** What was folded turned out to be no part of the history. */
  #isRevoked = false;
  #turning: Promise<void> | undefined;
  #again = false;

  constructor(options: DeskKeeperOptions<D>) {
    this.#options = options;
    this.home = options.home;
    this.#desk = this.#begin();
    const { grants, ledger, home } = options;
    this.#unlisten = [
      grants.onChange(() => this.#turn()),
      ledger.onChange((changed) => {
        if (changed === home) this.#turn();
      }),
    ];
    this.#turn();
  }

  /** The desk as it is; read only unless `isOpen`. */
  get desk(): D {
    return this.#desk;
  }

  get state(): DeskState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The epoch that it decides under, appends under way included; undefined while it does not. */
  get deciding(): number | undefined {
    return this.#isDeciding ? this.#epoch : undefined;
  }

  /** Whether it is to read or to decide what it does not yet. */
  get isTurning(): boolean {
    if (this.#state === 'closed') return false;
    const isOwner = this.#options.ledger.current(this.home).owner === this.#options.region;
    if (this.#turning !== undefined || isOwner !== (this.#state === 'open')) return true;
    return this.#follower?.isMoving ?? false;
  }

  /** How far it reads its own history while it follows. */
  get follower(): HomeFollower | undefined {
    return this.#follower;
  }

  /** Resolves when it has folded everything that counts and is held here, and decides if it may. */
  async settled(): Promise<void> {
    await this.#follower?.caughtUp();
    while (this.#turning !== undefined) await this.#turning;
  }

  /** Stops reading and deciding; resolves when nothing is under way. */
  async close(): Promise<void> {
    for (const unlisten of this.#unlisten) unlisten();
    await this.#turning;
    const sources = this.#sources;
    this.#sources = undefined;
    await sources?.close();
    await this.#follower?.close();
    this.#enter('closed');
    this.#isDeciding = false;
  }

  #enter(state: DeskState): void {
    if (this.#state === 'closed' || this.#state === state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  /** A new desk that follows the history from its start. */
  #begin(): D {
    const { log, ledger, region, home, service, own, create, onFailure, wait } = this.#options;
    const epochOfWriter = (): number => this.#epoch;
    const writer = {
      region,
      home,
      service,
      get epoch() {
        return epochOfWriter();
      },
    };
    const journal = journalOf(log, writer, {
      ledger,
      fence: () => (this.#desk === desk ? this.#fence() : new NotOwner(home, this.#epoch)),
      settled: () => this.#sources?.settled() ?? {},
    });
    const desk = create(journal);
    this.#settled = {};
    this.#isReady = false;
    this.#isRevoked = false;
    this.#follower = followHome(
      log,
      ledger,
      {
        home,
        filters: own,
        onFailure,
        onRevoked: () => {
          this.#isRevoked = true;
          this.#turn();
        },
        ...(wait === undefined ? {} : { wait }),
      },
      (message) => {
        const { settled } = placesOf(message);
        for (const source in settled) {
          const position = settled[source] as number;
          if (position > (this.#settled[source] ?? 0)) this.#settled[source] = position;
        }
        desk.absorb(message);
        this.#options.onAbsorbed?.();
      },
    );
    return desk;
  }

  #fence(): LogFault | undefined {
    const { grants, home } = this.#options;
    if (this.#state !== 'open' && this.#state !== 'opening') return new NotOwner(home, this.#epoch);
    if (!this.#isOurs()) return new NotOwner(home, this.#epoch);
    return grants.holds(home) ? undefined : new Fenced(home);
  }

  /** Whether the ledger still names this region's epoch as the last one. */
  #isOurs(): boolean {
    const { ledger, home, region } = this.#options;
    const { owner, epoch } = ledger.current(home);
    return owner === region && epoch === this.#epoch;
  }

  /** The epoch in which this region may decide now. */
  #granted(): number | undefined {
    const { ledger, grants, home, region } = this.#options;
    const { owner, epoch } = ledger.current(home);
    return owner === region && grants.grantOf(home)?.epoch === epoch ? epoch : undefined;
  }

  /** Something changed: does what follows from it, one step after the other. */
  #turn(): void {
    this.#again = true;
    if (this.#turning !== undefined || this.#state === 'closed') return;
    this.#turning = this.#turnUntilDone().then(
      () => {
        this.#turning = undefined;
        if (this.#again) this.#turn();
      },
      async (error: unknown) => {
        if (error instanceof LogFault && error.retryable) {
          // What was begun is gone on with.
          this.#again = true;
          await pause(this.#options.wait, retryDelayMs);
        }
        this.#turning = undefined;
        if (this.#again) this.#turn();
        else this.#options.onFailure(error);
      },
    );
  }

  async #turnUntilDone(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const granted = this.#granted();
      if (this.#state === 'open' && (granted === undefined || granted !== this.#epoch)) {
        await this.#pause();
      }
      const isOver = this.#state === 'paused' && !this.#isOurs();
      if (isOver || (this.#state === 'following' && this.#isRevoked)) await this.#follow();
      if (granted !== undefined && this.#granted() === granted) await this.#open(granted);
    }
  }

  /** Stops deciding: what is under way ends, what was not decided is read again later. */
  async #pause(): Promise<void> {
    this.#enter('paused');
    const sources = this.#sources;
    const settled = sources?.settled() ?? {};
    await sources?.close();
    Object.assign(this.#settled, settled, sources?.settled());
    this.#sources = undefined;
    this.#isDeciding = false;
  }

  /** Becomes a follower again, with nothing in memory. */
  async #follow(): Promise<void> {
    await this.#follower?.close();
    this.#epoch = 0;
    this.#desk = this.#begin();
    this.#enter('following');
  }

  async #open(epoch: number): Promise<void> {
    if (this.#state === 'open') return;
    const follower = this.#follower;
    await follower?.caughtUp();
    if (this.#isRevoked || this.#granted() !== epoch) {
      this.#again = true;
      return;
    }
    await follower?.close();
    this.#follower = undefined;
    this.#isDeciding = true;
    this.#enter('opening');
    this.#epoch = epoch;
    if (!this.#isReady) await this.#desk.ready();
    this.#isReady = true;
    this.#sources = await this.#options.open(this.#desk, { ...this.#settled }, epoch);
    this.#enter('open');
    if (this.#granted() !== epoch) this.#again = true;
  }
}
