import {
  checkMesh,
  compareCopies,
  type CopiesResult,
  type LogCheckResult,
  type MeshCheckOptions,
  type Source,
} from '../check/index.ts';
import { EdgeRefusal, usageFault } from '../fault.ts';
import { EdgeClient } from '../http/client.ts';
import { checkoutEdges } from '../settings.ts';
import { listOption, textOption, type Context, type Options } from './command.ts';
import { fileLines, Progress } from './log-lines.ts';

/** The regions whose streams the edge holds, its own first; just that one where there is no mesh. */
export async function regionsOf(client: EdgeClient): Promise<readonly string[]> {
  try {
    const { region, regions } = await client.get<{
      region: string;
      regions: readonly { readonly region: string }[];
    }>('/v1/regions');
    const others = regions.map((one) => one.region).filter((one) => one !== region);
    return [region, ...others.toSorted()];
  } catch (error) {
    if (error instanceof EdgeRefusal && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}

/** The streams of decisions of all regions, as one edge holds them. */
export function edgeSources(client: EdgeClient, regions: readonly string[]): Source[] {
  return regions.map((region) => ({
    stream: `EV_${region}`,
    grows: true,
    async *read({ after, to }) {
      // An edge gives no empty range, and a stream may have nothing yet.
      if (to !== undefined && to <= after) return;
      const range = { from: after + 1, ...(to === undefined ? {} : { to }) };
      yield* client.log(`EV_${region}`, range);
    },
  }));
}

/** Exports of several streams, each file one of them. */
export function fileSources(context: Context, files: readonly string[]): Source[] {
  if (files.includes('-')) {
    throw usageFault('Several streams are read twice: --file takes - only alone.');
  }
  return files.map((file) => ({
    stream: file,
    grows: false,
    read: () => fileLines(context, file),
  }));
}

/** Checks the streams of a mesh together. */
export async function checkSources(
  context: Context,
  sources: readonly Source[],
  options: MeshCheckOptions,
): Promise<LogCheckResult> {
  const progress = new Progress(context, 'entries checked');
  try {
    return await checkMesh(sources, options, (count) => progress.show(count));
  } finally {
    progress.clear();
  }
}

/** Adds what the intakes of all regions hold, where the key may read them. */
export async function addIntakes(
  client: EdgeClient,
  regions: readonly string[],
  add: (lines: AsyncIterable<string[]>) => Promise<void>,
): Promise<boolean> {
  try {
    for (const region of regions) await add(client.log(`IN_${region}`));
    return true;
  } catch (error) {
    if (error instanceof EdgeRefusal && (error.status === 403 || error.status === 404)) {
      return false;
    }
    throw error;
  }
}

/**
 * Compares every stream in every region, each read at that region's own edge.
 * @throws CommandFault (usage) when fewer than two edges are known
 */
export async function compareEdges(
  { io }: Context,
  options: Options,
  limit: number,
): Promise<CopiesResult[]> {
  const key = textOption(options, 'key') ?? io.env['MERIDIAN_KEY'];
  const named = listOption(options, 'edges')?.map((url) => ({ url, key }));
  const edges = named ?? checkoutEdges(io);
  if (edges.length < 2) {
    throw usageFault(
      `--copies compares what several regions hold; ${edges.length} edges are known.\n` +
        'Give them with --edges URL,URL or start them with scripts/up.',
    );
  }
  const clients = edges.map(
    (edge) =>
      new EdgeClient({ url: edge.url, ...(edge.key === undefined ? {} : { key: edge.key }) }),
  );
  try {
    const holders: { region: string; client: EdgeClient }[] = [];
    for (const client of clients) {
      const [region] = await regionsOf(client);
      if (region === undefined) throw usageFault(`${client.url} belongs to no mesh of regions.`);
      holders.push({ region, client });
    }
    const results: CopiesResult[] = [];
    for (const origin of holders) {
      for (const stream of [`IN_${origin.region}`, `EV_${origin.region}`]) {
        const copies = holders.map(({ region, client }) => ({
          region,
          read: () => client.log(stream),
        }));
        results.push(await compareCopies(stream, copies, limit));
      }
    }
    return results;
  } finally {
    for (const client of clients) client.close();
  }
}
