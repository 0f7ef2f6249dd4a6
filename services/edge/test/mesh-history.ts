import { journalOf, type Log } from '@meridian/journal';
import { emptyHead, type EventToEncode, type Head, type Writer } from '@meridian/wire';

/** Writes the histories of homes as their owners would, aggregate by aggregate. */
export class MeshHistory {
  readonly #log: Log;
  readonly #heads = new Map<string, Head>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Stores one entry of an aggregate of the tenant `demo`.
   * @param region who writes, @param home whose it is
   * @returns its sequence in `EV_<region>`
   */
  async entry(
    { region, home, epoch = 1 }: Pick<Writer, 'region' | 'home'> & { readonly epoch?: number },
    entity: 'contact' | 'routing',
    id: string,
    events: readonly (readonly [type: string, subject: string, data?: object])[],
    tenant = 'demo',
  ): Promise<number> {
    return this.#append({ region, home, epoch, service: 'test' }, { tenant, entity, id }, events);
  }

  /** A new owner's first entry: it names every epoch that ended. @returns its sequence */
  async ownership(
    home: string,
    epoch: number,
    owner: string,
    seals: readonly { readonly epoch: number; readonly owner: string; readonly upTo: number }[],
  ): Promise<number> {
    const last = seals.at(-1);
    return this.#append(
      { region: owner, home, epoch, service: 'recovery' },
      { tenant: 'meridian', entity: 'ownership', id: home },
      [
        [
          'meridian.failover.completed.v1',
          home,
          {
            home,
            epoch,
            owner,
            previousEpoch: last?.epoch,
            previousOwner: last?.owner,
            upTo: last?.upTo,
            kind: 'UNPLANNED',
            seals,
          },
        ],
      ],
    );
  }

  /** What recovery writes of the mesh itself. @returns its sequence */
  async mesh(
    { region, home, epoch = 1 }: Pick<Writer, 'region' | 'home'> & { readonly epoch?: number },
    entity: string,
    id: string,
    events: readonly (readonly [type: string, subject: string, data?: object])[],
  ): Promise<number> {
    const writer = { region, home, epoch, service: 'recovery' };
    return this.#append(writer, { tenant: 'meridian', entity, id }, events);
  }

  async #append(
    writer: Writer,
    aggregate: { readonly tenant: string; readonly entity: string; readonly id: string },
    given: readonly (readonly [type: string, subject: string, data?: object])[],
  ): Promise<number> {
    const name = `${writer.home} ${aggregate.tenant} ${aggregate.entity} ${aggregate.id}`;
    const before = this.#heads.get(name);
    const events = given.map(([type, subject, data = {}]): EventToEncode => ({
      type,
      subject,
      data,
      timeMs: Date.UTC(2026, 0, 31, 8),
      cause: { causationId: 'test' },
    }));
    const head = await journalOf(this.#log, writer).append(aggregate, {
      events,
      head: own(before, writer.region) ?? emptyHead,
    });
    this.#heads.set(name, { ...head, writtenBy: writer.region } as Head);
    return head.sequence;
  }
}

/** The head as a writer of a region goes on from it: an entry of another is named by where it is. */
function own(head: Head | undefined, region: string): Head | undefined {
  const { writtenBy, ...rest } = (head ?? {}) as Head & { readonly writtenBy?: string };
  if (head === undefined || writtenBy === region) return head === undefined ? undefined : rest;
  return { ...rest, sequence: 0, at: `EV_${writtenBy}:${rest.sequence}` };
}
