import { LogFault, type Log } from '@meridian/journal';
import { privacyRequest, type Erasure, type FollowedPrivacy } from '@meridian/privacy';
import type { Vault } from '@meridian/vault';
import type { Logger } from 'pino';

export interface KeyEraserOptions {
  readonly log: Log;
  readonly vault: Pick<Vault, 'destroy' | 'keyById'>;
  readonly privacy: Pick<FollowedPrivacy, 'tenants'>;
  readonly region: string;
  readonly regions: readonly string[];
  /** Epoch ms, by the clock of the log. */
  readonly now: () => number;
  readonly monotonicMs: () => number;
  readonly logger: Pick<Logger, 'info' | 'error' | 'debug'>;
}

/**
 * A mirror may be behind by some messages when a key is destroyed in it: it is looked at again after
 * so long, in ms, before the region says that it holds none.
 */
const lookAgainMs = 1_000;
/** A confirmation that has led to nothing is stored again after so long, in ms. */
const confirmAgainMs = 5_000;
/** For so long after an erasure is whole its keys are looked for again, in ms. */
const afterMs = 600_000;
/** How rarely, once the region has said that it holds none, in ms. */
const guardEveryMs = 10_000;

/** What this process has done for one erasure. */
interface Progress {
  /** The keys that were held here. */
  readonly destroyed: Set<string>;
  /** Since when each look has found none of them. */
  cleanSinceMs?: number;
  lookedAtMs: number;
  confirmedAtMs?: number;
}

/** Destroys in its region the keys that an erasure names, and says so on the log. */
export class KeyEraser {
  readonly #options: KeyEraserOptions;
  readonly #progress = new Map<string, Progress>();

  constructor(options: KeyEraserOptions) {
    this.#options = options;
  }

  /**
   * Does what is due for every erasure. Calls must not overlap; what does not answer is tried again
   * at the next one.
   */
  async work(): Promise<void> {
    const { privacy, region, now, logger } = this.#options;
    for (const [tenant, { erasures }] of privacy.tenants()) {
      for (const [id, erasure] of erasures) {
        if (erasure.state === 'BLOCKED' || !erasure.regions.includes(region)) continue;
        if (erasure.state === 'ERASED' && now() > erasure.erasedAtMs + afterMs) {
          this.#progress.delete(`${tenant} ${id}`);
          continue;
        }
        try {
          await this.#erase(tenant, id, erasure);
        } catch (error) {
          const isPassing = error instanceof LogFault && error.retryable;
          const line = `Keys of the erasure ${id} could not be destroyed in ${region}; tried again.`;
          logger[isPassing ? 'debug' : 'error']({ err: error, tenant }, line);
        }
      }
    }
  }

  async #erase(
    tenant: string,
    id: string,
    erasure: Exclude<Erasure, { state: 'BLOCKED' }>,
  ): Promise<void> {
    const { region, monotonicMs, logger } = this.#options;
    const nowMs = monotonicMs();
    const isConfirmed = erasure.confirmed.has(region);
    const progress = this.#progressOf(`${tenant} ${id}`);
    if (isConfirmed && nowMs < progress.lookedAtMs + guardEveryMs) return;
    progress.lookedAtMs = nowMs;
    const keyIds = erasure.keys.map((key) => key.id);
    const isClean = await this.#destroy(tenant, keyIds, progress);
    if (isConfirmed) {
      if (!isClean) {
        logger.error({ tenant, erasure: id }, `A key came back to ${region}; destroyed.`);
      }
      return;
    }
    if (!isClean) delete progress.cleanSinceMs;
    else progress.cleanSinceMs ??= nowMs;
    const { cleanSinceMs, confirmedAtMs } = progress;
    if (cleanSinceMs === undefined || nowMs < cleanSinceMs + lookAgainMs) return;
    if (confirmedAtMs !== undefined && nowMs < confirmedAtMs + confirmAgainMs) return;
    await this.#confirm(tenant, id, keyIds, progress);
    progress.confirmedAtMs = nowMs;
  }

  /** @returns whether none of them was there, and none can be had now */
  async #destroy(tenant: string, keyIds: readonly string[], progress: Progress): Promise<boolean> {
    const { vault } = this.#options;
    let isClean = true;
    for (const { keyId, wasThere, isGone } of await vault.destroy(tenant, keyIds)) {
      if (wasThere) progress.destroyed.add(keyId);
      if (wasThere || !isGone) isClean = false;
    }
    for (const keyId of keyIds) {
      if ((await vault.keyById(tenant, keyId)) !== undefined) isClean = false;
    }
    return isClean;
  }

  async #confirm(
    tenant: string,
    erasureId: string,
    keyIds: readonly string[],
    { destroyed }: Progress,
  ): Promise<void> {
    const { log, region, regions, now, logger } = this.#options;
    const ids = [...new Set(keyIds)].toSorted();
    const data = {
      erasureId,
      region,
      destroyed: ids.filter((id) => destroyed.has(id)),
      absent: ids.filter((id) => !destroyed.has(id)),
    };
    const made = privacyRequest({
      tenant,
      region,
      regions,
      service: 'audit',
      type: 'meridian.privacy.confirm_keys_destroyed.v1',
      id: `erased-${erasureId}`,
      subject: 'all',
      data,
      now: new Date(now()).toISOString(),
    });
    if (!made.ok) throw new TypeError(made.problems[0]?.detail ?? 'The confirmation is none.');
    await log.append(made.store.stream, made.store.message);
    logger.info({ tenant, erasure: erasureId, keys: ids.length }, `No key is left in ${region}.`);
  }

  #progressOf(key: string): Progress {
    let progress = this.#progress.get(key);
    if (progress === undefined) {
      progress = { destroyed: new Set(), lookedAtMs: -Infinity };
      this.#progress.set(key, progress);
    }
    return progress;
  }
}
