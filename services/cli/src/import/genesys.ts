import { momentOf, objectOf, Reading, textOf, type Channel, type History } from './history.ts';

/**
 * Analytics detail events of Genesys Cloud, topics `v2.detail.events.conversation.{id}.<what>`, as
 * EventBridge or a notification channel delivers them: `topicName` and `eventBody` with `eventTime`,
 * `conversationId` and the fields that the platform API documents for each type.
 */
export function readGenesys(records: Iterable<Readonly<Record<string, unknown>>>): History {
  const reading = new Reading();
  const conversations: Conversations = { begun: new Set(), queued: new Set(), ended: new Set() };
  const all: Detail[] = [];
  let number = 0;
  for (const record of records) {
    number += 1;
    reading.record(`event ${number}`);
    const detail = detailOf(record);
    if (detail === undefined) reading.leave('a record that is no detail event of a conversation');
    else all.push({ ...detail, where: `event ${number}` });
  }
  const dispositions = new Map<string, string>();
  for (const { what, contact, body } of all) {
    const code = textOf(body, 'wrapupCode');
    if (what === 'wrapup' && code !== undefined) dispositions.set(contact, code.slice(0, 64));
  }
  const filed = new Set(all.filter(({ what }) => what === 'acw').map(({ contact }) => contact));
  for (const detail of all.toSorted((a, b) => a.atMs - b.atMs)) {
    reading.at(detail.where);
    if (detail.what === 'wrapup' && !filed.has(detail.contact)) reading.leave('wrapup without acw');
    readDetail(reading, conversations, dispositions, detail);
  }
  return reading.history();
}

interface Detail {
  /** The end of the topic: `acd.start`. */
  readonly what: string;
  readonly contact: string;
  readonly atMs: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly where: string;
}

interface Conversations {
  readonly begun: Set<string>;
  readonly queued: Set<string>;
  readonly ended: Set<string>;
}

const topicPattern = /^v2\.detail\.events\.conversation\.[^.]+\.(.+)$/;

function detailOf(record: Readonly<Record<string, unknown>>): Omit<Detail, 'where'> | undefined {
  const inner = objectOf(record, 'detail');
  const event = Object.keys(inner).length > 0 ? inner : record;
  const what = topicPattern.exec(textOf(event, 'topicName') ?? '')?.[1];
  const body = objectOf(event, 'eventBody');
  const contact = textOf(body, 'conversationId');
  const atMs = momentOf(body['eventTime'] ?? '');
  if (what === undefined || contact === undefined || atMs === undefined) return undefined;
  return { what, contact, atMs, body };
}

const channels: Readonly<Record<string, Channel>> = {
  VOICE: 'VOICE',
  CALLBACK: 'VOICE',
  CHAT: 'CHAT',
  MESSAGE: 'CHAT',
  EMAIL: 'EMAIL',
  VIDEO: 'VIDEO',
};

function readDetail(
  reading: Reading,
  { begun, queued, ended }: Conversations,
  dispositions: ReadonlyMap<string, string>,
  { what, contact, atMs, body }: Detail,
): void {
  const hangUp = (by: 'CUSTOMER' | 'AGENT' | 'SYSTEM', reason: string): void => {
    if (!ended.has(contact)) reading.add({ atMs, kind: 'HANG_UP', contact, by, reason });
    ended.add(contact);
  };
  switch (what) {
    case 'customer.start': {
      if (begun.has(contact)) {
        reading.leave('customer.start of a further customer');
        return;
      }
      begun.add(contact);
      const channel = channels[textOf(body, 'mediaType') ?? ''] ?? 'TASK';
      const method = textOf(body, 'direction') === 'OUTBOUND' ? 'OUTBOUND' : 'INBOUND';
      const customer = textOf(body, 'ani') ?? textOf(body, 'addressFrom');
      const who = customer === undefined ? {} : { customer };
      reading.add({ atMs, kind: 'BEGIN', contact, channel, method, ...who });
      return;
    }
    case 'acd.start': {
      const queue = textOf(body, 'queueId');
      if (queue === undefined || queued.has(contact)) {
        reading.leave(
          `acd.start ${queue === undefined ? 'without a queue' : 'in a further queue'}`,
        );
        return;
      }
      queued.add(contact);
      reading.add({ atMs, kind: 'QUEUE', contact, queue });
      return;
    }
    case 'acd.end': {
      const outcome = textOf(body, 'acdOutcome') ?? 'UNKNOWN';
      const agent = textOf(body, 'answeredUserId');
      if (outcome === 'ANSWERED' && agent !== undefined) {
        reading.add({ atMs, kind: 'ANSWER', contact, agent });
      } else if (outcome === 'ABANDON') hangUp('CUSTOMER', 'abandoned');
      else reading.leave(`acd.end ${outcome}`);
      return;
    }
    case 'customer.end': {
      const type = textOf(body, 'disconnectType') ?? 'UNKNOWN';
      const isCustomer = type === 'ENDPOINT' || type === 'CLIENT';
      hangUp(isCustomer ? 'CUSTOMER' : type === 'PEER' ? 'AGENT' : 'SYSTEM', type);
      return;
    }
    case 'acw': {
      const disposition = dispositions.get(contact);
      const filed = disposition === undefined ? {} : { disposition };
      reading.add({ atMs, kind: 'WRAPPED', contact, ...filed });
      return;
    }
    case 'wrapup':
      // Its code files the contact where the after-call work ends; without that it says nothing.
      return;
    default:
      reading.leave(what);
  }
}
