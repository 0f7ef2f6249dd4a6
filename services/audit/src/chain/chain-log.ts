import {
  epochOf,
  meshTenant,
  PatientFollower,
  readEntry,
  type Follower,
  type Ledger,
  type Log,
  type LogMessage,
} from '@meridian/journal';
import { eventStream, parseSubject, type ChainEvent, type EventEnvelope } from '@meridian/wire';

type Signed = Extract<ChainEvent, { type: 'meridian.chain.checkpoint_signed.v1' }>['data'];

/** A checkpoint as the log holds it. */
export interface SignedCheckpoint extends Signed {
  readonly at: { readonly region: string; readonly sequence: number; readonly epoch: number };
}

export interface ChainLogOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly regions: readonly string[];
  /** The home that the order belongs to. */
  readonly home: string;
  /** Told of every entry about checkpoints, wherever it is: it is the audit's own. */
  readonly onEntry: (message: LogMessage) => void;
  readonly onFailure: (error: unknown) => void;
}

/** The checkpoints on the log: what was signed, and who cosigned what. */
export class ChainLog {
  readonly #options: ChainLogOptions;
  /** Those that nobody has come to yet, and the last one that counts. */
  #signed: SignedCheckpoint[] = [];
  readonly #cosigned = new Map<string, number>();
  #followers: Follower[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(options: ChainLogOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { log, regions, onEntry, onFailure } = this.#options;
    this.#followers = regions.map(
      (region) =>
        new PatientFollower(
          log,
          eventStream(region),
          { after: 0, filters: [`ev.${region}.*.${meshTenant}.chain.*`], onFailure },
          (message) => {
            onEntry(message);
            this.#take(region, message);
          },
        ),
    );
    await Promise.all(this.#followers.map((follower) => follower.caughtUp()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
    this.#listeners.clear();
  }

  /** Calls back after each entry. @returns what ends that */
  onMoved(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last checkpoint that counts; undefined while there is none. */
  get last(): SignedCheckpoint | undefined {
    return this.#counted().at(-1);
  }

  /** The first checkpoint that counts beyond a size; undefined when there is none. */
  after(size: number): SignedCheckpoint | undefined {
    return this.#counted().find((one) => one.size > size);
  }

  /** Up to which size a region has cosigned; 0 when it never has. */
  cosignedBy(region: string): number {
    return this.#cosigned.get(region) ?? 0;
  }

  /** Checkpoints up to a size are not asked for any more, but for the last one. */
  forget(size: number): void {
    const last = this.last;
    this.#signed = this.#signed.filter((one) => one.size > size || one === last);
  }

  #counted(): SignedCheckpoint[] {
    const { ledger, home } = this.#options;
    return this.#signed
      .filter(({ at }) => ledger.verdict(home, at.epoch, at.region, at.sequence) === 'counts')
      .sort((a, b) => a.size - b.size);
  }

  #take(region: string, message: LogMessage): void {
    const { home } = this.#options;
    const address = parseSubject(message.subject);
    for (const event of readEntry(message).events as readonly (EventEnvelope & ChainEvent)[]) {
      if (event.type === 'meridian.chain.checkpoint_signed.v1' && address?.home === home) {
        const at = { region, sequence: message.sequence, epoch: epochOf(message) };
        this.#signed.push({ ...event.data, at });
      } else if (event.type === 'meridian.chain.checkpoint_cosigned.v1') {
        const { region: signer, size } = event.data;
        this.#cosigned.set(signer, Math.max(size, this.cosignedBy(signer)));
      }
    }
    for (const listener of this.#listeners) listener();
  }
}
