import {
  Ledger,
  type EpochRecord,
  type Follower,
  type Log,
  type MessageToAppend,
} from '@meridian/journal';
import type { Leases } from '@meridian/nest';
import type { Settings } from '@meridian/recovery';
import type { SimulatedRegion } from '@meridian/testing';
import { decodeEntry, eventStream, eventTexts } from '@meridian/wire';
import { changed } from '../plants.ts';

/** A fault on purpose, to see whether it is found; absent parts are as they should be. */
export interface MeshPlant {
  /** The log as a service's desks have it. */
  readonly log?: (log: Log, service: string) => Log;
  readonly leases?: (leases: Leases) => Leases;
  readonly ledger?: (ledger: Ledger, region: SimulatedRegion) => Ledger;
  /** Up to where an open desk says that everything it reads is settled. */
  readonly positionOf?: (follower: Follower) => number;
  /** What a region's recovery goes by. */
  readonly settings?: (settings: Settings) => Settings;
  readonly opensWithoutComparing?: boolean;
}

/** Leases that do not expire: what was granted once holds until something else is granted. */
function withoutExpiry(leases: Leases): Leases {
  const granted = new Map<string, number>();
  const look = (home: string): number | undefined => {
    const epoch = leases.grantOf(home)?.epoch;
    if (epoch !== undefined) granted.set(home, epoch);
    return granted.get(home);
  };
  return {
    holds: (home) => look(home) !== undefined,
    grantOf(home) {
      const epoch = look(home);
      return epoch === undefined ? undefined : { epoch };
    },
    get intakeOpen() {
      return leases.intakeOpen;
    },
    onChange: (callback) => leases.onChange(callback),
    tell: () => leases.tell(),
    close: () => leases.close(),
  };
}

/** A ledger for which an epoch lasts as long as its owner wrote under it. */
class EndlessEpochs extends Ledger {
  readonly #real: Ledger;
  readonly #region: SimulatedRegion;

  constructor(real: Ledger, region: SimulatedRegion) {
    super();
    this.#real = real;
    this.#region = region;
  }

  override epochs(home: string): readonly EpochRecord[] {
    return this.#real.epochs(home).map((record) => {
      if (record.upTo === undefined) return record;
      const held = this.#region.log.messages(eventStream(record.owner)).length;
      return { ...record, upTo: Math.max(record.upTo, held) };
    });
  }

  override onChange(listener: (home: string) => void): () => void {
    return this.#real.onChange(listener);
  }
}

/** Stores an entry of several events as two. */
async function storeAsTwo(
  log: Log,
  stream: string,
  message: MessageToAppend,
): ReturnType<Log['append']> {
  const { data } = message;
  const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
  const [first, ...others] = stream.startsWith('EV_') ? eventTexts(text) : [];
  if (first === undefined || others.length === 0 || decodeEntry(text).length < 2) {
    return log.append(stream, message);
  }
  const { sequence } = await log.append(stream, { ...message, data: `[${first}]` });
  return log.append(stream, {
    ...message,
    data: `[${others.join(',\n')}]`,
    ...(message.expectedLastSequence === undefined ? {} : { expectedLastSequence: sequence }),
  });
}

/** Bugs on purpose. The simulation is worth something only as long as it finds each of them. */
export const meshPlants = {
  /** Whoever was granted a home once goes on deciding for it. */
  noLeaseCheck: { leases: withoutExpiry },
  /** What an owner wrote beyond the seal counts. */
  noSealCheck: { ledger: (ledger, region) => new EndlessEpochs(ledger, region) },
  /** What was decided at once is stored one after the other. */
  decisionAsTwoMessages: {
    log: (log) => changed(log, { append: (stream, message) => storeAsTwo(log, stream, message) }),
  },
  /** Two writers of one partition do not notice each other. */
  twoRoutingWriters: {
    log: (log, service) =>
      service !== 'routing'
        ? log
        : changed(log, {
            append(stream, { expectedLastSequence: _, ...message }) {
              return log.append(stream, message);
            },
          }),
  },
  /** A region goes by its lease for twice as long as the others wait for it. */
  leaseTooLong: {
    settings: (settings) => ({
      ...settings,
      // One's own end is counted from `leaseMs`, the others' from `leaseMs` and the guard.
      leaseMs: 2 * settings.leaseMs,
      guardMs: -settings.leaseMs + settings.guardMs,
    }),
  },
  /** What is under way counts as settled, so that a new owner does not go back to it. */
  settledPassesGap: { positionOf: ({ delivered }) => delivered },
  /** The next owner does not wait until it holds everything up to the seal. */
  doesNotWaitForSeal: {
    log: (log) => changed(log, { lastSequence: () => Promise.resolve(Number.MAX_SAFE_INTEGER) }),
  },
  /** A region that comes back does not ask the others what it had. */
  opensWithoutComparing: { opensWithoutComparing: true },
} as const satisfies Record<string, MeshPlant>;
