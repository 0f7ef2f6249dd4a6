/** What a nats-server configuration is made of. */
export type Setting =
  | string
  | number
  | boolean
  | Bare
  | readonly Setting[]
  | { readonly [key: string]: Setting | undefined };

/** A word without quotes: a size such as 1GB, or the variable `$NAME`. */
export class Bare {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const longestLine = 100;

/** A whole configuration, one setting a line where it does not fit one. */
export function natsText(settings: { readonly [key: string]: Setting | undefined }): string {
  return `${fields(settings, '').join('\n')}\n`;
}

function fields(settings: object, indent: string): string[] {
  return Object.entries(settings as Record<string, Setting | undefined>)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const isBlock = typeof value === 'object' && !(value instanceof Bare);
      const separator = isBlock && !Array.isArray(value) ? ' ' : ': ';
      return `${indent}${key}${separator}${render(value as Setting, indent, key.length + 2)}`;
    });
}

function render(value: Setting, indent: string, before: number): string {
  if (value instanceof Bare) return value.text;
  if (typeof value !== 'object') return JSON.stringify(value);
  const oneLine = inline(value);
  if (indent.length + before + oneLine.length <= longestLine) return oneLine;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items = (value as readonly Setting[]).map(
      (item) => `${deeper}${render(item, deeper, 0)}`,
    );
    return `[\n${items.join('\n')}\n${indent}]`;
  }
  return `{\n${fields(value, deeper).join('\n')}\n${indent}}`;
}

function inline(value: Setting): string {
  if (value instanceof Bare) return value.text;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Setting[]).map(inline).join(', ')}]`;
  const parts = Object.entries(value as Record<string, Setting | undefined>)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${key}: ${inline(item as Setting)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}
