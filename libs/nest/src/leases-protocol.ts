import { z } from 'zod';

/** What a process of a region asks of its recovery: may I decide, and for which homes? */
export interface LeaseAsk {
  readonly instance: string;
  /** Counts this instance's asks, from 1. */
  readonly nonce: number;
  /** The id of the last answer this instance has acted on; empty for none. It takes no older one. */
  readonly heard: string;
  /** The homes it decides for at this moment, appends under way included, and their epochs. */
  readonly deciding: Readonly<Record<string, number>>;
}

/** What recovery answers. */
export interface LeaseAnswer {
  /** Another one for each answer, also when one ask is answered twice. */
  readonly id: string;
  /** Of the ask. */
  readonly nonce: number;
  /** Whether the way in is open: the region's streams were compared with the peers' copies. */
  readonly intake: boolean;
  /** The homes granted, for `forMs` from the moment the ask was sent. All others are not. */
  readonly homes: Readonly<Record<string, { readonly epoch: number; readonly forMs: number }>>;
}

/** How often a process asks, in ms. */
export const leaseAskEveryMs = 250;

/** Where an instance asks; `*` as the instance to hear all of a region. */
export const leaseAskSubject = (region: string, instance: string): string =>
  `beat.${region}.lease.ask.${instance}`;

/** Where an instance is answered. */
export const leaseGrantSubject = (region: string, instance: string): string =>
  `beat.${region}.lease.grant.${instance}`;

const wholeNumber = z.number().int().min(0);
const askSchema = z.object({
  instance: z.string().regex(/^[\w-]+$/),
  nonce: wholeNumber,
  heard: z.string(),
  deciding: z.record(z.string(), wholeNumber),
});
const answerSchema = z.object({
  id: z.string(),
  nonce: wholeNumber,
  intake: z.boolean(),
  homes: z.record(z.string(), z.object({ epoch: wholeNumber, forMs: z.number().min(0) })),
});

/** Reads an ask; undefined when the text is none. */
export function parseLeaseAsk(text: string): LeaseAsk | undefined {
  return parse(askSchema, text);
}

/** Reads an answer; undefined when the text is none. */
export function parseLeaseAnswer(text: string): LeaseAnswer | undefined {
  return parse(answerSchema, text);
}

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}
