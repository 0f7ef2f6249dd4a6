import { Fenced, LogFault, WrongLastSequence } from '@meridian/journal';
import {
  checkpointText,
  formatNote,
  isSignedBy,
  parseCheckpoint,
  parseNote,
  signatureLine,
  signerName,
  signNote,
  type NoteSigner,
} from '@meridian/proof';
import type { EventToEncode, Head } from '@meridian/wire';
import type { Logger } from 'pino';
import type { MeshDesk } from '../mesh-desk.ts';
import type { OrderedLog } from '../order/ordered-log.ts';
import type { ChainLog, SignedCheckpoint } from './chain-log.ts';
import type { Fold, Folded } from './fold.ts';

export interface CheckpointsOptions {
  readonly desk: MeshDesk;
  readonly chain: ChainLog;
  readonly fold: Fold;
  readonly ordered: OrderedLog;
  readonly signer: NoteSigner;
  readonly region: string;
  /** The home that the order belongs to. */
  readonly home: string;
  /** A checkpoint comes when so much is ordered since the last one, or so long after it. */
  readonly everyRanks: number;
  readonly everyMs: number;
  /** Epoch ms, by the clock of the log. */
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info'>;
}

/** The aggregate that the owner of the order signs in; the others' bear their regions' names. */
const signedId = 'all';
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** What the text of a checkpoint's note begins with. */
export const originOf = (home: string): string => `meridian/${home}`;

/**
 * Signs what the log is while this region decides for the order home; while another one does, folds
 * the same ranks from the copies held here and cosigns, or says that they come to something else.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  /** Where the own aggregates end, as far as it is known that nobody else wrote to them. */
  readonly #heads = new Map<string, { readonly epoch: number; readonly head: Head }>();
  #lastAtMs: number;
  /** A size beyond which nothing but the audit's own entries had come. */
  #quietSize = 0;
  /** The size of the last checkpoint at which both found the same. */
  #agreedSize = 0;
  #isDisputed = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#lastAtMs = options.monotonicMs();
  }

  /** Whether what another region signed was not what is held here. */
  get isDisputed(): boolean {
    return this.#isDisputed;
  }

  /** Up to which size this region has signed or cosigned since it began. */
  get agreedSize(): number {
    return this.#agreedSize;
  }

  /** What was found may be about ranks that were taken back: all of it is found anew. */
  restart(): void {
    this.#options.fold.restart();
    this.#isDisputed = false;
    this.#quietSize = 0;
    this.#agreedSize = 0;
  }

  /**
   * Does what is due. Calls must not overlap.
   * @throws LogFault when the log does not answer; the next call goes on
   */
  async work(): Promise<void> {
    const { desk, home } = this.#options;
    if (desk.epochOf(home) !== undefined) await this.#sign();
    else await this.#witness();
  }

  async #sign(): Promise<void> {
    const { chain, fold, ordered, home, everyRanks, everyMs, monotonicMs, signer } = this.#options;
    const last = chain.last?.size ?? 0;
    const { size } = ordered;
    if (size <= Math.max(last, this.#quietSize)) return;
    const isDue = size - last >= everyRanks || monotonicMs() - this.#lastAtMs >= everyMs;
    if (!isDue) return;
    // What was folded for a checkpoint that somebody else was to sign may lie beyond the next one.
    if (fold.size > size) this.restart();
    if (!(await fold.advance(Math.max(fold.size, Math.min(size, last + everyRanks))))) return;
    this.#lastAtMs = monotonicMs();
    if (fold.lastForeign <= last) {
      this.#quietSize = fold.size;
      return;
    }
    const folded = await fold.result();
    const text = checkpointText({ origin: originOf(home), ...folded });
    const isStored = await this.#store(home, signedId, {
      type: 'meridian.chain.checkpoint_signed.v1',
      subject: signedId,
      data: {
        size: folded.size,
        root: base64url(folded.root),
        headsRoot: base64url(folded.headsRoot),
        aggregates: folded.aggregates,
        region: this.#options.region,
        publicKey: signer.publicKey,
        note: formatNote({ text, signatures: [signNote(text, signer)] }),
      },
    });
    if (isStored) this.#agreedSize = folded.size;
  }

  async #witness(): Promise<void> {
    const { chain, fold, ordered, logger } = this.#options;
    this.#lastAtMs = this.#options.monotonicMs();
    // Checkpoints that this region had folded past, to sign one itself, are passed over.
    const after = Math.max(this.#agreedSize, fold.size - 1);
    const next = this.#isDisputed ? undefined : chain.after(after);
    if (next === undefined || next.size > ordered.size) return;
    const wasNew = fold.size === 0;
    if (!(await fold.advance(next.size))) return;
    let folded = await fold.result();
    if (!isSame(next, folded) && !wasNew) {
      // What was kept from before may be what is wrong.
      logger.warn(
        { size: next.size },
        'A checkpoint is not what was found here; all is read anew.',
      );
      fold.restart();
      if (!(await fold.advance(next.size))) return;
      folded = await fold.result();
    }
    if (isSame(next, folded)) await this.#cosign(next, folded);
    else await this.#dispute(next, folded);
    chain.forget(this.#agreedSize);
  }

  async #cosign(next: SignedCheckpoint, folded: Folded): Promise<void> {
    const { region, home, signer, desk, chain, logger } = this.#options;
    const text = checkpointText({ origin: originOf(home), ...folded });
    if (!isSigned(next, text)) {
      logger.error(
        { size: next.size, signer: next.region },
        'A checkpoint is what was found here, but its signature does not hold; it is not cosigned.',
      );
      this.#agreedSize = next.size;
      return;
    }
    // Only the owner of a home writes for it: who does not own its own at the moment says nothing.
    if (desk.epochOf(region) !== undefined && chain.cosignedBy(region) < next.size) {
      const isStored = await this.#store(region, region, {
        type: 'meridian.chain.checkpoint_cosigned.v1',
        subject: region,
        data: {
          size: next.size,
          region,
          publicKey: signer.publicKey,
          signature: signatureLine(signNote(text, signer)),
        },
      });
      if (!isStored) return;
    }
    this.#agreedSize = next.size;
  }

  async #dispute(next: SignedCheckpoint, folded: Folded): Promise<void> {
    const { region, desk, logger } = this.#options;
    const facts = {
      size: next.size,
      agreedSize: this.#agreedSize,
      signedRoot: next.root,
      signedHeadsRoot: next.headsRoot,
      foundRoot: base64url(folded.root),
      foundHeadsRoot: base64url(folded.headsRoot),
    };
    logger.error(
      { ...facts, signer: next.region },
      `What ${next.region} signed of the log is not what is held in ${region}: a message of rank ` +
        `${this.#agreedSize} or later is another one. Compare the copies: meridian check --copies.`,
    );
    if (desk.epochOf(region) !== undefined) {
      const isStored = await this.#store(region, region, {
        type: 'meridian.chain.checkpoint_disputed.v1',
        subject: region,
        data: { region, ...facts },
      });
      if (!isStored) return;
    }
    this.#isDisputed = true;
  }

  /** @returns whether it was stored; if not, it is tried again later */
  async #store(
    home: string,
    id: string,
    event: Pick<EventToEncode, 'type' | 'subject'> & {
      readonly data: { readonly size: number; readonly [field: string]: unknown };
    },
  ): Promise<boolean> {
    const { desk, now } = this.#options;
    const epoch = desk.epochOf(home);
    if (epoch === undefined) return false;
    const key = `${home} ${id}`;
    const known = this.#heads.get(key);
    const aggregate = { entity: 'chain', id };
    this.#heads.delete(key);
    try {
      const head = known?.epoch === epoch ? known.head : await desk.headOf(home, aggregate);
      const cause = { causationId: `order.${event.data.size}` };
      const stored = await desk.append(home, aggregate, [{ ...event, timeMs: now(), cause }], head);
      this.#heads.set(key, { epoch, head: stored });
      return true;
    } catch (error) {
      if (error instanceof WrongLastSequence || error instanceof Fenced) return false;
      if (error instanceof LogFault && error.retryable) return false;
      throw error;
    }
  }
}

const isSame = ({ root, headsRoot }: SignedCheckpoint, folded: Folded): boolean =>
  root === base64url(folded.root) && headsRoot === base64url(folded.headsRoot);

/** Whether the note is of that text, and signed by whom it names. */
function isSigned({ note, region, publicKey }: SignedCheckpoint, text: string): boolean {
  const parsed = parseNote(note);
  if (parsed === undefined || parsed.text !== text || parseCheckpoint(text) === undefined) {
    return false;
  }
  return isSignedBy(parsed, signerName(region), publicKey);
}
