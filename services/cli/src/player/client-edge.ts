import { parseRawEntry } from '../check/index.ts';
import type { ClockAnswer as ClientClock, EdgeClient } from '../http/client.ts';
import { parseEventPosition, writerOf } from '../http/position.ts';
import type { HomeView, Places, RegionEdge, SeenEvent } from './edge.ts';
import { PlayFault } from './patience.ts';

interface ClockDocument {
  readonly source: 'system' | 'driven';
  readonly now: number | null;
}

/** The region behind an edge, for the player. The client stays the caller's. */
export function clientEdge(client: EdgeClient): RegionEdge {
  return {
    publish: (requests) => client.publish(requests),
    async clock() {
      const { source, now } = await client.get<ClockDocument>('/v1/clock');
      return { driven: source === 'driven', now };
    },
    async advance({ at, rate, upTo }) {
      const answer =
        at === undefined
          ? await client.post<ClientClock>('/v1/clock', { rate, upTo })
          : await client.settle(at, rate, upTo);
      const { lastSequence = {}, nextDueMs } = answer;
      return { at: answer.at, nextDueMs, lastSequence };
    },
    async *events(after, { signal, onOpen }) {
      const streamed = client.stream({ from: fromOf(after) }, { signal, onOpen });
      for await (const { position, event } of streamed) {
        const place = parseEventPosition(position, writerOf(event));
        if (place === undefined) throw unreadable(`the event id ${position}`);
        yield { ...place, position, event: event as unknown as SeenEvent };
      }
    },
    async *log(stream, range = {}) {
      for await (const lines of client.log(stream, range)) {
        yield lines
          .filter((line) => line !== '')
          .map((line) => {
            const entry = parseRawEntry(line);
            if (typeof entry === 'string') throw unreadable(`a line of ${stream} (${entry})`);
            return entry;
          });
      }
    },
    async homes() {
      const { homes } = await client.get<{ readonly homes: readonly HomeView[] }>('/v1/regions');
      return homes;
    },
  };
}

/** Where a stream begins: of one region the sequence of its first entry, of several their places. */
function fromOf(after: Places | string): string {
  if (typeof after === 'string') return after;
  const places = Object.entries(after);
  const [only] = places;
  if (places.length === 1 && only !== undefined) return String(only[1] + 1);
  return places.map(([stream, sequence]) => `${stream}:${sequence}`).join(',');
}

function unreadable(what: string): PlayFault {
  return new PlayFault(
    `The edge sent ${what}, which cannot be read.\nCheck that it is of this version.`,
  );
}
