import { EdgeClient } from '../http/client.ts';
import { checkoutEdges } from '../settings.ts';
import { listOption, textOption, type Context, type Options } from './command.ts';

/** An edge that is away is not waited for longer, in ms. */
const otherEdgeMs = 5_000;

/** An edge, and the region that it says it is of. */
export interface Edge {
  readonly region: string;
  readonly client: EdgeClient;
}

/** The edges that answer, and those that do not: what a region holds only itself can say. */
export interface Edges {
  /** That of the command first. */
  readonly there: readonly Edge[];
  /** What was wrong with each other one, and which regions were not asked, a sentence each. */
  readonly away: readonly string[];
  close(): void;
}

/**
 * The edges of all regions: that of the command, and those of `--edges`, else of the checkout.
 * @throws EdgeRefusal, EdgeUnreachable when the command's own edge does not answer
 */
export async function openEdges(context: Context, options: Options): Promise<Edges> {
  const { client, io } = context;
  const key = textOption(options, 'key') ?? io.env['MERIDIAN_KEY'];
  const reason = textOption(options, 'reason');
  const own = await client.get<{ region: string; regions: { region: string }[] }>('/v1/regions');
  const isOne = textOption(options, 'url') !== undefined || (io.env['MERIDIAN_URL'] ?? '') !== '';
  const given =
    listOption(options, 'edges')?.map((url) => ({ url, key })) ?? (isOne ? [] : checkoutEdges(io));
  const there: Edge[] = [{ region: own.region, client }];
  const away: string[] = [];
  const opened: EdgeClient[] = [];
  for (const edge of given) {
    const other = new EdgeClient({
      url: edge.url,
      timeoutMs: otherEdgeMs,
      ...(edge.key === undefined ? {} : { key: edge.key }),
      ...(reason === undefined ? {} : { reason }),
    });
    opened.push(other);
    try {
      const { region } = await other.get<{ region: string }>('/v1/regions');
      if (!there.some((one) => one.region === region)) there.push({ region, client: other });
    } catch (error) {
      away.push((error as Error).message.split('\n')[0] ?? '');
    }
  }
  for (const { region } of own.regions) {
    if (there.some((one) => one.region === region)) continue;
    away.push(`${region}: name its edge with --edges; what only it holds is not known.`);
  }
  return {
    there,
    away,
    close: () => {
      for (const one of opened) one.close();
    },
  };
}
