import { eventStream } from '@meridian/wire';
import { readEntry } from '../journal.ts';
import type { Log } from '../log.ts';
import { Ledger, type OwnershipRecord } from './ledger.ts';
import { PatientFollower } from './patient-follower.ts';

/** The mesh's own tenant: ownership, failovers, drills. */
export const meshTenant = 'meridian';

const completed = 'meridian.failover.completed.v1';

/** A ledger that is kept up to date. */
export interface FollowedLedger {
  readonly ledger: Ledger;
  /** Resolves once what the local copies held at the time of the call is taken. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export interface FollowLedgerOptions {
  /** The ledger to be kept; a new one when absent. */
  readonly ledger?: Ledger;
  /** Waits; given by the simulator, real time otherwise. */
  readonly wait?: (delayMs: number) => Promise<void>;
}

/**
 * Folds the ownership events of all regions from the copies of their streams held here, for ever.
 * @param onFailure told when one of the streams can no longer be followed
 */
export function followLedger(
  log: Log,
  regions: readonly string[],
  onFailure: (error: unknown) => void,
  { ledger = new Ledger(), wait }: FollowLedgerOptions = {},
): FollowedLedger {
  const followers = regions.map(
    (region) =>
      new PatientFollower(
        log,
        eventStream(region),
        {
          after: 0,
          shared: true,
          filters: [`ev.${region}.*.${meshTenant}.ownership.*`],
          onFailure,
          wait,
        },
        (message) => {
          for (const event of readEntry(message).events) {
            if (event.type === completed) ledger.take(recordOf(event.data));
          }
        },
      ),
  );
  return {
    ledger,
    caughtUp: async () => {
      await Promise.all(followers.map((follower) => follower.caughtUp()));
    },
    close: async () => {
      await Promise.all(followers.map((follower) => follower.close()));
    },
  };
}

/** What the ledger keeps of an ownership event's data, which its contract has checked. */
function recordOf(data: unknown): OwnershipRecord {
  const { home, epoch, owner, seals } = data as OwnershipRecord;
  return { home, epoch, owner, seals: seals ?? [] };
}
