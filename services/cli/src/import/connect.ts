import {
  lastPart,
  momentOf,
  objectOf,
  Reading,
  textOf,
  type Channel,
  type History,
} from './history.ts';

/**
 * Contact events of Amazon Connect as EventBridge delivers them ("Amazon Connect contact events": the
 * envelope's `detail` with `eventType`, `contactId`, `queueInfo`, `agentInfo` and timestamps), and its
 * agent events ("Agent event streams": `EventType`, `AgentARN`, `CurrentAgentSnapshot`). They come in
 * no order; they are put in that of their times.
 */
export function readConnect(records: Iterable<Readonly<Record<string, unknown>>>): History {
  const reading = new Reading();
  let number = 0;
  for (const record of records) {
    number += 1;
    reading.record(`event ${number}`);
    if (textOf(record, 'AgentARN') !== undefined) readAgentEvent(reading, record);
    else readContactEvent(reading, record);
  }
  return reading.history();
}

const channels: Readonly<Record<string, Channel>> = {
  VOICE: 'VOICE',
  CHAT: 'CHAT',
  TASK: 'TASK',
  EMAIL: 'EMAIL',
};

const methods = ['INBOUND', 'OUTBOUND', 'TRANSFER', 'CALLBACK', 'API'] as const;

function methodOf(name: string | undefined): (typeof methods)[number] {
  if (name === 'QUEUE_TRANSFER') return 'TRANSFER';
  return methods.find((method) => method === name) ?? 'API';
}

function readContactEvent(reading: Reading, record: Readonly<Record<string, unknown>>): void {
  const detail = objectOf(record, 'detail');
  const event = Object.keys(detail).length > 0 ? detail : record;
  const type = textOf(event, 'eventType');
  const contact = textOf(event, 'contactId');
  if (type === undefined || contact === undefined) {
    reading.leave('a record that is no contact event');
    return;
  }
  const queueInfo = objectOf(event, 'queueInfo');
  const agentInfo = objectOf(event, 'agentInfo');
  const at = (...names: readonly unknown[]): number | undefined =>
    [...names, record['time']].map((one) => momentOf(one ?? '')).find((one) => one !== undefined);
  switch (type) {
    case 'INITIATED': {
      const channel = channels[textOf(event, 'channel') ?? ''] ?? 'TASK';
      const method = methodOf(textOf(event, 'initiationMethod'));
      timed(reading, type, at(event['initiationTimestamp']), (atMs) =>
        reading.add({ atMs, kind: 'BEGIN', contact, channel, method }),
      );
      return;
    }
    case 'QUEUED': {
      const queue = textOf(queueInfo, 'queueName') ?? lastPart(textOf(queueInfo, 'queueArn'));
      if (queue === undefined) reading.leave('QUEUED without a queue');
      else {
        timed(reading, type, at(queueInfo['enqueueTimestamp']), (atMs) =>
          reading.add({ atMs, kind: 'QUEUE', contact, queue }),
        );
      }
      return;
    }
    case 'CONNECTED_TO_AGENT': {
      const agent = lastPart(textOf(agentInfo, 'agentArn'));
      if (agent === undefined) reading.leave('CONNECTED_TO_AGENT without an agent');
      else {
        timed(reading, type, at(agentInfo['connectedToAgentTimestamp']), (atMs) =>
          reading.add({ atMs, kind: 'ANSWER', contact, agent }),
        );
      }
      return;
    }
    case 'DISCONNECTED': {
      const reason = textOf(event, 'disconnectReason') ?? '';
      const by = reason.startsWith('CUSTOMER') ? 'CUSTOMER' : sideOf(reason);
      timed(reading, type, at(event['disconnectTimestamp']), (atMs) =>
        reading.add({ atMs, kind: 'HANG_UP', contact, by, ...(reason === '' ? {} : { reason }) }),
      );
      return;
    }
    case 'COMPLETED':
      timed(reading, type, at(agentInfo['afterContactWorkEndTimestamp']), (atMs) =>
        reading.add({ atMs, kind: 'WRAPPED', contact }),
      );
      return;
    default:
      reading.leave(type);
  }
}

const sideOf = (reason: string): 'AGENT' | 'SYSTEM' =>
  reason.startsWith('AGENT') ? 'AGENT' : 'SYSTEM';

function timed(
  reading: Reading,
  type: string,
  atMs: number | undefined,
  add: (atMs: number) => void,
): void {
  if (atMs === undefined) reading.leave(`${type} without a time`);
  else add(atMs);
}

function readAgentEvent(reading: Reading, record: Readonly<Record<string, unknown>>): void {
  const agent = lastPart(textOf(record, 'AgentARN')) ?? '';
  const type = textOf(record, 'EventType') ?? 'an agent event without a type';
  const atMs = momentOf(record['EventTimestamp'] ?? '');
  if (atMs === undefined) {
    reading.leave(`${type} without a time`);
    return;
  }
  if (type === 'LOGIN') reading.add({ atMs, kind: 'SIGN_IN', agent });
  else if (type === 'LOGOUT') reading.add({ atMs, kind: 'SIGN_OUT', agent });
  else if (type === 'STATE_CHANGE') {
    const status = objectOf(objectOf(record, 'CurrentAgentSnapshot'), 'AgentStatus');
    const name = textOf(status, 'Name');
    if (textOf(status, 'Type') === 'OFFLINE') reading.add({ atMs, kind: 'SIGN_OUT', agent });
    else if (textOf(status, 'Type') === 'ROUTABLE' || name === 'Available') {
      reading.add({ atMs, kind: 'BACK', agent });
    } else {
      reading.add({ atMs, kind: 'AWAY', agent, ...(name === undefined ? {} : { reason: name }) });
    }
  } else reading.leave(type);
}
