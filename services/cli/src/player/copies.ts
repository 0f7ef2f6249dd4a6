import { compareCopies, type Copy } from '../check/index.ts';
import type { LostMessage } from '../receipt/index.ts';
import type { Places } from './edge.ts';
import type { MeshEdge } from './mesh-edge.ts';
import type { Acknowledgement } from './outbox.ts';
import { ownStreams } from './region-streams.ts';

/** What became of the regions' copies of all streams. */
export interface CopiesFound {
  /** Acknowledged, and not held in the end by every region that is there. */
  readonly lost: readonly LostMessage[];
  /** Copies that are not what the stream's own region holds: `EV_eu in us`. */
  readonly differing: readonly string[];
}

type Mesh = Pick<MeshEdge, 'living' | 'copyOf'>;

/** The durability of a request that asks for none. */
const durability = 'region';

/**
 * Reads every stream at every region that is there, compares the copies entry by entry, and looks
 * in each for what was acknowledged.
 * @param ends up to where all held the streams when they rested
 */
export async function inspectCopies(
  mesh: Mesh,
  acknowledged: readonly Acknowledgement[],
  ends: Places,
): Promise<CopiesFound> {
  const wanted = Map.groupBy(acknowledged, ({ stream }) => stream);
  const lost: LostMessage[] = [];
  const differing = new Set<string>();
  for (const stream of mesh.living.flatMap(ownStreams)) {
    const to = ends[stream] ?? 0;
    if (to === 0) continue;
    const held = new Map<string, Set<string>>();
    const copies = mesh.living.map((region) => {
      const ids = new Set<string>();
      held.set(region, ids);
      return copyOf(mesh, { stream, region, to, note: (id) => ids.add(id) });
    });
    const { behind, violations } = await compareCopies(stream, copies);
    for (const { found } of violations) differing.add(`${stream} ${found.split(':')[0]}`);
    for (const [region, entries] of Object.entries(behind)) {
      if (entries > 0) differing.add(`${stream} in ${region}`);
    }
    for (const { sequence, id } of wanted.get(stream) ?? []) {
      const isHeld = [...held.values()].every((ids) => ids.has(`${sequence} ${id}`));
      if (!isHeld) lost.push({ durability, stream, sequence });
    }
  }
  return { lost, differing: [...differing] };
}

function copyOf(
  mesh: Mesh,
  {
    stream,
    region,
    to,
    note,
  }: {
    readonly stream: string;
    readonly region: string;
    readonly to: number;
    /** Told `<sequence> <id>` of each request in an intake. */
    readonly note: (place: string) => void;
  },
): Copy {
  const isIntake = stream.startsWith('IN_');
  return {
    region,
    async *read() {
      for await (const entries of mesh.copyOf(stream, region, { to })) {
        if (isIntake) {
          for (const { sequence, data } of entries) {
            note(`${sequence} ${String((JSON.parse(data) as { id?: unknown }).id)}`);
          }
        }
        yield entries;
      }
    },
  };
}
