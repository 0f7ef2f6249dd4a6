import type { NatsConnection } from '@nats-io/nats-core';

/** `none`: the process runs on a log that was given to it. */
export type LinkState = 'connected' | 'away' | 'closed' | 'none';

/** What is known of the process's connection, for the health routes. */
export class Link {
  readonly connection: NatsConnection | undefined;
  #away = false;

  constructor(connection: NatsConnection | undefined) {
    this.connection = connection;
    if (connection !== undefined) void this.#watch(connection);
  }

  get state(): LinkState {
    if (this.connection === undefined) return 'none';
    if (this.connection.isClosed()) return 'closed';
    return this.#away ? 'away' : 'connected';
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#away = true;
      else if (status.type === 'reconnect') this.#away = false;
    }
  }
}
