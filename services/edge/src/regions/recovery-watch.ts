import { parseRecoveryStatus, recoveryStatusSubject, type Beat } from '@meridian/nest';
import type { HeardStatus, MeshStatus } from '../domain/mesh-view.ts';

/** Hears what the recovery of each region says, as far as that comes here. */
export class RecoveryWatch {
  readonly #heard = new Map<string, { readonly status: MeshStatus; readonly atMs: number }>();
  readonly #ends: (() => void)[];

  constructor(beat: Beat, regions: readonly string[]) {
    this.#ends = regions.map((region) =>
      beat.subscribe(recoveryStatusSubject(region), (text) => {
        const status = parseRecoveryStatus(text);
        if (status?.region === region) this.#heard.set(region, { status, atMs: performance.now() });
      }),
    );
  }

  /** What was heard last from each region, and how long ago. */
  heard(): ReadonlyMap<string, HeardStatus> {
    const nowMs = performance.now();
    return new Map(
      [...this.#heard].map(([region, { status, atMs }]) => [
        region,
        { status, heardMsAgo: nowMs - atMs },
      ]),
    );
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}
