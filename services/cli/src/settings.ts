import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usageFault } from './fault.ts';
import type { Io } from './io.ts';

/** Where the edge is and who asks. */
export interface Settings {
  readonly url: string;
  readonly key: string | undefined;
}

const defaultUrl = 'http://127.0.0.1:8080';
const currentFile = join('.meridian', 'current.json');

/**
 * The edge to talk to: by option, else by MERIDIAN_URL and MERIDIAN_KEY, else as the running region
 * of the checkout says in `.meridian/current.json`, else this machine's port 8080 without a key.
 * A URL given by hand is not paired with the key of the checkout.
 * @throws CommandFault (usage) when the URL is none, or the file cannot be read
 */
export function resolveSettings(
  given: { readonly url?: string; readonly key?: string },
  { env, folder }: Pick<Io, 'env' | 'folder'>,
): Settings {
  const url = given.url ?? notEmpty(env['MERIDIAN_URL']);
  const key = given.key ?? notEmpty(env['MERIDIAN_KEY']);
  if (url !== undefined) return { url: checkUrl(url), key };
  const current = readCurrent(folder) ?? readCurrent(import.meta.dirname);
  return { url: checkUrl(current?.url ?? defaultUrl), key: key ?? current?.key };
}

const notEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return url;
  throw usageFault(
    `The URL of the edge is ${JSON.stringify(url)}.\nGive one such as ${defaultUrl}.`,
  );
}

/** `{ "url", "key" }` of the nearest checkout, from the folder upwards; undefined without one. */
function readCurrent(from: string): Partial<Settings> | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, currentFile);
    let text: string | undefined;
    try {
      text = readFileSync(path, 'utf8');
    } catch {
      if (folder === dirname(folder)) return undefined;
    }
    if (text !== undefined) return parseCurrent(path, text);
  }
}

function parseCurrent(path: string, text: string): Partial<Settings> {
  try {
    return JSON.parse(text) as Partial<Settings>;
  } catch (error) {
    throw usageFault(
      `${path} is no JSON (${(error as Error).message}).\nStart the region again, or give --url and --key.`,
    );
  }
}
