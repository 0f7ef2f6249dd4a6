import { accessId } from '@meridian/privacy';
import type { AccessKind } from '@meridian/wire';
import { Refusal } from '../domain/problem.ts';
import type { Call, Parameters } from '../http/route.ts';
import { storePrivacyRequest, type Storing } from './store-request.ts';

export interface AccessBookOptions extends Storing {
  readonly monotonicMs: () => number;
}

/** The header that says why somebody looks. */
export const reasonHeader = 'meridian-reason';
/** For so long the same key is known to look for the same reason, in ms. */
const coalesceMs = 60_000;
const rememberedLimit = 10_000;
const whatLimit = 300;
const reasonLimit = 1_000;
const encodedPrefix = "utf-8''";

/** For the documents of the routes that record who looks. */
export const reasonHeaders: Parameters = {
  'Meridian-Reason': {
    description:
      'Why you look, for the record: the access is an event of your tenant, once a minute for a key, kind and reason',
    schema: { type: 'string', maxLength: reasonLimit },
    example: 'complaint 12',
  },
};

/** Records who looks into the audit, before they see it: once a minute for a key, kind and reason. */
export class AccessBook {
  readonly #options: AccessBookOptions;
  readonly #recorded = new Map<
    string,
    { readonly atMs: number; readonly stored: Promise<unknown> }
  >();

  constructor(options: AccessBookOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it is on the log.
   * @param what what is asked for, such as a path: never an identity
   * @throws Refusal 400 when the reason cannot be kept; 503 when the log does not answer
   */
  async record(
    { key, request }: Pick<Call, 'key' | 'request'>,
    kind: AccessKind,
    what: string,
  ): Promise<void> {
    const reason = readReason(request.headers[reasonHeader]);
    const name = JSON.stringify([key.tenant, key.id, kind, reason]);
    const nowMs = this.#options.monotonicMs();
    const known = this.#recorded.get(name);
    if (known !== undefined && nowMs < known.atMs + coalesceMs) {
      await known.stored;
      return;
    }
    const { region, now } = this.#options;
    const stored = storePrivacyRequest(
      this.#options,
      { key },
      {
        type: 'meridian.privacy.record_access.v1',
        subject: accessId(Date.parse(now())),
        data: {
          kind,
          what: what.slice(0, whatLimit),
          ...(reason === undefined ? {} : { reason }),
          region,
        },
      },
    );
    this.#recorded.delete(name);
    this.#recorded.set(name, { atMs: nowMs, stored });
    // What was not stored is stored at the next look.
    stored.catch(() => this.#recorded.delete(name));
    const [oldest] = this.#recorded.keys();
    if (this.#recorded.size > rememberedLimit && oldest !== undefined) {
      this.#recorded.delete(oldest);
    }
    await stored;
  }
}

/** Printable ASCII as it is, or as RFC 8187 writes other texts: `utf-8''` and percent-encoded. */
function readReason(given: string | readonly string[] | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  const reason = typeof given === 'string' ? decoded(given) : undefined;
  if (reason !== undefined && reason.length <= reasonLimit) return reason;
  throw new Refusal(
    'bad-request',
    `The header Meridian-Reason must be given once, with at most ${reasonLimit} characters; ` +
      "other than ASCII as utf-8'' and percent-encoded.",
  );
}

function decoded(text: string): string | undefined {
  if (!text.toLowerCase().startsWith(encodedPrefix)) return text;
  try {
    return decodeURIComponent(text.slice(encodedPrefix.length));
  } catch {
    return undefined;
  }
}
