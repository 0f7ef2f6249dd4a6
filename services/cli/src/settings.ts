import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { usageFault } from './fault.ts';
import type { Io } from './io.ts';

/** Where the edge is and who asks. */
export interface Settings {
  readonly url: string;
  readonly key: string | undefined;
}

/** What `.meridian/current.json` says of what runs here. */
interface Current extends Partial<Settings> {
  readonly regions?: Readonly<Record<string, Partial<Settings>>>;
}

const defaultUrl = 'http://127.0.0.1:8080';
const currentFile = join('.meridian', 'current.json');

/**
 * The edge to talk to: by option, else by MERIDIAN_URL and MERIDIAN_KEY, else as the running region
 * of the checkout says in `.meridian/current.json`, else this machine's port 8080 without a key.
 * A URL given by hand is not paired with the key of the checkout. With a region, it is that region's
 * edge of the checkout.
 * @throws CommandFault (usage) when the URL is none, or the file cannot be read
 */
export function resolveSettings(
  given: { readonly url?: string; readonly key?: string; readonly region?: string },
  { env, folder }: Pick<Io, 'env' | 'folder'>,
): Settings {
  const url = given.url ?? notEmpty(env['MERIDIAN_URL']);
  const key = given.key ?? notEmpty(env['MERIDIAN_KEY']);
  if (given.region !== undefined && given.url !== undefined) {
    throw usageFault('--region and --url both name an edge: give one of them.');
  }
  if (given.region === undefined && url !== undefined) return { url: checkUrl(url), key };
  const current = readCurrent(folder) ?? readCurrent(import.meta.dirname);
  const chosen = given.region === undefined ? current : edgeOf(given.region, current);
  return { url: checkUrl(chosen?.url ?? defaultUrl), key: key ?? chosen?.key ?? current?.key };
}

/** The edges of all regions that run in the checkout, by name; none without a checkout. */
export function checkoutEdges(io: Pick<Io, 'folder'>): Settings[] {
  return [...checkoutRegions(io)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, settings]) => settings);
}

/** The regions that run in the checkout, in the order they were started in; none without a checkout. */
export function checkoutRegions({ folder }: Pick<Io, 'folder'>): Map<string, Settings> {
  const current = readCurrent(folder) ?? readCurrent(import.meta.dirname);
  return new Map(
    Object.entries(current?.regions ?? {}).flatMap(([region, { url, key }]) =>
      url === undefined ? [] : [[region, { url: checkUrl(url), key }] as const],
    ),
  );
}

function edgeOf(region: string, current: Current | undefined): Partial<Settings> {
  const edge = current?.regions?.[region];
  if (edge?.url !== undefined) return edge;
  const known = Object.keys(current?.regions ?? {});
  throw usageFault(
    `--region is ${JSON.stringify(region)}; ` +
      (known.length === 0
        ? 'no regions run in this checkout.\nStart them with scripts/up, or give --url and --key.'
        : `those that run in this checkout are ${known.join(', ')}.`),
  );
}

const notEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function checkUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return url;
  throw usageFault(
    `The URL of the edge is ${JSON.stringify(url)}.\nGive one such as ${defaultUrl}.`,
  );
}

/** `{ "url", "key", "regions" }` of the nearest checkout, from the folder upwards; undefined without one. */
function readCurrent(from: string): Current | undefined {
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

function parseCurrent(path: string, text: string): Current {
  try {
    return JSON.parse(text) as Current;
  } catch (error) {
    throw usageFault(
      `${path} is no JSON (${(error as Error).message}).\nStart the region again, or give --url and --key.`,
    );
  }
}
