import { Heap, seeded, type Random } from '@meridian/core';
import { initialState, settingsOf, step, type Request, type State } from '../src/index.ts';
import type { Action, ControlEntry, EpochRecord, Input } from '../src/index.ts';

import {
  allKinds,
  names,
  type FaultKind,
  type LogEntry,
  type ModelOptions,
  type Region,
} from './model-types.ts';

/** Three regions, the control store between them, mirrors, deciders, drifting clocks, and faults. */
export class Model {
  readonly violations: string[] = [];
  readonly epochs = new Map<string, Map<number, string>>();
  readonly regions: readonly Region[];
  readonly counts = { takeovers: 0, plannedMoves: 0, decisions: 0, failed: 0 };
  readonly #random: Random;
  readonly #options: ModelOptions;
  readonly #store = new Map<string, ControlEntry>();
  readonly #queue = new Heap<{ at: number; order: number; run: () => void }>(
    (a, b) => a.at < b.at || (a.at === b.at && a.order < b.order),
  );
  #revision = 0;
  #order = 0;
  #now = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    this.regions = names.map((name) => this.#region(name));
    for (const region of this.regions) {
      this.#every(region, 100, () => this.#input(region, { type: 'tick' }));
      this.#everyDecider(region);
    }
    this.#plan();
  }

  /** Plays to the end. @returns what went wrong */
  run(): readonly string[] {
    const endMs = this.#options.faultsMs + this.#options.calmMs;
    for (;;) {
      const next = this.#queue.pop();
      if (next === undefined || next.at > endMs || this.violations.length > 0) break;
      this.#now = next.at;
      next.run();
    }
    if (this.violations.length === 0) this.#checkEnd();
    return this.violations;
  }

  #region(name: string): Region {
    const rate = 1 + (this.#random.next() - 0.5) * 0.02;
    const offsetMs = this.#random.int(1_000_000);
    const region: Region = {
      name,
      rate,
      offsetMs,
      state: undefined as unknown as State,
      life: 0,
      isUp: true,
      pausedUntil: 0,
      backlog: [],
      log: [],
      held: new Map(names.map((other) => [other, 0])),
      decider: { nonce: 0, heard: '', sentAt: new Map(), grants: {} },
      isControlCut: false,
      cutFrom: new Set(),
    };
    this.#begin(region);
    return region;
  }

  #begin(region: Region): void {
    region.life += 1;
    region.state = initialState(
      settingsOf({ region: region.name, regions: names, instance: `${region.name}${region.life}` }),
      this.#moment(region),
    );
    for (const home of names) this.#tellLedger(region, home);
    this.#tellPositions(region);
  }

  #moment(region: Region) {
    return { nowMs: this.#local(region), wallMs: Math.floor(1e12 + this.#now) };
  }

  #local(region: Region): number {
    return region.offsetMs + this.#now * region.rate;
  }

  #at(delayMs: number, run: () => void): void {
    this.#order += 1;
    this.#queue.push({ at: this.#now + Math.max(0, delayMs), order: this.#order, run });
  }

  #delay(): number {
    return this.#random.next() < 0.03 ? this.#random.int(1_500) : 1 + this.#random.int(40);
  }

  #every(region: Region, periodMs: number, run: () => void): void {
    this.#at((periodMs / region.rate) * (0.9 + this.#random.next() / 5), () => {
      if (this.#now >= region.pausedUntil) this.#in(region, region.life, run);
      this.#every(region, periodMs, run);
    });
  }

  /** Runs in a process of a region unless it has ended; a paused one does it later. */
  #in(region: Region, life: number, run: () => void): void {
    if (!region.isUp || region.life !== life) return;
    if (this.#now < region.pausedUntil) {
      region.backlog.push(() => this.#in(region, life, run));
    } else run();
  }

  #input(region: Region, input: Input): void {
    this.#options.plant?.(input, region.state);
    const { actions } = step(region.state, input, this.#moment(region));
    for (const action of actions) this.#act(region, action);
  }

  #reply(region: Region, life: number, input: Input): void {
    this.#at(this.#delay(), () => this.#in(region, life, () => this.#input(region, input)));
  }

  #act(region: Region, action: Action): void {
    const { life } = region;
    switch (action.type) {
      case 'read_control':
        return this.#read(region, life, action.id);
      case 'write':
        return this.#write(region, life, action);
      case 'append':
        this.#at(this.#delay(), () => {
          if (!region.isUp) return;
          const sequence = this.#append(region, action);
          this.#reply(region, life, { type: 'appended', id: action.id, sequence });
        });
        return;
      case 'answer':
        this.#at(this.#delay(), () => this.#granted(region, action));
        return;
      case 'compare': {
        const outcome = region.cutFrom.size === 2 ? 'unreachable' : 'whole';
        this.#reply(region, life, { type: 'compared', id: action.id, outcome });
        return;
      }
      default:
    }
  }

  /** Homes first, then leases, each at its own moment. */
  #read(region: Region, life: number, id: number): void {
    const entries: ControlEntry[] = [];
    const prefixes = ['home.', 'lease.', 'claim.'];
    const next = (index: number): void => {
      const prefix = prefixes[index];
      if (prefix === undefined) {
        this.#reply(region, life, { type: 'control_read', id, incarnation: 'one', entries });
        return;
      }
      this.#at(this.#delay(), () => {
        if (region.isControlCut) {
          this.#at(1_000, () =>
            this.#in(region, life, () => this.#input(region, { type: 'control_unread', id })),
          );
          return;
        }
        for (const entry of this.#store.values()) {
          if (entry.key.startsWith(prefix)) entries.push(entry);
        }
        next(index + 1);
      });
    };
    next(0);
  }

  #write(region: Region, life: number, action: Extract<Action, { type: 'write' }>): void {
    const { id, key, value, expectedRevision } = action;
    // Nothing is lost any more once all is well.
    const fate = this.#now < this.#options.faultsMs ? this.#random.next() : 0.5;
    const lose = (): void =>
      this.#at(2_000, () =>
        this.#in(region, life, () => this.#input(region, { type: 'write_lost', id })),
      );
    const isCut = region.isControlCut;
    // A write that is given up may still arrive, much later.
    const isLate = fate < 0.01 || (isCut && fate < 0.3);
    if (isCut && !isLate) {
      lose();
      return;
    }
    this.#at(isLate ? 2_000 + this.#random.int(20_000) : this.#delay(), () => {
      const found = this.#store.get(key)?.revision ?? 0;
      const isRefused = expectedRevision !== undefined && found !== expectedRevision;
      if (!isRefused) {
        this.#revision += 1;
        this.#store.set(key, { key, value, revision: this.#revision });
        this.#watch(key);
      }
      if (isLate || fate > 0.99) return;
      this.#reply(
        region,
        life,
        isRefused
          ? { type: 'write_refused', id }
          : { type: 'written', id, revision: this.#revision },
      );
    });
    if (isLate || fate > 0.99) lose();
  }

  #watch(key: string): void {
    const entry = this.#store.get(key) as ControlEntry;
    for (const region of this.regions) {
      if (region.isControlCut || this.#random.next() < 0.05) continue;
      this.#reply(region, region.life, { type: 'control_changed', entry });
    }
  }

  #append(region: Region, action: Extract<Action, { type: 'append' }>): number {
    const { home, epoch, purpose: what, events, causationId } = action;
    const known = region.log.findIndex(
      (entry) => entry.home === home && entry.epoch === epoch && entry.what === what,
    );
    if (known !== -1 && (what === 'sealed' || what === 'completed')) return known + 1;
    const completed = events.find(({ type }) => type === 'meridian.failover.completed.v1');
    const sealed = events.find(({ type }) => type === 'meridian.failover.sealed.v1');
    const seals = completed?.type === 'meridian.failover.completed.v1' ? completed.data.seals : [];
    const to = sealed?.type === 'meridian.failover.sealed.v1' ? sealed.data.to : undefined;
    if (completed?.type === 'meridian.failover.completed.v1') {
      this.#count(home, epoch, region.name, completed.data.kind);
    }
    if (what === 'failed') this.counts.failed += 1;
    this.#keep(region, { home, epoch, what, seals, causationId, ...(to && { to }) });
    return region.log.length;
  }

  #count(home: string, epoch: number, owner: string, kind: string): void {
    const known = this.epochs.get(home) ?? new Map<number, string>([[1, home]]);
    this.epochs.set(home, known);
    if (known.has(epoch)) {
      this.violations.push(
        `Epoch ${epoch} of ${home} began twice, at ${known.get(epoch)} and ${owner}.`,
      );
    }
    known.set(epoch, owner);
    if (kind === 'PLANNED') this.counts.plannedMoves += 1;
    else this.counts.takeovers += 1;
  }

  #keep(region: Region, entry: LogEntry): void {
    region.log.push(entry);
    region.held.set(region.name, region.log.length);
    this.#arrived(region, entry, region.log.length);
    for (const other of this.regions) if (other !== region) this.#replicate(region, other);
  }

  /** Mirrors in order, where there is a link. */
  #replicate(from: Region, to: Region): void {
    this.#at(this.#delay(), () => {
      const held = to.held.get(from.name) as number;
      const entry = from.log[held];
      if (entry === undefined || !from.isUp || !to.isUp || to.cutFrom.has(from.name)) return;
      to.held.set(from.name, held + 1);
      this.#arrived(to, entry, held + 1);
      if (held + 1 < from.log.length) this.#replicate(from, to);
    });
  }

  #arrived(region: Region, entry: LogEntry, sequence: number): void {
    const { home, epoch, what, to, causationId } = entry;
    const tell = (input: Input): void =>
      this.#in(region, region.life, () => this.#input(region, input));
    this.#tellPositions(region);
    if (causationId !== undefined && what !== 'decision') {
      tell({ type: 'request_settled', home, id: causationId });
    }
    if (what === 'completed') this.#tellLedger(region, home);
    if (what === 'sealed' && to !== undefined) tell({ type: 'sealed', home, epoch, to, sequence });
  }

  #tellPositions(region: Region): void {
    const positions = Object.fromEntries(
      [...region.held].map(([name, sequence]) => [name, { sequence }]),
    );
    this.#in(region, region.life, () => this.#input(region, { type: 'positions', positions }));
  }

  #tellLedger(region: Region, home: string): void {
    let epochs: EpochRecord[] = [{ epoch: 1, owner: home }];
    for (const writer of this.regions ?? []) {
      for (const entry of writer.log.slice(0, region.held.get(writer.name))) {
        if (entry.what !== 'completed' || entry.home !== home) continue;
        if (entry.epoch > epochs.length) {
          epochs = [...entry.seals, { epoch: entry.epoch, owner: writer.name }];
        }
      }
    }
    this.#in(region, region.life, () => this.#input(region, { type: 'ledger', home, epochs }));
  }

  #everyDecider(region: Region): void {
    const { decider } = region;
    this.#at(250 / region.rate, () => {
      if (region.isUp && this.#now >= region.pausedUntil) {
        decider.nonce += 1;
        decider.sentAt.set(decider.nonce, this.#local(region));
        const deciding = Object.fromEntries(
          Object.entries(decider.grants)
            .filter(([, { untilMs }]) => this.#local(region) < untilMs)
            .map(([home, { epoch }]) => [home, epoch]),
        );
        const { nonce, heard } = decider;
        const ask: Input = { type: 'ask', instance: `d-${region.name}`, nonce, heard, deciding };
        const { life } = region;
        this.#at(this.#delay(), () => this.#in(region, life, () => this.#input(region, ask)));
        for (const home of names) this.#decide(region, home);
      }
      this.#everyDecider(region);
    });
  }

  #decide(region: Region, home: string): void {
    const grant = region.decider.grants[home];
    if (grant === undefined || this.#local(region) >= grant.untilMs) return;
    this.counts.decisions += 1;
    this.#keep(region, { home, epoch: grant.epoch, what: 'decision', seals: [] });
  }

  #granted(region: Region, { nonce, answerId, homes }: Extract<Action, { type: 'answer' }>): void {
    const { decider } = region;
    const sentAtMs = decider.sentAt.get(nonce);
    if (!region.isUp || sentAtMs === undefined) return;
    for (const older of decider.sentAt.keys()) if (older < nonce) decider.sentAt.delete(older);
    // Answers overtake each other in the model, and not on a connection: a late one is passed over.
    const numberOf = (id: string): number => Number(id.slice(id.lastIndexOf('.') + 1));
    const isSameBook = answerId.split('.')[0] === decider.heard.split('.')[0];
    if (isSameBook && numberOf(answerId) < numberOf(decider.heard)) return;
    decider.heard = answerId;
    decider.grants = Object.fromEntries(
      Object.entries(homes).map(([home, { epoch, forMs }]) => [
        home,
        { epoch, untilMs: sentAtMs + forMs },
      ]),
    );
    for (const home of names) this.#checkAlone(region, home);
  }

  /** Who holds a home at this moment of true time. */
  holders(home: string): string[] {
    return this.regions
      .filter((region) => {
        const grant = region.decider.grants[home];
        return region.isUp && grant !== undefined && this.#local(region) < grant.untilMs;
      })
      .map(({ name }) => name);
  }

  #checkAlone(region: Region, home: string): void {
    const holders = this.holders(home);
    if (holders.length > 1 && holders.includes(region.name)) {
      this.violations.push(`At ${this.#now} ms ${holders.join(' and ')} both decide for ${home}.`);
    }
  }

  #plan(): void {
    const { faults, faultsMs, requests } = this.#options;
    for (let count = 0; count < faults; count += 1) {
      const atMs = this.#random.int(faultsMs);
      const lastsMs = Math.min(this.#random.int(25_000), faultsMs - atMs);
      const region = this.#random.pick(this.regions);
      const fault = this.#random.pick(this.#options.kinds ?? allKinds);
      this.#at(atMs, () => this.#strike(fault, region, lastsMs));
    }
    this.#at(faultsMs, () => this.#heal());
    for (let count = 0; count < requests; count += 1) {
      this.#at(this.#random.int(faultsMs), () => this.#request(count));
    }
  }

  #request(count: number): void {
    const request: Request = {
      id: `cli#${count}`,
      home: this.#random.pick(names),
      to: this.#random.pick(names),
      kind: this.#random.next() < 0.8 ? 'PLANNED' : 'UNPLANNED',
      atMs: Math.floor(1e12 + this.#now),
    };
    for (const region of this.regions) {
      this.#reply(region, region.life, { type: 'request', request });
    }
  }

  #strike(fault: FaultKind, region: Region, lastsMs: number): void {
    const others = this.regions.filter((other) => other !== region);
    switch (fault) {
      case 'kill':
        region.isUp = false;
        region.decider.grants = {};
        region.decider.sentAt.clear();
        region.backlog.length = 0;
        this.#at(lastsMs, () => this.#revive(region));
        return;
      case 'restart':
        this.#begin(region);
        return;
      case 'pause':
        region.pausedUntil = Math.max(region.pausedUntil, this.#now + lastsMs);
        this.#at(lastsMs, () => {
          for (const run of region.backlog.splice(0)) run();
        });
        return;
      case 'isolate':
      case 'control':
        region.isControlCut = true;
        if (fault === 'isolate') {
          for (const other of others) {
            region.cutFrom.add(other.name);
            other.cutFrom.add(region.name);
          }
        }
        this.#at(lastsMs, () => this.#join(region));
        return;
      default:
        region.cutFrom.add((others[0] as Region).name);
        this.#at(lastsMs, () => this.#join(region));
    }
  }

  #revive(region: Region): void {
    if (region.isUp) return;
    region.isUp = true;
    this.#begin(region);
    this.#join(region);
  }

  #join(region: Region): void {
    region.isControlCut = false;
    region.cutFrom.clear();
    for (const other of this.regions) {
      if (other === region) continue;
      other.cutFrom.delete(region.name);
      this.#replicate(region, other);
      this.#replicate(other, region);
    }
  }

  #heal(): void {
    for (const region of this.regions) {
      this.#revive(region);
      region.pausedUntil = Math.min(region.pausedUntil, this.#now);
      for (const run of region.backlog.splice(0)) run();
    }
    for (const region of this.regions) this.#join(region);
  }

  /** Every home is decided for by one region, all agree who; seals of planned moves lost nothing. */
  #checkEnd(): void {
    for (const home of names) {
      const holders = this.holders(home);
      if (holders.length !== 1) {
        this.violations.push(
          `In the end ${home} is decided for by ${holders.join(' and ') || 'nobody'}.`,
        );
      }
      const ledgers = new Set(
        this.regions.map(({ state }) => JSON.stringify(state.ledger.get(home)?.at(-1))),
      );
      if (ledgers.size > 1) {
        this.violations.push(
          `In the end the regions differ on ${home}: ${[...ledgers].join(' ')}.`,
        );
      }
      this.#checkSeals(home);
    }
  }

  #checkSeals(home: string): void {
    for (const writer of this.regions) {
      const sealedEpochs = new Set<number>();
      for (const entry of writer.log) {
        if (entry.home !== home) continue;
        if (entry.what === 'sealed') sealedEpochs.add(entry.epoch);
        if (entry.what === 'decision' && sealedEpochs.has(entry.epoch)) {
          this.violations.push(
            `${writer.name} decided for ${home} after the seal of ${entry.epoch}.`,
          );
        }
      }
    }
  }
}
