import type { FailoverEvent } from '@meridian/wire';
import type { ControlEntry, Seal } from './control.ts';
import type { Request } from './failover-events.ts';
import type { Ask, Granted } from './grants.ts';

/** Where the local copy of an `EV_` stream ends. */
export interface Position {
  readonly sequence: number;
  /** When that entry was stored, in epoch ms; absent for an empty stream. */
  readonly storedAtMs?: number;
}

/** One epoch of the ledger; the last one has no `upTo`. */
export interface EpochRecord {
  readonly epoch: number;
  readonly owner: string;
  readonly upTo?: number;
}

/** What comparing the own streams with the peers' copies has shown. */
export type Comparison =
  /** The own streams hold all that the peers hold of them, and end in the same entry. */
  | 'whole'
  /** No peer, or not every one in reach, has answered. */
  | 'unreachable'
  /** They came back short, and are being mended from a peer. */
  | 'mending'
  /** A shared entry differs: a person must look. */
  | 'differs';

/** What happens to one region's recovery. */
export type Input =
  | { readonly type: 'tick' }
  /** Where the local copies end, by region. */
  | { readonly type: 'positions'; readonly positions: Readonly<Record<string, Position>> }
  /** The answer to `read_control`. */
  | {
      readonly type: 'control_read';
      readonly id: number;
      readonly incarnation: string;
      readonly entries: readonly ControlEntry[];
    }
  | { readonly type: 'control_unread'; readonly id: number }
  /** A change of `CONTROL`, seen by watching. */
  | { readonly type: 'control_changed'; readonly entry: ControlEntry }
  /** The answers to `write`: done; somebody else was first; not known. */
  | { readonly type: 'written'; readonly id: number; readonly revision: number }
  | { readonly type: 'write_refused'; readonly id: number }
  | { readonly type: 'write_lost'; readonly id: number }
  /** The answers to `append`: stored, now or before; not known, or not possible now. */
  | { readonly type: 'appended'; readonly id: number; readonly sequence: number }
  | { readonly type: 'append_lost'; readonly id: number }
  /** What the log says of a home, all epochs. */
  | { readonly type: 'ledger'; readonly home: string; readonly epochs: readonly EpochRecord[] }
  /** The sets of those tenants that have one. */
  | { readonly type: 'residency'; readonly sets: ReadonlyMap<string, readonly string[]> }
  /** The local copy of the owner's stream holds the seal of an epoch, and so everything before. */
  | {
      readonly type: 'sealed';
      readonly home: string;
      readonly epoch: number;
      readonly to: string;
      readonly sequence: number;
    }
  | ({ readonly type: 'ask' } & Ask)
  | { readonly type: 'request'; readonly request: Request }
  /** An ownership event on the log names this request as its cause. */
  | { readonly type: 'request_settled'; readonly home: string; readonly id: string }
  /** The answer to `compare`. */
  | { readonly type: 'compared'; readonly id: number; readonly outcome: Comparison }
  /** The connection to the region's own NATS is gone, or back. */
  | { readonly type: 'nats'; readonly connected: boolean }
  /** One of the own streams is damaged and about to be replaced, or all are whole again. */
  | { readonly type: 'damage'; readonly damaged: boolean }
  /** Whether the region's own log takes decisions. */
  | { readonly type: 'wellness'; readonly well: boolean };

/** What an entry of an ownership's history is for. */
export type AppendPurpose = 'announce' | 'sealed' | 'completed' | 'failed';

/** What the shell carries out. Each `id` is answered once. */
export type Action =
  /** Reads all homes, then all leases, then all claims, from the leader. */
  | { readonly type: 'read_control'; readonly id: number }
  /** Writes a key; where a revision is named (0 for a new key), only if it is the present one. */
  | {
      readonly type: 'write';
      readonly id: number;
      readonly key: string;
      readonly value: string;
      readonly expectedRevision?: number;
    }
  /**
   * Stores one entry of the ownership of a home under an epoch. It may be asked for again when it is
   * not known whether it was stored: it must then not be stored twice.
   */
  | {
      readonly type: 'append';
      readonly id: number;
      readonly home: string;
      readonly epoch: number;
      /** The epochs before it. */
      readonly seals: readonly Seal[];
      readonly purpose: AppendPurpose;
      readonly events: readonly FailoverEvent[];
      readonly causationId: string;
      readonly actor?: string;
    }
  /** Answers an ask, or takes back or adds to what was answered. `answerId` goes out as its id. */
  | {
      readonly type: 'answer';
      readonly instance: string;
      readonly nonce: number;
      readonly answerId: string;
      readonly intake: boolean;
      readonly homes: Granted;
    }
  /** Compares the own streams with the peers' copies. */
  | { readonly type: 'compare'; readonly id: number }
  /** For people and metrics. */
  | { readonly type: 'report'; readonly report: Report };

export type Report =
  | { readonly what: 'granting'; readonly home: string; readonly epoch: number }
  | { readonly what: 'not_granting'; readonly home: string }
  | { readonly what: 'intake'; readonly open: boolean }
  | { readonly what: 'lease'; readonly held: boolean; readonly term: number }
  | { readonly what: 'standby'; readonly instance: string }
  | { readonly what: 'found_lapsed'; readonly region: string }
  /** It would take over, and a tenant's data may not be here. */
  | { readonly what: 'outside_residency'; readonly home: string; readonly reason: string }
  | { readonly what: 'control_is_another' }
  | { readonly what: 'glass_broken'; readonly home: string; readonly epoch: number }
  | {
      readonly what: 'epoch_disputed';
      readonly home: string;
      readonly epoch: number;
      readonly owner: string;
    };
