const ZERO = 0x30;
const DOT = 0x2e;

/**
 * Where in the reply subject of a delivery its numbers start, which is after the consumer's name:
 * `…<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time in ns>.<pending>`.
 * Replies with and without a domain differ only before it.
 */
export function numbersAt(reply: string, consumer: string): number {
  return reply.indexOf(`.${consumer}.`) + consumer.length + 2;
}

/** The number written there; it ends early at a dot. */
export function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) break;
    value = value * 10 + (code - ZERO);
  }
  return value;
}
