import type { NatsConnection } from '@nats-io/nats-core';
import { LogUnavailable } from './errors.ts';
import { ensureMirrors, type EnsuredMirror } from './mirrors.ts';
import type { RegionStreamsOptions } from './streams.ts';
import { ensureVaultMirrors } from './vault-mirrors.ts';

const pauseMs = { whileAway: 2_000, whileWell: 15_000 };

export interface KeepMirrorsOptions extends RegionStreamsOptions {
  /** Told about each later pass that made something or found a source away or back. */
  readonly onChange?: (mirrors: readonly EnsuredMirror[]) => void;
  /** Told why a later pass failed; the next one comes after a pause all the same. */
  readonly onFailure?: (error: Error) => void;
}

export interface KeptMirrors {
  /** What the first pass found. */
  readonly mirrors: readonly EnsuredMirror[];
  /** No further pass begins. */
  stop(): void;
}

/**
 * Sees to a region's mirrors, those of vaults too, now, and again and again until the connection
 * closes: every 2 s while a source is away, every 15 s otherwise. Resolves after the first pass,
 * whoever is away.
 * @throws StreamDiffers, LogUnavailable as `ensureMirrors` and `ensureVaultMirrors` do, in the
 *   first pass
 */
export async function keepMirrors(
  connection: NatsConnection,
  region: string,
  regions: readonly string[],
  { onChange, onFailure, ...options }: KeepMirrorsOptions = {},
): Promise<KeptMirrors> {
  const ensure = async (): Promise<readonly EnsuredMirror[]> => [
    ...(await ensureMirrors(connection, region, regions, options)),
    ...(await ensureVaultMirrors(connection, region, regions, options)),
  ];
  const first = await ensure();
  let isStopped = false;
  let known = stateOf(first);
  let timer: NodeJS.Timeout | undefined;
  const plan = (isAway: boolean): void => {
    if (isStopped || connection.isClosed()) return;
    timer = setTimeout(() => void pass(), isAway ? pauseMs.whileAway : pauseMs.whileWell);
    timer.unref();
  };
  const pass = async (): Promise<void> => {
    if (isStopped || connection.isClosed()) return;
    try {
      const mirrors = await ensure();
      const made = mirrors.some(({ created, consumer }) => created || consumer === 'made');
      if (made || stateOf(mirrors) !== known) onChange?.(mirrors);
      known = stateOf(mirrors);
      plan(isAnyAway(mirrors));
    } catch (error) {
      // A region whose own server is away says so elsewhere.
      if (!(error instanceof LogUnavailable)) onFailure?.(error as Error);
      plan(true);
    }
  };
  plan(isAnyAway(first));
  return {
    mirrors: first,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

const isAnyAway = (mirrors: readonly EnsuredMirror[]): boolean =>
  mirrors.some(({ consumer }) => consumer === 'away');

const stateOf = (mirrors: readonly EnsuredMirror[]): string =>
  mirrors.map(({ stream, consumer }) => `${stream} ${consumer === 'away'}`).join();
