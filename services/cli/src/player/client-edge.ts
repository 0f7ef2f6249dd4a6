import { parseRawEntry } from '../check/index.ts';
import type { ClockAnswer as ClientClock, EdgeClient } from '../http/client.ts';
import { parseEventPosition, writerOf } from '../http/position.ts';
import type { PlayerEdge, SeenEvent } from './edge.ts';
import { PlayFault } from './patience.ts';

interface ClockDocument {
  readonly source: 'system' | 'driven';
  readonly now: number | null;
}

/** The region behind an edge, for the player. The client stays the caller's. */
export function clientEdge(client: EdgeClient): PlayerEdge {
  return {
    publish: (requests) => client.publish(requests),
    async clock() {
      const { source, now } = await client.get<ClockDocument>('/v1/clock');
      return { driven: source === 'driven', now };
    },
    async advance({ at, rate }) {
      const answer =
        at === undefined
          ? await client.post<ClientClock>('/v1/clock', { rate })
          : await client.settle(at, rate);
      const { lastSequence = {}, nextDueMs } = answer;
      return { at: answer.at, nextDueMs, lastSequence };
    },
    async *events(from, { signal, onOpen }) {
      const streamed = client.stream({ from: String(from) }, { signal, onOpen });
      for await (const { position, event } of streamed) {
        const place = parseEventPosition(position, writerOf(event));
        if (place === undefined) throw unreadable(`the event id ${position}`);
        yield { ...place, event: event as SeenEvent };
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
  };
}

function unreadable(what: string): PlayFault {
  return new PlayFault(
    `The edge sent ${what}, which cannot be read.\nCheck that it is of this version.`,
  );
}
