/**
 * A sealed text: `sealed:1:<key id>:<base64url(nonce ‖ ciphertext ‖ tag)>`, the key id being 32
 * hexadecimal digits and nonce and tag 28 bytes, 38 characters, together.
 */
const form = 'sealed:1:([0-9a-f]{32}):([A-Za-z0-9_-]{38,})';
/** What a whole sealed text looks like, as a regular expression. */
export const sealedPattern = `^${form}$`;
const whole = new RegExp(sealedPattern);
const prefix = 'sealed:1:';
const headLength = prefix.length + 32 + 1;
const overheadBytes = 28;
/** The most bytes that one UTF-16 code unit takes in UTF-8. */
const bytesPerUnit = 3;

/** The parts of a sealed text. */
export interface SealedParts {
  readonly keyId: string;
  /** Nonce, ciphertext and tag in base64url. */
  readonly body: string;
}

/** Takes a sealed text apart; undefined when the text has not the form of one. */
export function sealedParts(text: string): SealedParts | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const [, keyId, body] = whole.exec(text) ?? [];
  return keyId === undefined || body === undefined ? undefined : { keyId, body };
}

/** Whether a text has the form of a sealed one. Whether it opens is known to its key alone. */
export function isSealed(text: string): boolean {
  return sealedParts(text) !== undefined;
}

/** The sealed texts within a text, such as the JSON of an event, each once, in their order. */
export function sealedTexts(text: string): string[] {
  if (!text.includes(prefix)) return [];
  return [...new Set(text.match(new RegExp(form, 'g')))];
}

/** How long the sealed form of a text of so many characters is at most. */
export function sealedLength(characters: number): number {
  return headLength + Math.ceil(((characters * bytesPerUnit + overheadBytes) * 4) / 3);
}
