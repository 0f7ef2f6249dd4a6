import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { journalOf, type Journal, type Log, type LogMessage } from '@meridian/journal';
import {
  checkpointText,
  formatNote,
  Frontier,
  HeadMap,
  messageLeaf,
  noteSigner,
  Ranks,
  segmentLength,
  segmentOf,
  signNote,
} from '@meridian/proof';
import { emptyHead, lastHash, type EventToEncode, type Head } from '@meridian/wire';

const region = 'eu';
const streams = [`IN_${region}`, `EV_${region}`] as const;
/** As the service `audit` does by default. */
const checkpointRanks = 65_536;
const revisionPattern = /"revision":(\d+)/;
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** Reads a stream's messages one after the other. */
class Cursor {
  readonly #batches: AsyncIterator<readonly LogMessage[]>;
  #batch: readonly LogMessage[] = [];
  #index = 0;

  constructor(log: Log, stream: string, from: number) {
    this.#batches = log.replayBatches(stream, { from })[Symbol.asyncIterator]();
  }

  async next(): Promise<LogMessage> {
    while (this.#index >= this.#batch.length) {
      const { value, done } = await this.#batches.next();
      if (done === true) throw new Error('The stream is shorter than what is ordered.');
      [this.#batch, this.#index] = [value, 0];
    }
    this.#index += 1;
    return this.#batch[this.#index - 1] as LogMessage;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

/**
 * The order and the checkpoints of a log, written as the service `audit` writes them, but at once:
 * what was stored is ordered when it is told to be, and signed after every 65,536 messages.
 */
export class SignedLog {
  readonly #log: Log;
  readonly #journal: Journal;
  readonly #ranks = new Ranks();
  readonly #frontier = new Frontier();
  readonly #heads = new HeadMap();
  readonly #keys = new Map<string, Buffer>();
  readonly #ends = new Map<string, Head>();
  readonly #signer = noteSigner(
    `meridian/${region}`,
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  checkpoints = 0;

  constructor(log: Log) {
    this.#log = log;
    this.#journal = journalOf(log, { region, home: region, service: 'audit', epoch: 1 });
  }

  get size(): number {
    return this.#ranks.size;
  }

  /** Orders what was stored since; signs when it is due, or when it is the last time. */
  async order(nowMs: number, isLast = false): Promise<void> {
    const ranges = [];
    const keys = [];
    for (const stream of streams) {
      const after = this.#ranks.end(stream);
      const upTo = await this.#log.lastSequence(stream);
      if (upTo === after) continue;
      ranges.push({ stream, after, upTo });
      const first = after === 0 ? 0 : segmentOf(after) + 1;
      for (let segment = first; segment <= segmentOf(upTo); segment += 1) {
        const key = randomBytes(32);
        this.#keys.set(`${stream} ${segment}`, key);
        keys.push({ stream, segment, key: base64url(key) });
      }
    }
    const data = { afterRank: this.size, ranges, ...(keys.length === 0 ? {} : { keys }) };
    await this.#store('order', 'meridian.order.extended.v1', data, nowMs);
    for (const range of ranges) this.#ranks.append(range);
    if (this.size - this.#frontier.size >= checkpointRanks || isLast) await this.#sign(nowMs);
  }

  async #sign(nowMs: number): Promise<void> {
    await this.#fold();
    const [root, headsRoot] = [this.#frontier.root(), this.#heads.root()];
    const { size } = this;
    const text = checkpointText({ origin: `meridian/${region}`, size, root, headsRoot });
    const data = {
      size,
      root: base64url(root),
      headsRoot: base64url(headsRoot),
      aggregates: this.#heads.count,
      region,
      publicKey: this.#signer.publicKey,
      note: formatNote({ text, signatures: [signNote(text, this.#signer)] }),
    };
    await this.#store('chain', 'meridian.chain.checkpoint_signed.v1', data, nowMs);
    this.checkpoints += 1;
  }

  async #fold(): Promise<void> {
    const cursors = new Map<string, Cursor>();
    for (const { stream, from, to } of this.#ranks.runs(this.#frontier.size, this.size)) {
      const cursor = cursors.get(stream) ?? new Cursor(this.#log, stream, from);
      cursors.set(stream, cursor);
      for (let sequence = from; sequence <= to; sequence += 1) {
        const message = await cursor.next();
        const segment = Math.floor((sequence - 1) / segmentLength);
        const key = this.#keys.get(`${stream} ${segment}`) as Buffer;
        this.#frontier.append(messageLeaf(key, message));
        if (!stream.startsWith('EV_')) continue;
        const whole = message.text();
        const last = whole.slice(whole.lastIndexOf(',\n') + 1);
        const revision = Number(revisionPattern.exec(last)?.[1]);
        this.#heads.set({ subject: message.subject, revision, hash: lastHash(whole) });
      }
    }
    for (const cursor of cursors.values()) await cursor.close();
  }

  async #store(entity: string, type: string, data: unknown, timeMs: number): Promise<void> {
    const event: EventToEncode = {
      type,
      subject: 'all',
      data,
      cause: { causationId: 'order' },
      timeMs,
    };
    const head = this.#ends.get(entity) ?? emptyHead;
    const aggregate = { tenant: 'meridian', entity, id: 'all' };
    this.#ends.set(entity, await this.#journal.append(aggregate, { events: [event], head }));
  }
}
