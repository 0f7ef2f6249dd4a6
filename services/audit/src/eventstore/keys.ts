import { hash, timingSafeEqual } from 'node:crypto';
import { PatientFollower, streamNames, type Log, type LogMessage } from '@meridian/journal';
import type { Caller, Keys, Scope } from './access.ts';
import { unavailable } from './faults.ts';

const tokenPattern = /^mk_([a-z0-9]{4,32})_([A-Za-z0-9_-]{43})$/;
const hashPattern = /^[0-9a-f]{64}$/;
const scopes: readonly unknown[] = ['publish', 'read', 'admin'];
const noHash = Buffer.alloc(32);

interface KnownKey {
  readonly caller: Caller;
  /** SHA-256 of the secret. */
  readonly hash: Buffer;
}

/** The API keys that the region's edges keep in the bucket `KEYS_<region>`: followed, never written. */
export class KeyWatch implements Keys {
  readonly #keys = new Map<string, KnownKey>();
  readonly #follower: PatientFollower;
  #isKnown = false;

  /**
   * @param log that holds the bucket's stream
   * @param onFailure told when the bucket can no longer be followed
   */
  constructor(log: Log, region: string, onFailure: (error: unknown) => void) {
    const { keys } = streamNames(region);
    const prefix = `$KV.${keys.slice('KV_'.length)}.`;
    this.#follower = new PatientFollower(log, keys, { after: 0, onFailure }, (message) =>
      this.#take(message.subject.slice(prefix.length), message),
    );
    void this.#follower.caughtUp().then(() => {
      this.#isKnown = true;
    }, onFailure);
  }

  /**
   * Takes the same time whether the id or the secret is wrong.
   * @throws CallRefused (UNAVAILABLE) while the keys are being read: clients end at a key that is
   * refused, and come again here
   */
  authenticate(token: string): Caller | undefined {
    if (!this.#isKnown) throw unavailable('The API keys of the region are being read; try again.');
    const [, id, secret] = tokenPattern.exec(token) ?? [];
    if (id === undefined || secret === undefined) return undefined;
    const known = this.#keys.get(id);
    const isSame = timingSafeEqual(hash('sha256', secret, 'buffer'), known?.hash ?? noHash);
    return isSame ? known?.caller : undefined;
  }

  close(): Promise<void> {
    return this.#follower.close();
  }

  #take(id: string, message: LogMessage): void {
    const isGone = message.header('KV-Operation') !== undefined;
    const known = isGone ? undefined : readKey(message.text());
    if (known?.caller.id === id) this.#keys.set(id, known);
    else this.#keys.delete(id);
  }
}

/** A stored key; undefined when the text is none, or one that was revoked. */
export function readKey(text: string): KnownKey | undefined {
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  const { id, tenant, scopes: given, hash: hex, revokedAt } = value ?? {};
  if (typeof id !== 'string' || typeof tenant !== 'string' || revokedAt !== undefined) {
    return undefined;
  }
  if (typeof hex !== 'string' || !hashPattern.test(hex) || !Array.isArray(given)) return undefined;
  if (!given.every((scope) => scopes.includes(scope))) return undefined;
  return { caller: { id, tenant, scopes: given as Scope[] }, hash: Buffer.from(hex, 'hex') };
}
