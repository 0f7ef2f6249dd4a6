import { toTimestamp, type Rejection } from '@meridian/core';
import { MessageTooLarge, WrongLastSequence, type Log, type LogMessage } from '@meridian/journal';
import { asideStream, contractOf, holdsPersonal, isSealed, replacePersonal } from '@meridian/wire';
import type { AsideItem, AsideReason, AsideRecord, AsideStatus } from './aside-record.ts';

export interface AsideStoreOptions {
  readonly log: Log;
  readonly region: string;
  readonly service: string;
  /** The clock that dates the records, in epoch ms. */
  readonly now: () => number;
}

/** What is told of a message besides itself. */
export interface Handling {
  /** The name of the handler that got it. */
  readonly handler: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** The request that it be tried again, when that is why it was handled. */
  readonly asked?: AsideItem;
}

/** What one service could not process, in `ASIDE_<region>`. The last record on a subject counts. */
export class AsideStore {
  readonly #options: AsideStoreOptions;

  constructor(options: AsideStoreOptions) {
    this.#options = options;
  }

  /**
   * Keeps that the decider said no. A message that has a record already gets no second one.
   * @throws LogFault when the record cannot be stored
   */
  rejected(message: LogMessage, rejection: Rejection, handling: Handling): Promise<void> {
    const detail = `The decider refused it: ${rejection.code}.`;
    return this.#put(
      message,
      'rejected',
      { code: rejection.code, detail, facts: rejection.facts },
      handling,
    );
  }

  /** Keeps that it could not be handled. Otherwise as `rejected`. */
  failed(message: LogMessage, reason: AsideReason, handling: Handling): Promise<void> {
    return this.#put(message, 'failed', reason, handling);
  }

  /** Keeps that a message set aside has now been handled, as was asked. */
  resolved(message: LogMessage, handling: Handling & { readonly asked: AsideItem }): Promise<void> {
    return this.#put(message, 'resolved', handling.asked.reason, handling);
  }

  /** Keeps that a message set aside could not be tried again as was asked. */
  async notTried(asked: AsideItem, reason: AsideReason): Promise<void> {
    const { log, region, now } = this.#options;
    const { id, position, ...record } = asked;
    try {
      await appendRecord(
        log,
        region,
        id,
        { ...record, status: 'failed', reason, at: toTimestamp(now()) },
        position,
      );
    } catch (error) {
      if (!(error instanceof WrongLastSequence)) throw error;
    }
  }

  async #put(
    message: LogMessage,
    status: AsideStatus,
    reason: AsideReason,
    handling: Handling,
  ): Promise<void> {
    const { log, region, service, now } = this.#options;
    const { handler, attempts, asked } = handling;
    const event = withoutPersonal(parsed(message));
    const record: AsideRecord = {
      status,
      service,
      stream: message.stream,
      sequence: message.sequence,
      subject: message.subject,
      reason,
      attempts: attempts + (asked?.attempts ?? 0),
      handler,
      ...(event === undefined ? {} : { event }),
      at: toTimestamp(now()),
    };
    const id = `${service}.${message.stream}.${message.sequence}`;
    try {
      await appendRecord(log, region, id, record, asked?.position ?? 0);
    } catch (error) {
      // Redelivered, or somebody was first: what is kept already counts.
      if (!(error instanceof WrongLastSequence)) throw error;
    }
  }
}

function parsed(message: LogMessage): unknown {
  try {
    return JSON.parse(message.text());
  } catch {
    return undefined;
  }
}

/** Personal texts in the clear are not kept a second time: what was published past the edge may hold them. */
function withoutPersonal(event: unknown): unknown {
  const { type, data, ...rest } = Object(event) as { readonly type?: unknown; data?: unknown };
  const contract = typeof type === 'string' ? contractOf(type) : undefined;
  if (contract === undefined || !holdsPersonal(contract)) return event;
  try {
    const hidden = replacePersonal(contract, data, (text) =>
      text === '' || isSealed(text) ? text : '(personal)',
    );
    return { ...rest, type, data: hidden };
  } catch {
    // The data is not as its contract has it: where something personal is in it, nobody knows.
    return { ...rest, type };
  }
}

async function appendRecord(
  log: Log,
  region: string,
  id: string,
  record: AsideRecord,
  expectedLastSequence: number,
): Promise<number> {
  const message = { subject: `aside.${region}.${id}`, expectedLastSequence };
  try {
    const { sequence } = await log.append(asideStream(region), {
      ...message,
      data: JSON.stringify(record),
    });
    return sequence;
  } catch (error) {
    if (!(error instanceof MessageTooLarge) || record.event === undefined) throw error;
    const { event: _, ...rest } = record;
    const { sequence } = await log.append(asideStream(region), {
      ...message,
      data: JSON.stringify(rest),
    });
    return sequence;
  }
}

/** Reads a message of `ASIDE_<region>`; undefined when it is no record. */
export function readAsideItem(message: LogMessage): AsideItem | undefined {
  const record = parsed(message) as AsideRecord | undefined;
  if (record === undefined || record === null || typeof record.status !== 'string') {
    return undefined;
  }
  const id = message.subject.split('.').slice(2).join('.');
  return { ...record, id, position: message.sequence };
}

export interface AsideQuery {
  readonly status?: AsideStatus;
  readonly service?: string;
  /** Goes on after this position, an earlier page's `next`. */
  readonly after?: number;
  /** How many items a page has at most; default 100. */
  readonly limit?: number;
}

export interface AsidePage {
  readonly items: readonly AsideItem[];
  /** Where the next page goes on; undefined after the last. */
  readonly next?: number;
}

const pageLimitDefault = 100;

/**
 * What is set aside in a region, each by its present state, in the order in which it came to that
 * state. Costs a reading of the stream after `after`.
 */
export async function listAside(
  log: Log,
  region: string,
  query: AsideQuery = {},
): Promise<AsidePage> {
  const { status, service, after = 0, limit = pageLimitDefault } = query;
  const filters = [`aside.${region}.${service ?? '*'}.>`];
  const present = new Map<string, AsideItem>();
  for await (const batch of log.replayBatches(asideStream(region), { from: after + 1, filters })) {
    for (const message of batch) {
      const item = readAsideItem(message);
      if (item === undefined) continue;
      // Deleted first, so that the map stays in the order of the last records.
      present.delete(item.id);
      present.set(item.id, item);
    }
  }
  const items: AsideItem[] = [];
  for (const item of present.values()) {
    if (status !== undefined && item.status !== status) continue;
    if (items.length === limit) return { items, next: items.at(-1)?.position ?? after };
    items.push(item);
  }
  return { items };
}

const idPattern = /^[\w-]+\.[\w-]+\.\d+$/;

/** The present state of one message set aside, by its id; undefined when there is none. */
export async function readAside(
  log: Log,
  region: string,
  id: string,
): Promise<AsideItem | undefined> {
  if (!idPattern.test(id)) return undefined;
  const messages = await log.load(asideStream(region), `aside.${region}.${id}`);
  const last = messages.at(-1);
  return last === undefined ? undefined : readAsideItem(last);
}

/**
 * Asks the service to try a message again that is rejected or failed.
 * @returns the state now, `retry_requested` unless it is resolved already; undefined when unknown
 */
export async function requestRetry(
  log: Log,
  region: string,
  id: string,
  nowMs: number,
): Promise<AsideItem | undefined> {
  for (;;) {
    const item = await readAside(log, region, id);
    if (item === undefined || item.status === 'retry_requested' || item.status === 'resolved') {
      return item;
    }
    const { id: _id, position, ...record } = item;
    const asked: AsideRecord = { ...record, status: 'retry_requested', at: toTimestamp(nowMs) };
    try {
      return { ...asked, id, position: await appendRecord(log, region, id, asked, position) };
    } catch (error) {
      if (!(error instanceof WrongLastSequence)) throw error;
    }
  }
}
