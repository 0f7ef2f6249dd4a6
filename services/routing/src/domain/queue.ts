import { accept, reject, unreachable, type Decider, type Decision } from '@meridian/core';
import type { QueueCommand, QueueEvent, QueueSettings } from '@meridian/wire';
import { defaultQueueSettings } from './limits.ts';

// --- State

export interface Queue {
  readonly exists: boolean;
  /** The defaults while the queue does not exist. */
  readonly settings: QueueSettings;
}

// --- Commands

/** `waitingCount` is filled in by the partition: a queue with contacts is not deleted. */
export type Command = QueueCommand & { readonly waitingCount?: number };

// --- Rejections

export interface QueueRejection {
  readonly code: 'QUEUE_UNKNOWN' | 'QUEUE_NOT_EMPTY';
  readonly facts: Readonly<Record<string, unknown>>;
}

// --- Evolve

function evolve(queue: Queue, event: QueueEvent): Queue {
  switch (event.type) {
    case 'meridian.queue.created.v1':
    case 'meridian.queue.updated.v1':
      return { exists: true, settings: event.data.settings };
    case 'meridian.queue.deleted.v1':
      return { exists: false, settings: queue.settings };
    default:
      return unreachable(event);
  }
}

// --- Decide

/** Whether two settings say the same: order of the requirements does not matter. */
export function sameSettings(a: QueueSettings, b: QueueSettings): boolean {
  const canonical = ({ requirements = [], ...rest }: QueueSettings): string =>
    JSON.stringify([
      rest.strategy,
      rest.offerTtlMs,
      rest.ageingMsPerLevel,
      rest.serviceLevelMs,
      requirements.map(({ skill, minimumLevel }) => `${skill}:${minimumLevel}`).toSorted(),
    ]);
  return canonical(a) === canonical(b);
}

function decide(queue: Queue, command: Command): Decision<QueueEvent, QueueRejection> {
  const { subject } = command;
  switch (command.type) {
    case 'meridian.queue.configure.v1': {
      const { settings } = command.data;
      if (!queue.exists) {
        return accept<QueueEvent>({
          type: 'meridian.queue.created.v1',
          subject,
          data: { settings },
        });
      }
      if (sameSettings(queue.settings, settings)) return accept();
      return accept<QueueEvent>({ type: 'meridian.queue.updated.v1', subject, data: { settings } });
    }
    case 'meridian.queue.delete.v1':
      if (!queue.exists) return accept();
      if ((command.waitingCount ?? 0) > 0) {
        return reject({
          code: 'QUEUE_NOT_EMPTY',
          facts: { queueId: subject, waitingCount: command.waitingCount },
        });
      }
      return accept<QueueEvent>({ type: 'meridian.queue.deleted.v1', subject, data: {} });
    default:
      return unreachable(command);
  }
}

/** One queue: how its contacts are offered. */
export const queueDecider: Decider<Queue, QueueEvent, Command, QueueRejection> = {
  initial: () => ({ exists: false, settings: defaultQueueSettings }),
  evolve,
  decide,
};
