import { once } from 'node:events';
import { createServer, Socket, type AddressInfo, type Server } from 'node:net';

/** Which way bytes are lost: from who dialled to who was dialled, the other way, or both. */
export type Direction = 'forward' | 'backward' | 'both';

export interface Cut {
  /**
   * `reset`: connections end at once, new ones too, and both sides know. `black hole`: nothing
   * arrives and nobody is told, as when packets are dropped; what is under way arrives after the heal.
   */
  readonly by: 'reset' | 'black hole';
  /** Of a black hole; default both. */
  readonly direction?: Direction;
}

/** A TCP proxy on loopback that can be cut, slowed down and healed. */
export class CuttableProxy {
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #cut: Cut | undefined;
  #delayMs = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
      this.#take(socket),
    );
  }

  /** Listens on a free port and forwards to `target`; both on loopback. */
  static async start(target: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections go through it now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** The present cut, if any. */
  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  cut(cut: Cut): void {
    this.#cut = cut;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  heal(): void {
    this.#cut = undefined;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  /** Delays everything by that much each way from now on, in order. In milliseconds. */
  delay(ms: number): void {
    this.#delayMs = ms;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket): void {
    const pair = new Pair(socket, this.#target, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    this.#apply(pair);
  }

  #apply(pair: Pair): void {
    if (this.#cut?.by === 'reset') {
      pair.reset();
      return;
    }
    const lost = this.#cut === undefined ? undefined : (this.#cut.direction ?? 'both');
    pair.forward.delayMs = this.#delayMs;
    pair.backward.delayMs = this.#delayMs;
    pair.forward.open(lost !== 'forward' && lost !== 'both');
    pair.backward.open(lost !== 'backward' && lost !== 'both');
    // A connection begun in a black hole reaches the other side once that lets anything through.
    if (lost !== 'forward' && lost !== 'both') pair.dial();
  }
}

/** The two sockets of one connection. */
class Pair {
  readonly forward: Flow;
  readonly backward: Flow;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #target: number;
  readonly #onGone: () => void;
  #isDialled = false;

  constructor(near: Socket, target: number, onGone: () => void) {
    this.#near = near;
    this.#target = target;
    this.#onGone = onGone;
    this.#far = new Socket();
    this.#far.setNoDelay(true);
    this.forward = new Flow(near, this.#far, () => this.#end());
    this.backward = new Flow(this.#far, near, () => this.#end());
  }

  dial(): void {
    if (this.#isDialled) return;
    this.#isDialled = true;
    this.#far.connect(this.#target, '127.0.0.1');
  }

  reset(): void {
    this.#near.resetAndDestroy();
    if (this.#isDialled) this.#far.resetAndDestroy();
    this.#gone();
  }

  #end(): void {
    this.#near.destroy();
    this.#far.destroy();
    this.#gone();
  }

  #gone(): void {
    this.forward.stop();
    this.backward.stop();
    this.#onGone();
  }
}

/** So much is held back at most before reading stops; what a fast link has under way in a second. */
const heldBytesLimit = 32 * 1_048_576;

/** One way of one connection: what the source says reaches the sink, later perhaps. */
class Flow {
  delayMs = 0;
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #onEnd: () => void;
  readonly #held: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  #heldBytes = 0;
  #isOpen = false;
  #isEnded = false;
  #isSinkFull = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, onEnd: () => void) {
    this.#source = source;
    this.#sink = sink;
    this.#onEnd = onEnd;
    source.on('data', (chunk: Buffer) => this.#hold(chunk));
    source.on('error', () => {}); // `close` follows.
    source.on('close', () => {
      this.#isEnded = true;
      this.#pump();
    });
    sink.on('drain', () => {
      this.#isSinkFull = false;
      this.#pump();
    });
    source.pause();
  }

  open(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#pump();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#isOpen = false;
    this.#held.length = 0;
  }

  #hold(chunk: Buffer): void {
    this.#held.push({ chunk, dueMs: performance.now() + this.delayMs });
    this.#heldBytes += chunk.length;
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#isOpen && !this.#isSinkFull && this.#isDue()) {
      const { chunk } = this.#held.shift() as { chunk: Buffer };
      this.#heldBytes -= chunk.length;
      if (!this.#sink.destroyed) this.#isSinkFull = !this.#sink.write(chunk);
    }
    const isRead = this.#isOpen && !this.#isSinkFull && this.#heldBytes < heldBytesLimit;
    if (isRead) this.#source.resume();
    else this.#source.pause();
    if (!this.#isOpen) return;
    const next = this.#held[0];
    if (next === undefined) {
      if (this.#isEnded) this.#onEnd();
    } else if (!this.#isSinkFull) {
      this.#timer = setTimeout(() => this.#pump(), Math.max(0, next.dueMs - performance.now()));
    }
  }

  #isDue(): boolean {
    const next = this.#held[0];
    return next !== undefined && next.dueMs <= performance.now() + 0.5;
  }
}
