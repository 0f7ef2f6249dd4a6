import { status } from '@grpc/grpc-js';
import { CallRefused } from '../faults.ts';
import { categoryNameOf, type NamedStream } from '../names.ts';
import type { ReadResp, WireRecord } from '../protocol/messages.ts';
import { uuidOf, writeUuid } from '../protocol/uuid.ts';
import type { Recorded } from '../recorded.ts';
import type { SealedContent } from '../writing/sealed-content.ts';

/** As much of a streaming call as writing takes. */
export interface Writable<T> {
  /** @returns false when the client is behind: then `drain` comes */
  write(value: T): boolean;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

export interface SinkOptions {
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** How long a client may take nothing before it is let go, in ms; for ever when absent. */
  readonly stallLimitMs?: number;
}

/** Writes to a client no faster than it takes. */
export class Sink<T> {
  readonly #call: Writable<T>;
  readonly #options: SinkOptions;

  constructor(call: Writable<T>, options: SinkOptions) {
    this.#call = call;
    this.#options = options;
  }

  /** @throws CallRefused when the client took nothing for too long; returns when it has gone */
  async write(value: T): Promise<void> {
    if (this.#options.signal.aborted || this.#call.write(value)) return;
    await this.#drained();
  }

  #drained(): Promise<void> {
    const { signal, stallLimitMs } = this.#options;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(stalled);
        this.#call.off('drain', end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const stall = (): void => {
        const what = `Nothing of this read was taken for ${stallLimitMs} ms: it is ended.`;
        reject(new CallRefused(status.DEADLINE_EXCEEDED, what));
        end();
      };
      const stalled =
        stallLimitMs === undefined ? undefined : setTimeout(stall, stallLimitMs).unref();
      this.#call.once('drain', end);
      signal.addEventListener('abort', end);
    });
  }
}

/** How events are written for one call. */
export interface Presentation {
  readonly structuredIds: boolean;
  /** The category that is read, if one is. */
  readonly category?: Extract<NamedStream, { kind: 'category' }>;
  readonly viewer: string;
  readonly resolveLinks: boolean;
  /** What the viewer gets of a sealed event. */
  readonly sealing: Pick<SealedContent, 'open'>;
}

const ticksOf = (ms: number): string => `${Math.trunc(ms)}0000`;

function recordOf(event: Recorded, structured: boolean): WireRecord {
  return {
    id: writeUuid(event.id, structured),
    streamIdentifier: { streamName: Buffer.from(event.stream) },
    streamRevision: event.revision,
    preparePosition: event.position,
    commitPosition: event.position,
    metadata: {
      type: event.type,
      'content-type': event.isJson ? 'application/json' : 'application/octet-stream',
      // In steps of 100 ns since 1970.
      created: ticksOf(event.createdMs),
    },
    customMetadata: event.metadata,
    data: event.data,
  };
}

/**
 * A category is a stream of links: the revision of a link is the position of the event it leads to,
 * which grows as the stream does and needs no counting.
 */
function linkTo(event: Recorded, name: string): Recorded {
  return {
    stream: name,
    revision: event.position,
    position: event.position,
    id: uuidOf(`${name}#${event.position}`),
    type: '$>',
    createdMs: event.createdMs,
    isJson: false,
    data: Buffer.from(`${event.revision}@${event.stream}`),
    metadata: new Uint8Array(),
  };
}

/** Writes one event as an answer to a read, opened where it is sealed and the viewer's own. */
export async function send(
  sink: Sink<ReadResp>,
  event: Recorded,
  presentation: Presentation,
): Promise<void> {
  const shown = presentation.sealing.open(event, presentation.viewer);
  await sink.write(answerOf(shown instanceof Promise ? await shown : shown, presentation));
}

function answerOf(event: Recorded, presentation: Presentation): ReadResp {
  const { structuredIds, category, viewer, resolveLinks } = presentation;
  const commitPosition = event.position;
  if (category === undefined) {
    return { event: { event: recordOf(event, structuredIds), commitPosition } };
  }
  const name = categoryNameOf(viewer, category.tenant, category.entity);
  const link = recordOf(linkTo(event, name), structuredIds);
  return resolveLinks
    ? { event: { event: recordOf(event, structuredIds), link, commitPosition } }
    : { event: { event: link, commitPosition } };
}
