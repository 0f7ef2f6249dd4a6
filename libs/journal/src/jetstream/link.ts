import { readFileSync } from 'node:fs';
import { nkeyAuthenticator, nkeys } from '@nats-io/nats-core';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { LogFault, LogUnavailable } from '../errors.ts';

export interface ConnectOptions extends NodeConnectionOptions {
  /** A file with an NKey seed (`SU…`); it is read again at each reconnection. */
  readonly seedFile?: string;
  /** A file with the authorities (PEM) that the servers are checked with; TLS is then a must. */
  readonly caFile?: string;
}

/** A seed as the NATS tools write it. @throws LogFault naming the file when it is none */
function readSeed(path: string): Uint8Array {
  try {
    const seed = new TextEncoder().encode(readFileSync(path, 'utf8').trim());
    nkeys.fromSeed(seed);
    return seed;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogFault(
      'InvalidSeed',
      `${path} cannot be used as an NKey seed: ${reason}.\n` +
        'It must hold one line that begins with SU, as scripts/topology writes it.',
      false,
      { cause },
    );
  }
}

/**
 * Connects as everything of Meridian does: retrying for ever once connected, never giving up after
 * authentication time-outs, and noticing a dead link within half a minute.
 * @throws LogUnavailable when the first connection fails, unless `waitOnFirstConnect` is set
 * @throws LogFault when the seed file holds no seed
 */
export async function connectNats({
  seedFile,
  caFile,
  ...options
}: ConnectOptions): Promise<NatsConnection> {
  const startedMs = performance.now();
  if (seedFile !== undefined) readSeed(seedFile);
  try {
    return await connect({
      ...(seedFile === undefined
        ? {}
        : { authenticator: nkeyAuthenticator(() => readSeed(seedFile)) }),
      ...(caFile === undefined ? {} : { tls: { caFile } }),
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      ignoreAuthErrorAbort: true,
      pingInterval: 10_000,
      maxPingOut: 2,
      timeout: 5_000,
      waitOnFirstConnect: false,
      noAsyncTraces: true,
      ...options,
    });
  } catch (cause) {
    const servers = [options.servers ?? '127.0.0.1:4222'].flat().join(', ');
    const tookMs = Math.round(performance.now() - startedMs);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LogUnavailable(
      `Connecting to ${servers} failed after ${tookMs} ms: ${reason}.`,
      'Start nats-server there, or correct the address; waitOnFirstConnect waits for it instead.',
      { cause },
    );
  }
}

export interface LinkListener {
  onOnline?(): void;
  onOffline?(): void;
  onClosed?(): void;
}

/** A connection and what is known of its state, told to everything that waits on it. */
export class Link {
  readonly connection: NatsConnection;
  /** The server's address, for messages. */
  address: string;
  online = true;
  #offlineSinceMs = 0;
  readonly #listeners = new Set<LinkListener>();

  constructor(connection: NatsConnection) {
    this.connection = connection;
    this.address = connection.getServer();
    void this.#watch();
  }

  /** For how long the connection has been down, in milliseconds. */
  get offlineForMs(): number {
    return this.online ? 0 : Math.round(performance.now() - this.#offlineSinceMs);
  }

  listen(listener: LinkListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') this.#lost();
      else if (status.type === 'reconnect') this.#found();
    }
    this.#lost();
    for (const listener of this.#listeners) listener.onClosed?.();
  }

  #lost(): void {
    if (!this.online) return;
    this.online = false;
    this.#offlineSinceMs = performance.now();
    for (const listener of this.#listeners) listener.onOffline?.();
  }

  #found(): void {
    this.online = true;
    this.address = this.connection.getServer();
    for (const listener of this.#listeners) listener.onOnline?.();
  }
}
