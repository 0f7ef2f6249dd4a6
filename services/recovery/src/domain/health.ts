import { toTimestamp } from '@meridian/core';
import type { RegionEvent, ReplicationEvent } from '@meridian/wire';
import type { Moment } from './settings.ts';

export type Health = 'HEALTHY' | 'DEGRADED' | 'FENCED' | 'LOST';

/** What is seen of one region at a moment; everything that is wrong, as `CODE: what it means here`. */
export interface Sight {
  readonly region: string;
  readonly health: Health;
  readonly reasons: readonly string[];
}

/** What is seen of the whole at a moment. */
export interface Look {
  readonly sights: readonly Sight[];
  /** The peers not heard for longer than a lease. */
  readonly unreachable: readonly string[];
  readonly isControlSilent: boolean;
  readonly isServing: boolean;
  /** The copies that are behind, by stream. */
  readonly lags: readonly {
    readonly stream: string;
    readonly region: string;
    readonly behind: number;
    readonly lagMs: number;
  }[];
}

export interface Watching {
  readonly region: string;
  readonly peers: number;
  readonly lagLimitMs: number;
  /** A health must last this long before it is told. */
  readonly settleMs: number;
}

interface Known {
  told: Health;
  seen: Health;
  sinceMs: number;
}

export type WatchEvent = { readonly event: RegionEvent | ReplicationEvent; readonly atMs: number };

/**
 * Turns what is seen from moment to moment into events worth remembering: a health that has lasted, the
 * beginning and the end of an isolation, a lag that went over the limit and came back.
 */
export class RegionWatch {
  readonly #options: Watching;
  readonly #known = new Map<string, Known>();
  readonly #lagging = new Map<string, number>();
  #isolatedSince: Moment | undefined;

  constructor(options: Watching) {
    this.#options = options;
  }

  get isIsolated(): boolean {
    return this.#isolatedSince !== undefined;
  }

  look(look: Look, at: Moment): WatchEvent[] {
    return [
      ...look.sights.flatMap((sight) => this.#health(sight, at)),
      ...this.#isolation(look, at),
      ...look.lags.flatMap((lag) => this.#lag(lag, at)),
    ];
  }

  #health({ region, health, reasons }: Sight, at: Moment): WatchEvent[] {
    const known = this.#known.get(region) ?? { told: 'HEALTHY', seen: health, sinceMs: at.nowMs };
    this.#known.set(region, known);
    if (known.seen !== health) {
      known.seen = health;
      known.sinceMs = at.nowMs;
    }
    if (known.told === health || at.nowMs < known.sinceMs + this.#options.settleMs) return [];
    const from = known.told;
    known.told = health;
    const event: RegionEvent = {
      type: 'meridian.region.health_changed.v1',
      subject: region,
      data: {
        from,
        to: health,
        reasons: reasons.length > 0 ? reasons : ['RECOVERED: nothing is wrong any more.'],
      },
    };
    return [{ event, atMs: at.wallMs }];
  }

  #isolation({ unreachable, isControlSilent, isServing }: Look, at: Moment): WatchEvent[] {
    const { region, peers } = this.#options;
    const isIsolated = peers > 0 && unreachable.length === peers && isControlSilent;
    if (isIsolated === (this.#isolatedSince !== undefined)) return [];
    if (isIsolated) {
      this.#isolatedSince = at;
      const event: RegionEvent = {
        type: 'meridian.region.isolated.v1',
        subject: region,
        data: { unreachable, since: toTimestamp(at.wallMs), serving: isServing },
      };
      return [{ event, atMs: at.wallMs }];
    }
    // One of the two is enough to be told from: the region is seen again.
    const since = this.#isolatedSince as Moment;
    this.#isolatedSince = undefined;
    const event: RegionEvent = {
      type: 'meridian.region.rejoined.v1',
      subject: region,
      data: {
        isolatedSince: toTimestamp(since.wallMs),
        isolatedMs: Math.round(at.nowMs - since.nowMs),
      },
    };
    return [{ event, atMs: at.wallMs }];
  }

  #lag({ stream, region, behind, lagMs }: Look['lags'][number], at: Moment): WatchEvent[] {
    const { lagLimitMs } = this.#options;
    const key = `${region} ${stream}`;
    const longest = this.#lagging.get(key);
    const isOver = lagMs > lagLimitMs;
    const data = { stream, behind, limitMs: lagLimitMs };
    if (isOver) {
      this.#lagging.set(key, Math.max(longest ?? 0, lagMs));
      if (longest !== undefined) return [];
      const event: ReplicationEvent = {
        type: 'meridian.replication.lag_sampled.v1',
        subject: region,
        data: { ...data, change: 'EXCEEDED', lagMs: Math.round(lagMs) },
      };
      return [{ event, atMs: at.wallMs }];
    }
    if (longest === undefined) return [];
    this.#lagging.delete(key);
    const event: ReplicationEvent = {
      type: 'meridian.replication.lag_sampled.v1',
      subject: region,
      data: { ...data, change: 'RECOVERED', lagMs: Math.round(longest) },
    };
    return [{ event, atMs: at.wallMs }];
  }
}
