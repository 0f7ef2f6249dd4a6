import type { CopiedMessage } from '../src/copies/copied-message.ts';

/** A message as a copy would hold it. */
export const copied = (sequence: number, over: Partial<CopiedMessage> = {}): CopiedMessage => ({
  sequence,
  subject: `ev.eu.eu.demo.contact.c${sequence % 7}`,
  storedAt: new Date(1_767_254_400_000 + sequence).toISOString(),
  headers: [['Nats-Msg-Id', `m${sequence}`]],
  data: new TextEncoder().encode(`{"n":${sequence}}`),
  ...over,
});

export const copiedRange = (from: number, to: number): Map<number, CopiedMessage> =>
  new Map(
    Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => [
      from + index,
      copied(from + index),
    ]),
  );
