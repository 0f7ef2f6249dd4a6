import { momentOf, Reading, textOf, objectOf, type Channel, type History } from './history.ts';

/**
 * Events of Twilio TaskRouter: bodies of Event Callbacks ("TaskRouter Events Reference": `EventType`,
 * `TaskSid`, `WorkerName`, `Timestamp`, ...), or those of Event Streams, whose `data.payload` has the
 * same fields in snake case.
 */
export function readTwilio(records: Iterable<Readonly<Record<string, unknown>>>): History {
  const reading = new Reading();
  const tasks: Tasks = { queued: new Set(), ended: new Set() };
  let number = 0;
  for (const record of records) {
    number += 1;
    reading.record(`event ${number}`);
    const payload = objectOf(objectOf(record, 'data'), 'payload');
    const event = Object.keys(payload).length > 0 ? payload : record;
    const read = (camel: string, snake: string): string | undefined =>
      textOf(event, camel) ?? textOf(event, snake);
    const type = read('EventType', 'eventtype');
    const atMs = momentOf(
      read('TimestampMs', 'timestamp_ms') ?? read('Timestamp', 'timestamp') ?? '',
    );
    if (type === undefined || atMs === undefined) {
      reading.leave('a record that is no TaskRouter event');
    } else if (type.startsWith('worker.')) readWorker(reading, type, atMs, read);
    else readTask(reading, tasks, type, atMs, read);
  }
  return reading.history();
}

interface Tasks {
  readonly queued: Set<string>;
  readonly ended: Set<string>;
}

type Read = (camel: string, snake: string) => string | undefined;

function channelOf(name: string | undefined): Channel {
  switch (name) {
    case 'voice':
      return 'VOICE';
    case 'chat':
    case 'sms':
      return 'CHAT';
    case 'email':
      return 'EMAIL';
    case 'video':
      return 'VIDEO';
    default:
      return 'TASK';
  }
}

function readWorker(reading: Reading, type: string, atMs: number, read: Read): void {
  const agent = read('WorkerName', 'worker_name') ?? read('WorkerSid', 'worker_sid');
  const activity = read('WorkerActivityName', 'worker_activity_name');
  if (type !== 'worker.activity.update' || agent === undefined || activity === undefined) {
    reading.leave(type);
  } else if (/^offline$/i.test(activity)) reading.add({ atMs, kind: 'SIGN_OUT', agent });
  else if (/^(available|idle|reserved|busy|wrapup)$/i.test(activity)) {
    reading.add({ atMs, kind: 'BACK', agent });
  } else reading.add({ atMs, kind: 'AWAY', agent, reason: activity });
}

function readTask(reading: Reading, tasks: Tasks, type: string, atMs: number, read: Read): void {
  const contact = read('TaskSid', 'task_sid');
  if (contact === undefined) {
    reading.leave(type);
    return;
  }
  switch (type) {
    case 'task.created': {
      const channel = channelOf(read('TaskChannelUniqueName', 'task_channel_unique_name'));
      const customer = customerOf(read('TaskAttributes', 'task_attributes'));
      const who = customer === undefined ? {} : { customer };
      reading.add({ atMs, kind: 'BEGIN', contact, channel, method: 'INBOUND', ...who });
      return;
    }
    case 'task-queue.entered': {
      const queue =
        read('TaskQueueName', 'task_queue_name') ?? read('TaskQueueSid', 'task_queue_sid');
      if (queue === undefined) reading.leave(`${type} without a queue`);
      else if (tasks.queued.has(contact)) reading.leave(`${type}, into a further queue`);
      else {
        tasks.queued.add(contact);
        const priority = Number(read('TaskPriority', 'task_priority') ?? 0);
        const level = Number.isInteger(priority) && priority > 0 ? Math.min(priority, 100) : 0;
        reading.add({ atMs, kind: 'QUEUE', contact, queue, priority: level });
      }
      return;
    }
    case 'reservation.accepted': {
      const agent = read('WorkerName', 'worker_name') ?? read('WorkerSid', 'worker_sid');
      if (agent === undefined) reading.leave(`${type} without a worker`);
      else reading.add({ atMs, kind: 'ANSWER', contact, agent });
      return;
    }
    case 'task.wrapup':
    case 'task.completed':
      // The events do not say which side ended the conversation.
      if (!tasks.ended.has(contact)) {
        reading.add({ atMs, kind: 'HANG_UP', contact, by: 'SYSTEM', reason: type });
      }
      tasks.ended.add(contact);
      if (type === 'task.completed') {
        const disposition = read('TaskCompletedReason', 'task_completed_reason');
        const filed = disposition === undefined ? {} : { disposition: disposition.slice(0, 64) };
        reading.add({ atMs, kind: 'WRAPPED', contact, ...filed });
      }
      return;
    case 'task.canceled': {
      const reason = read('TaskCanceledReason', 'task_canceled_reason') ?? 'canceled';
      reading.add({ atMs, kind: 'HANG_UP', contact, by: 'CUSTOMER', reason });
      tasks.ended.add(contact);
      return;
    }
    default:
      reading.leave(type);
  }
}

/** Who calls, where the attributes of a task say it as Flex and Studio do. */
function customerOf(attributes: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(attributes ?? '{}');
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const record = parsed as Readonly<Record<string, unknown>>;
    return textOf(record, 'from') ?? textOf(record, 'caller');
  } catch {
    return undefined;
  }
}
