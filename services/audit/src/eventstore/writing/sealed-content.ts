import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { sealedParts, type SubjectKey, type Vault } from '@meridian/vault';
import type { CustomAppended } from '@meridian/wire';
import { CallRefused, invalidArgument } from '../faults.ts';
import { clientContent, type Recorded } from '../recorded.ts';

export interface SealedContentParts {
  readonly vault: Vault;
  /** The regions in which a tenant's keys may be, sorted. */
  readonly residencyOf: (tenant: string) => readonly string[];
  /** Whether the log says that a key was asked to be destroyed. */
  readonly isErased: (tenant: string, keyId: string) => boolean;
}

/** An event may be here before its key, which another region made: so long it is waited for, in ms. */
const keyWaitMs = 5_000;
const keyRetryMs = 50;
/** For so long a key that did not come is not waited for again, in ms. */
const missingMs = 60_000;
const missingLimit = 10_000;

const erased = {
  isJson: true,
  data: Buffer.from('{}'),
  metadata: Buffer.from('{"erased":true}'),
} as const;

/** Seals what clients append, and opens it for them again. */
export class SealedContent {
  readonly #parts: SealedContentParts;
  /** Keys that did not come, and until when they are not waited for. */
  readonly #missing = new Map<string, number>();

  constructor(parts: SealedContentParts) {
    this.#parts = parts;
  }

  /**
   * Events with their content and metadata sealed: with the key of whom the metadata names as
   * `dataSubject`, and with that of the stream where it names nobody.
   * @throws CallRefused when the tenant's keys may not be in this region, or `dataSubject` is a sealed
   *   text whose key is not held here
   */
  async seal(
    tenant: string,
    name: string,
    events: readonly CustomAppended[],
  ): Promise<CustomAppended[]> {
    const residency = this.#parts.residencyOf(tenant);
    const { region } = this.#parts.vault;
    if (events.length > 0 && !residency.includes(region)) {
      throw new CallRefused(
        status.FAILED_PRECONDITION,
        `Personal data of ${tenant} is taken in ${residency.join(', ')} only, not in ${region}.`,
      );
    }
    return Promise.all(
      events.map(async (event) => {
        const key = await this.#keyOf(tenant, subjectOf(event) ?? `custom:${name}`, residency);
        const { content = '', metadata } = event;
        return {
          ...event,
          content: key.seal(content),
          ...(metadata === undefined ? {} : { metadata: key.seal(metadata) }),
        };
      }),
    );
  }

  /**
   * An event as its own tenant gets it: the bytes that were appended; an empty object once its key was
   * destroyed; sealed where its key is not held here. Others, and what is not sealed, stay as they are.
   */
  open(event: Recorded, viewer: string): Recorded | Promise<Recorded> {
    const { sealed } = event;
    return sealed === undefined || sealed.tenant !== viewer ? event : this.#open(event, sealed);
  }

  async #open(event: Recorded, { tenant, appended }: NonNullable<Recorded['sealed']>) {
    const { content = '', metadata } = appended;
    const keyId = sealedParts(content)?.keyId ?? '';
    const key = await this.#heldKey(tenant, keyId);
    if (key === 'erased') return { ...event, ...erased };
    const clear = key?.open(content);
    const more = metadata === undefined ? undefined : key?.open(metadata);
    if (clear?.ok !== true || more?.ok === false) return event;
    return {
      ...event,
      ...clientContent({
        ...appended,
        content: clear.text,
        ...(more === undefined ? {} : { metadata: more.text }),
      }),
    };
  }

  async #heldKey(tenant: string, keyId: string): Promise<SubjectKey | 'erased' | undefined> {
    const { vault, residencyOf, isErased } = this.#parts;
    const startMs = performance.now();
    const mayCome =
      residencyOf(tenant).includes(vault.region) && startMs >= (this.#missing.get(keyId) ?? 0);
    for (;;) {
      if (isErased(tenant, keyId)) return 'erased';
      const key = await vault.keyById(tenant, keyId);
      if (key !== undefined || !mayCome) return key;
      if (performance.now() > startMs + keyWaitMs) break;
      await delay(keyRetryMs);
    }
    if (this.#missing.size >= missingLimit) this.#missing.clear();
    this.#missing.set(keyId, performance.now() + missingMs);
    return undefined;
  }

  async #keyOf(tenant: string, subject: string, residency: readonly string[]): Promise<SubjectKey> {
    const { vault } = this.#parts;
    const keyId = sealedParts(subject)?.keyId;
    if (keyId === undefined) return vault.keyFor(tenant, subject, residency);
    const key = await vault.keyById(tenant, keyId);
    if (key !== undefined) return key;
    throw invalidArgument(
      'The dataSubject of an event is sealed under a key that is not held here, or was destroyed.',
    );
  }
}

/** Whom the metadata names, if it is the text of a JSON object that does. */
function subjectOf({ metadata = '' }: CustomAppended): string | undefined {
  if (!metadata.startsWith('{') || !metadata.includes('"dataSubject"')) return undefined;
  try {
    const { dataSubject } = JSON.parse(metadata) as { readonly dataSubject?: unknown };
    return typeof dataSubject === 'string' && dataSubject !== '' ? dataSubject : undefined;
  } catch {
    return undefined;
  }
}
