/** One way in which a text may be written in a file. */
export interface Needle {
  readonly bytes: Buffer;
  /** Such as `base64`. */
  readonly form: 'plain' | 'JSON' | 'base64' | 'base64url' | 'UTF-16';
  /** Which of the texts it is, from 0 on: the text itself is never told. */
  readonly text: number;
}

/** Texts shorter than this, in bytes, are found everywhere: they are not searched for. */
export const leastBytes = 4;
/** Of base64 the part that does not depend on what stands beside: shorter ones are found by chance. */
const leastBase64 = 6;

/**
 * The bytes as which texts may stand in files: as they are, as JSON writes them (also with every letter
 * beyond ASCII escaped), in UTF-16 (LE), and within base64 of anything, at each of the three places
 * in its groups.
 */
export function needlesOf(texts: readonly string[]): Needle[] {
  const found = new Map<string, Needle>();
  texts.forEach((text, index) => {
    for (const { bytes, form } of formsOf(text)) {
      const key = bytes.toString('latin1');
      if (bytes.length >= leastBytes && !found.has(key)) {
        found.set(key, { bytes, form, text: index });
      }
    }
  });
  return [...found.values()];
}

function formsOf(text: string): Pick<Needle, 'bytes' | 'form'>[] {
  const plain = Buffer.from(text);
  if (plain.length < leastBytes) return [];
  const json = JSON.stringify(text).slice(1, -1);
  const ascii = json.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [
    { bytes: plain, form: 'plain' },
    { bytes: Buffer.from(json), form: 'JSON' },
    { bytes: Buffer.from(ascii), form: 'JSON' },
    { bytes: Buffer.from(text, 'utf16le'), form: 'UTF-16' },
    ...withinBase64(plain),
  ];
}

function withinBase64(plain: Buffer): Pick<Needle, 'bytes' | 'form'>[] {
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), plain]).toString('base64url');
    // The first letters hold bits of what stands before, the last one of what comes after.
    const from = before === 0 ? 0 : before + 1;
    const whole = Math.floor(((before + plain.length) * 8) / 6);
    const inner = encoded.slice(from, whole);
    if (inner.length < leastBase64) return [];
    const standard = inner.replaceAll('-', '+').replaceAll('_', '/');
    return [
      { bytes: Buffer.from(standard), form: 'base64' as const },
      { bytes: Buffer.from(inner), form: 'base64url' as const },
    ];
  });
}
