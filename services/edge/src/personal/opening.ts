import { allows } from '@meridian/keys';
import { sealedParts, sealedTexts, type SubjectKey, type Vault } from '@meridian/vault';
import type { AccessKind } from '@meridian/wire';
import { Refusal } from '../domain/problem.ts';
import { oneOf } from '../domain/query.ts';
import { orRefuse } from '../http/log-fault.ts';
import type { Call, Parameters } from '../http/route.ts';
import type { ResidencyOf } from './sealing.ts';

/** Why a value is not opened. */
export const notOpenedReasons = [
  'NOT_SEALED',
  'ERASED',
  'NOT_HELD_HERE',
  'NO_SUCH_KEY',
  'DAMAGED',
] as const;
export type NotOpened = (typeof notOpenedReasons)[number];

/** The clear text of a value, or why there is none. */
export type OpenedValue = { readonly text: string } | { readonly reason: NotOpened };

/** Records who looks at what, before they see it. */
export type RecordAccess = (
  call: Pick<Call, 'key' | 'request'>,
  kind: AccessKind,
  what: string,
) => Promise<void>;

export interface OpeningParts {
  readonly vault: Vault;
  readonly residencyOf: ResidencyOf;
  /** The ids of a tenant's keys that were asked to be destroyed, by what the log says. */
  readonly erasedKeys: (tenant: string) => Iterable<string>;
  /** Resolves once it is known what was erased until then. @throws LogFault */
  readonly erasedKnown: () => Promise<void>;
  readonly recordAccess: RecordAccess;
}

/** What a read says of the sealed texts that it was asked to open. */
interface OpenedView {
  readonly personal: {
    readonly opened: number;
    readonly notOpened: readonly { readonly value: string; readonly reason: NotOpened }[];
  };
}

/** The parameter of reads that can be asked to open what they show. */
export const personalParameter: Parameters = {
  personal: {
    description:
      '`open` shows personal texts in the clear where their keys are held here; the key then needs the scope ' +
      'personal too, and the access is recorded',
    schema: { type: 'string', enum: ['open'] },
  },
};

/** Opens sealed texts for those who may, and records that they were opened. */
export class Opening {
  readonly #parts: OpeningParts;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
  }

  /**
   * Each value's clear text, or why there is none, in their order.
   * @throws Refusal 503 when the vault or the log does not answer
   */
  async values(call: Call, values: readonly string[]): Promise<OpenedValue[]> {
    await this.#parts.recordAccess(call, 'OPENING', pathOf(call));
    const opened = await this.#open(call.key.tenant, values);
    return values.map((value) => opened.get(value) ?? { reason: 'NOT_SEALED' });
  }

  /**
   * An answer as it is, or with its sealed texts opened where `?personal=open` asks for it. What does
   * not open stays as it is, and is named.
   * @throws Refusal 403 when the key may not, 503 when the vault or the log does not answer
   */
  async view<T extends object>(call: Call, view: T): Promise<T | (T & OpenedView)> {
    if (call.query.one('personal') === undefined) return view;
    const text = JSON.stringify(view);
    const values = sealedTexts(text);
    await this.#parts.recordAccess(call, 'OPENING', pathOf(call));
    const opened = await this.#open(call.key.tenant, values);
    const shown = JSON.parse(text, (_, value: unknown) => {
      const found = typeof value === 'string' ? opened.get(value) : undefined;
      return found !== undefined && 'text' in found ? found.text : value;
    }) as T;
    const notOpened = values.flatMap((value) => {
      const found = opened.get(value);
      return found !== undefined && 'reason' in found ? [{ value, reason: found.reason }] : [];
    });
    return { ...shown, personal: { opened: values.length - notOpened.length, notOpened } };
  }

  async #open(
    tenant: string,
    values: readonly string[],
  ): Promise<ReadonlyMap<string, OpenedValue>> {
    await orRefuse(this.#parts.erasedKnown());
    const keyIds = new Set(values.flatMap((value) => sealedParts(value)?.keyId ?? []));
    const keys = new Map<string, SubjectKey | undefined>();
    await Promise.all(
      Array.from(keyIds, async (keyId) => {
        keys.set(keyId, await orRefuse(this.#parts.vault.keyById(tenant, keyId)));
      }),
    );
    const erased = new Set(this.#parts.erasedKeys(tenant));
    const openOne = (value: string): OpenedValue => {
      const keyId = sealedParts(value)?.keyId;
      if (keyId === undefined) return { reason: 'NOT_SEALED' };
      if (erased.has(keyId)) return { reason: 'ERASED' };
      const key = keys.get(keyId);
      return key === undefined ? { reason: this.#whyNoKey(tenant) } : openWith(key, value);
    };
    return new Map(values.map((value) => [value, openOne(value)]));
  }

  #whyNoKey(tenant: string): NotOpened {
    const { vault, residencyOf } = this.#parts;
    return residencyOf(tenant).includes(vault.region) ? 'NO_SUCH_KEY' : 'NOT_HELD_HERE';
  }
}

function openWith(key: SubjectKey, value: string): OpenedValue {
  const opened = key.open(value);
  if (opened.ok) return { text: opened.text };
  return { reason: opened.reason === 'malformed' ? 'NOT_SEALED' : 'DAMAGED' };
}

/** @throws Refusal 400 when it is asked for something else, 403 when it asks to open and may not */
export function checkMayOpen({ key, query }: Call): void {
  const asked = query.one('personal');
  if (asked === undefined) return;
  oneOf('personal', asked, ['open']);
  if (allows(key, 'personal')) return;
  throw new Refusal(
    'forbidden',
    `personal=open needs a key of the scope personal; the key ${key.id} has ${key.scopes.join(', ')}.`,
  );
}

const pathOf = ({ request }: Call): string => request.url.split('?')[0] ?? '';
