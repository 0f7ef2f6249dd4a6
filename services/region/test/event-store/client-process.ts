import { setTimeout as delay } from 'node:timers/promises';
import type { ClientReport, ClientRequest, Follow } from './messages.ts';

/** What both official clients have in common, as far as it is needed here. */
interface Client {
  appendToStream(
    name: string,
    event: object,
    options: object,
  ): Promise<{ readonly nextExpectedRevision: bigint }>;
  readStream(name: string, options?: object): AsyncIterable<Resolved>;
  subscribeToStream(name: string, options: object): Subscription;
  subscribeToAll(options: object): Subscription;
  dispose(): Promise<void>;
}

interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

interface Resolved {
  readonly event?: {
    readonly id: string;
    readonly revision: bigint;
    readonly position?: Position;
  };
}

interface Subscription {
  on(event: 'data', listener: (resolved: Resolved) => void): this;
  on(event: 'error', listener: (error: Error & { readonly type?: string }) => void): this;
  on(event: 'caughtUp' | 'end', listener: () => void): this;
  unsubscribe(): Promise<void>;
}

interface Library {
  readonly connect: (address: string) => Client;
  readonly jsonEvent: (event: object) => object;
  readonly streamNameFilter: (options: object) => object;
  readonly expecting: (revision: bigint | string) => object;
}

/** The two cannot live in one process: their generated code names the same globals. */
async function libraryOf(name: string): Promise<Library> {
  if (name === 'kurrentdb') {
    const module = await import('@kurrent/kurrentdb-client');
    const { KurrentDBClient, jsonEvent, streamNameFilter } = module;
    return {
      connect: (address) => KurrentDBClient.connectionString(address) as unknown as Client,
      jsonEvent: jsonEvent as Library['jsonEvent'],
      streamNameFilter: streamNameFilter as Library['streamNameFilter'],
      expecting: (streamState) => ({ streamState }),
    };
  }
  const { EventStoreDBClient, jsonEvent, streamNameFilter } = await import('@eventstore/db-client');
  return {
    connect: (address) =>
      EventStoreDBClient.connectionString(
        address.replace('kurrentdb://', 'esdb://'),
      ) as unknown as Client,
    jsonEvent: jsonEvent as Library['jsonEvent'],
    streamNameFilter: streamNameFilter as Library['streamNameFilter'],
    expecting: (expectedRevision) => ({ expectedRevision }),
  };
}

const report = (what: ClientReport): void => {
  process.send?.(what);
};
const library = await libraryOf(process.argv[2] ?? '');
const retryMs = 200;

type Refusal = Error & { readonly type?: string; readonly code?: number };

/** gRPC's code for a server that cannot be reached; the older client gives it as it is. */
const unavailableCode = 14;

/**
 * Appends as an application does: again while it is refused for the moment, with the same id and the
 * same expectation, by the same client. Where another region decides, the client goes there by itself.
 */
const clients = new Map<string, Client>();
async function append(request: Extract<ClientRequest, { kind: 'append' }>): Promise<void> {
  const { call, addresses, stream, eventId, expected } = request;
  const event = library.jsonEvent({ id: eventId, type: 'noted', data: { eventId } });
  const refusals: string[] = [];
  let at = 0;
  for (;;) {
    const address = addresses[at] as string;
    const client = clients.get(address) ?? library.connect(address);
    clients.set(address, client);
    try {
      const options = library.expecting(expected === null ? 'no_stream' : BigInt(expected));
      const { nextExpectedRevision } = await client.appendToStream(stream, event, options);
      report({ kind: 'appended', call, revision: Number(nextExpectedRevision), refusals });
      return;
    } catch (error) {
      const {
        message,
        code,
        type = code === unavailableCode ? 'unavailable' : undefined,
      } = error as Refusal;
      refusals.push(type ?? message);
      const mayPass = type === 'not-leader' || type === 'unavailable' || type === 'cancelled';
      if (!mayPass && type !== 'deadline-exceeded') {
        report({ kind: 'failed', call, why: `${type}: ${message}` });
        return;
      }
      // A gateway that is gone is left; where another region decides, the same client is led there.
      if (type !== 'not-leader') {
        clients.delete(address);
        void client.dispose();
        at = (at + 1) % addresses.length;
        await delay(retryMs);
      }
    }
  }
}

async function read({ call, address, stream }: Extract<ClientRequest, { kind: 'read' }>) {
  const client = library.connect(address);
  const ids: string[] = [];
  try {
    for await (const { event } of client.readStream(stream)) ids.push(event?.id ?? '');
    report({ kind: 'read', call, ids });
  } catch (error) {
    report({
      kind: 'failed',
      call,
      why: `${(error as Refusal).type}: ${(error as Error).message}`,
    });
  } finally {
    await client.dispose();
  }
}

/** Follows for ever; what ends is begun again at the next gateway, after the last checkpoint. */
async function follow({ name, addresses, stream, isAll, isShared }: Follow): Promise<void> {
  let revision: bigint | undefined;
  let position: Position | undefined;
  for (let at = 0; ; at = (at + 1) % addresses.length) {
    const address = addresses[at] as string;
    const shared = isShared === true && at === 0 ? clients.get(address) : undefined;
    const client = shared ?? library.connect(address);
    const ended = Promise.withResolvers<string>();
    const filter = library.streamNameFilter({
      prefixes: [stream],
      checkpointInterval: 1,
      checkpointReached: async (_: unknown, reached: Position) => {
        position = reached;
        report({ kind: 'checkpoint', name, position: String(reached.commit) });
      },
    });
    const subscription = isAll
      ? client.subscribeToAll({ filter, fromPosition: position ?? 'start' })
      : client.subscribeToStream(stream, { fromRevision: revision ?? 'start' });
    subscription
      .on('data', ({ event }) => {
        if (event === undefined) return;
        revision = event.revision;
        position = event.position ?? position;
        report({ kind: 'event', name, id: event.id, revision: Number(event.revision), at });
      })
      .on('caughtUp', () => report({ kind: 'caught-up', name }))
      .on('error', (error) => ended.resolve(`${error.type}: ${error.message}`))
      .on('end', () => ended.resolve('end'));
    report({ kind: 'dropped', name, why: await ended.promise, at });
    if (shared === undefined) await client.dispose();
    await delay(retryMs);
  }
}

process.on('message', (request: ClientRequest) => {
  if (request.kind === 'append') void append(request);
  else if (request.kind === 'read') void read(request);
  else void follow(request);
});
process.on('disconnect', () => process.exit());
report({ kind: 'ready' });
