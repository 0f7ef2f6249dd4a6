import { emptyHead, encodeEntry, type EventToEncode, type Head } from '@meridian/wire';
import { Ledger, memoryLog, type MemoryLog } from '@meridian/journal';
import { memoryVault } from '@meridian/vault';
import type { Caller } from '../../src/eventstore/access.ts';
import { openGateway, type Gateway, type GatewayOptions } from '../../src/eventstore/gateway.ts';
import { MemoryOrder } from './memory-order.ts';

export const startMs = 1_769_847_300_123;
export const regions = ['eu', 'us'];

/** API keys for tests: the token is `mk_<id>`. */
export const callers: readonly Caller[] = [
  { id: 'demo', tenant: 'demo', scopes: ['publish', 'read'] },
  { id: 'reader', tenant: 'demo', scopes: ['read'] },
  { id: 'other', tenant: 'acme', scopes: ['read'] },
  { id: 'operator', tenant: 'meridian', scopes: ['admin'] },
];
export const tokenOf = (id: string): string => `mk_${id}`;

/** A log of two regions in memory, the one order over it, and a gateway that serves both. */
export class Stage {
  readonly log: MemoryLog;
  readonly order: MemoryOrder;
  readonly ledger = new Ledger();
  readonly vault = memoryVault('eu');
  /** The ids of keys that the log would call destroyed. */
  readonly erased = new Set<string>();
  readonly faults: unknown[] = [];
  readonly #heads = new Map<string, Head>();
  nowMs = startMs;
  gateway!: Gateway;

  constructor() {
    this.log = memoryLog({
      now: () => this.nowMs,
      // What clients append is ordered at once; the rest when a test says so.
      onStored: (stream, sequence) => {
        const { subject } = this.log.messages(stream)[sequence - 1]!;
        if (subject.includes('.custom.')) queueMicrotask(() => this.order.extend());
      },
    });
    this.order = new MemoryOrder(
      this.log,
      regions.flatMap((region) => [`IN_${region}`, `EV_${region}`]),
    );
  }

  /** @param key whose events calls without credentials are answered with */
  async open(key?: string, further: Partial<GatewayOptions> = {}): Promise<Gateway> {
    this.gateway = await openGateway({
      log: this.log,
      ordered: this.order,
      ledger: this.ledger,
      region: 'eu',
      regions,
      grants: {
        holds: (home) => this.#granted(home) !== undefined,
        grantOf: (home) => this.#granted(home),
      },
      personal: {
        vault: this.vault,
        residencyOf: () => regions,
        isErased: (_, keyId) => this.erased.has(keyId),
      },
      host: '127.0.0.1',
      port: 0,
      keys: { authenticate: (token) => callers.find(({ id }) => tokenOf(id) === token) },
      ...(key === undefined ? {} : { loopbackToken: () => tokenOf(key) }),
      onFault: (error) => this.faults.push(error),
      now: () => this.nowMs,
      ...further,
    });
    return this.gateway;
  }

  /** Everything that region eu owns is granted. */
  #granted(home: string): { readonly epoch: number } | undefined {
    const { owner, epoch } = this.ledger.current(home);
    return owner === 'eu' ? { epoch } : undefined;
  }

  /** Stores an entry of as many events as there are types, of an aggregate of home `home`. */
  async decide(
    id: string,
    types: readonly string[],
    {
      region = 'eu',
      home = region,
      tenant = 'demo',
      entity = 'contact',
      epoch = 1,
    }: Partial<Record<'region' | 'home' | 'tenant' | 'entity', string>> & { epoch?: number } = {},
  ): Promise<number> {
    const aggregate = { tenant, entity, id };
    const key = `${region}.${home}.${tenant}.${entity}.${id}`;
    const head = this.#heads.get(key) ?? emptyHead;
    const writer = { region, home, service: 'sessions', epoch };
    const events = types.map((type): EventToEncode => ({
      type,
      subject: id,
      data: { channel: 'VOICE', initiationMethod: 'INBOUND' },
      cause: { causationId: `/pbx#${id}`, actor: 'pbx' },
      timeMs: this.nowMs,
    }));
    const { text, revision, hash } = encodeEntry(writer, aggregate, head, events);
    const subject = `ev.${region}.${home}.${tenant}.${entity}.${id}`;
    const { sequence } = await this.log.append(`EV_${region}`, { subject, data: text });
    this.#heads.set(key, { sequence, revision, hash });
    this.nowMs += 1;
    return sequence;
  }

  /** What an aggregate's next entry goes on from, when another region writes it. */
  adopt(id: string, from: string, to: string, home: string): void {
    const head = this.#heads.get(`${from}.${home}.demo.contact.${id}`) as Head;
    this.#heads.set(`${to}.${home}.demo.contact.${id}`, {
      ...head,
      sequence: 0,
      at: `EV_${from}:${head.sequence}`,
    });
  }

  async ask(id: string, { region = 'eu', tenant = 'demo' } = {}): Promise<number> {
    const event = {
      specversion: '1.0',
      id: `ask-${id}`,
      source: '/pbx',
      type: 'meridian.contact.initiate.v1',
      subject: id,
      tenant,
      time: new Date(this.nowMs).toISOString(),
      data: { channel: 'VOICE' },
    };
    const { sequence } = await this.log.append(`IN_${region}`, {
      subject: `in.${region}.${tenant}.${region}.contact.${id}`,
      data: JSON.stringify(event),
    });
    this.nowMs += 1;
    return sequence;
  }
}
