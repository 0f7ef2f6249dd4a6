import {
  epochOf,
  Ledger,
  meshTenant,
  readEntry,
  type Entry,
  type OwnershipRecord,
} from '@meridian/journal';
import type { SimulatedRegion } from '@meridian/testing';
import { eventStream, parseSubject, type ParsedSubject } from '@meridian/wire';
import { regions } from './scenario.ts';

/** One decision, and where it stands in the history of its home. */
export interface CanonEntry {
  readonly entry: Entry;
  readonly text: string;
  readonly address: ParsedSubject;
  readonly epoch: number;
}

/** What the streams of one region say: the history of each home, and what is no part of any. */
export interface Canon {
  readonly ledger: Ledger;
  readonly homes: ReadonlyMap<string, readonly CanonEntry[]>;
  readonly orphans: readonly CanonEntry[];
}

/** The ledger as the ownership events in a region's copies make it. */
function ledgerOf({ log }: SimulatedRegion): Ledger {
  const ledger = new Ledger();
  const records: OwnershipRecord[] = [];
  for (const region of regions) {
    for (const message of log.messages(eventStream(region))) {
      if (!message.subject.includes(`.${meshTenant}.ownership.`)) continue;
      for (const { type, data } of readEntry(message).events) {
        if (type !== 'meridian.failover.completed.v1') continue;
        const { home, epoch, owner, seals } = data as OwnershipRecord;
        records.push({ home, epoch, owner, seals: seals ?? [] });
      }
    }
  }
  for (const record of records) ledger.take(record);
  return ledger;
}

/** Reads everything that a region holds, and puts it into the order that counts. */
export function canonOf(region: SimulatedRegion): Canon {
  const ledger = ledgerOf(region);
  const homes = new Map<string, CanonEntry[]>(regions.map((home) => [home, []]));
  const orphans: CanonEntry[] = [];
  for (const writer of regions) {
    for (const message of region.log.messages(eventStream(writer))) {
      const address = parseSubject(message.subject);
      if (address === undefined) throw new Error(`${message.subject} is no subject of an event.`);
      const epoch = epochOf(message);
      const one = { entry: readEntry(message), text: message.text(), address, epoch };
      const verdict = ledger.verdict(address.home, epoch, writer, message.sequence);
      if (verdict === 'counts') homes.get(address.home)?.push(one);
      else orphans.push(one);
    }
  }
  for (const entries of homes.values()) {
    entries.sort((a, b) => a.epoch - b.epoch || a.entry.sequence - b.entry.sequence);
  }
  return { ledger, homes, orphans };
}
