import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogFault, type Ledger, type Log } from '@meridian/journal';
import type { Beat } from '@meridian/nest';
import { ensureSigner, keyListFile } from '@meridian/proof';
import { eventStream } from '@meridian/wire';
import type { Logger } from 'pino';
import { ChainLog } from './chain/chain-log.ts';
import { Checkpoints } from './chain/checkpoints.ts';
import { Fold } from './chain/fold.ts';
import { MeshDesk, type Granted } from './mesh-desk.ts';
import type { AuditMetrics } from './metrics.ts';
import { FollowedOrder } from './order/followed-order.ts';
import { LogInOrder } from './order/log-in-order.ts';
import { OrderDesk } from './order/order-desk.ts';
import type { OrderedLog } from './order/ordered-log.ts';
import { StreamEnds } from './order/stream-ends.ts';
import type { AuditSettings } from './settings.ts';

export interface AuditOptions {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly grants: Granted;
  readonly beat: Pick<Beat, 'last'>;
  readonly region: string;
  readonly regions: readonly string[];
  /** Whether recovery moves ownership between regions, and tells what each holds. */
  readonly isReported: boolean;
  /** Epoch ms, by the clock of the log. */
  readonly now: () => number;
  readonly settings: AuditSettings;
  readonly metrics: AuditMetrics;
  readonly logger: Logger;
  readonly onFailure: (error: unknown) => void;
}

/** How often checkpoints are thought of, in ms; and how often the fold is kept on disk. */
const checkpointTickMs = 250;
const keepEveryMs = 300_000;
/** How much rarer the order is looked after while nothing comes. */
const idleFactor = 3;
/** How soon an own entry of the order is looked for at the other regions, in ms. */
const heldTickMs = 20;
/** Looking after the order takes at most this part of the time: on a busy machine it is done rarer. */
const orderShare = 0.1;

/** The order, how it is read, and its checkpoints: all of a region together. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #desk: MeshDesk;
  readonly #order: FollowedOrder;
  readonly #ends: StreamEnds;
  readonly #orderDesk: OrderDesk;
  readonly #log: LogInOrder;
  readonly #fold: Fold;
  readonly #chain: ChainLog;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;
  #keptAtMs = performance.now();
  #keptSize = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
    const { log, ledger, grants, beat, region, regions, isReported, now, logger } = options;
    const { settings, onFailure } = options;
    const [home = region] = regions.toSorted();
    this.#desk = new MeshDesk({ log, ledger, grants, region });
    this.#ends = new StreamEnds({ log, beat, region, regions, isReported });
    this.#order = new FollowedOrder({
      log,
      ledger,
      region,
      regions,
      home,
      isHeldElsewhere: (sequence) => sequence <= this.#ends.heldElsewhere(eventStream(region)),
      onFailure,
      onRevoked: ({ stream, sequence, afterRank }) => {
        logger.error(
          { stream, sequence, afterRank },
          `The order given from rank ${afterRank} on was lost with its region and is given anew.`,
        );
        this.#checkpoints?.restart();
      },
    });
    const onFault = (error: unknown): void => this.#fault(error);
    this.#log = new LogInOrder({ log, order: this.#order, ends: this.#ends, onFault });
    this.#orderDesk = new OrderDesk({
      log,
      desk: this.#desk,
      order: this.#order,
      ends: this.#ends,
      region,
      home,
      now,
    });
    this.#fold = new Fold({
      ordered: this.#log,
      keyOf: (stream, sequence) => this.#order.keyOf(stream, sequence),
      share: settings.foldShare,
    });
    this.#chain = new ChainLog({
      log,
      ledger,
      regions,
      home,
      onEntry: ({ stream, sequence }) => this.#desk.noteOwn(stream, sequence),
      onFailure,
    });
    const { folder } = settings;
    if (folder === undefined) return;
    const signer = ensureSigner(settings.keyFolder ?? folder, region);
    if (signer.besides.length > 0) {
      logger.warn(
        { publicKey: signer.publicKey, besides: signer.besides },
        `${region} signs with a new key from now on: the one that was published before is not here. ` +
          `Publish the new one too: it is listed beside it in ${keyListFile}.`,
      );
    }
    this.#checkpoints = new Checkpoints({
      desk: this.#desk,
      chain: this.#chain,
      fold: this.#fold,
      ordered: this.#log,
      signer,
      region,
      home,
      everyRanks: settings.checkpointRanks,
      everyMs: settings.checkpointMs,
      now,
      monotonicMs: () => performance.now(),
      logger,
    });
  }

  /** All messages in order, as far as they are held here. */
  get ordered(): OrderedLog {
    return this.#log;
  }

  /** The homes being written for, with the epoch. */
  deciding(): Record<string, number> {
    return this.#desk.deciding();
  }

  async open(): Promise<void> {
    const { logger, settings } = this.#options;
    await this.#order.open();
    await this.#chain.open();
    await this.#restoreFold();
    this.#soon(settings.orderMs, () => this.#orderTick());
    if (this.#checkpoints === undefined) {
      logger.warn(
        'No checkpoints are signed: there is no folder for the key.\nSet MERIDIAN_AUDIT_DIR.',
      );
    } else this.#soon(checkpointTickMs, () => this.#checkpointTick());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#fold.close();
    await Promise.all(this.#underWay);
    await this.#keepFold();
    await this.#log.close();
    await this.#order.close();
    await this.#chain.close();
  }

  /** Calls back once, later. */
  #soon(delayMs: number, work: () => Promise<number>): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const running: Promise<void> = work().then((nextMs) => {
        this.#underWay.delete(running);
        this.#soon(nextMs, work);
      });
      this.#underWay.add(running);
    }, delayMs);
    timer.unref();
    this.#timers.add(timer);
  }

  /** @returns how long to wait before the next one, in ms */
  async #orderTick(): Promise<number> {
    const { settings, metrics } = this.#options;
    const startMs = performance.now();
    try {
      const count = await this.#orderDesk.extend();
      const leastMs = (performance.now() - startMs) * (1 / orderShare - 1);
      metrics.ordered.set(this.#log.size);
      metrics.ranges.set(this.#order.ranks.ranges);
      if (this.#order.isWaiting) return Math.max(heldTickMs, leastMs);
      return Math.max(count > 0 ? settings.orderMs : settings.orderMs * idleFactor, leastMs);
    } catch (error) {
      this.#fault(error);
      return settings.orderMs * idleFactor;
    }
  }

  async #checkpointTick(): Promise<number> {
    const { metrics } = this.#options;
    try {
      await this.#checkpoints?.work();
    } catch (error) {
      this.#fault(error);
    }
    metrics.checkpoint.set(this.#chain.last?.size ?? 0);
    metrics.agreed.set(this.#checkpoints?.agreedSize ?? 0);
    metrics.disputed.set(this.#checkpoints?.isDisputed === true ? 1 : 0);
    if (performance.now() - this.#keptAtMs > keepEveryMs) await this.#keepFold();
    return checkpointTickMs;
  }

  /** What is retried anyway is no news; everything else is. */
  #fault(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof LogFault && error.retryable) {
      this.#options.logger.debug({ err: error }, 'The log does not answer the audit for now.');
    } else this.#options.logger.error({ err: error }, 'The audit cannot go on; it tries again.');
  }

  get #foldFile(): string | undefined {
    const { folder } = this.#options.settings;
    return folder === undefined ? undefined : join(folder, 'fold');
  }

  async #restoreFold(): Promise<void> {
    const file = this.#foldFile;
    if (file === undefined || !existsSync(file)) return;
    try {
      this.#fold.restore(await readFile(file));
      // It is of an order that was taken back, or of another mesh's.
      if (this.#fold.size > this.#order.ranks.size) this.#fold.restart();
      this.#keptSize = this.#fold.size;
    } catch (error) {
      this.#fold.restart();
      this.#options.logger.warn({ err: error, file }, 'What was kept of the tree is made anew.');
    }
  }

  /** Keeps what was folded: after a start only what came since must be read. */
  async #keepFold(): Promise<void> {
    this.#keptAtMs = performance.now();
    const file = this.#foldFile;
    if (file === undefined || this.#fold.size === this.#keptSize) return;
    try {
      await mkdir(this.#options.settings.folder as string, { recursive: true });
      const kept = this.#fold.serialise();
      const temporary = `${file}.${randomUUID()}`;
      await writeFile(temporary, kept);
      await rename(temporary, file);
      this.#keptSize = this.#fold.size;
    } catch (error) {
      this.#options.logger.warn({ err: error, file }, 'What was folded could not be kept.');
    }
  }
}
