import { momentOf, Reading, type History } from './history.ts';

/**
 * Asterisk's `queue_log`: `<epoch seconds>|<call id>|<queue>|<agent>|<event>|<parameters...>`, as
 * documented in "Queue Logs" of the Asterisk documentation.
 */
export function readAsterisk(lines: Iterable<string>): History {
  const reading = new Reading();
  const calls = new Calls();
  const memberships = new Map<string, number>();
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    reading.record(`line ${number}`);
    const [time, call = '', queue = '', agent = '', event = '', ...parameters] = line
      .trim()
      .split('|');
    const atMs = momentOf(time);
    if (atMs === undefined || event === '') reading.leave('a line that is no entry of queue_log');
    else readEntry(reading, calls, memberships, { atMs, call, queue, agent, event, parameters });
  }
  return reading.history();
}

interface Entry {
  readonly atMs: number;
  readonly call: string;
  readonly queue: string;
  readonly agent: string;
  readonly event: string;
  readonly parameters: readonly string[];
}

/** A call that enters a second queue after it left the first is another contact. */
class Calls {
  readonly #visits = new Map<string, number>();

  enter(call: string): string {
    this.#visits.set(call, (this.#visits.get(call) ?? 0) + 1);
    return this.contact(call);
  }

  knows(call: string): boolean {
    return this.#visits.has(call);
  }

  contact(call: string): string {
    const visit = this.#visits.get(call) ?? 1;
    return visit === 1 ? call : `${call}/${visit}`;
  }
}

const leftQueue: Readonly<Record<string, string>> = {
  EXITWITHTIMEOUT: 'left the queue: timeout',
  EXITWITHKEY: 'left the queue by a key',
  EXITEMPTY: 'left the queue: no agents',
};

const endings: Readonly<Record<string, 'CUSTOMER' | 'AGENT'>> = {
  COMPLETECALLER: 'CUSTOMER',
  COMPLETEAGENT: 'AGENT',
  AGENTDUMP: 'AGENT',
};

const transfers = new Set(['TRANSFER', 'BLINDTRANSFER', 'ATTENDEDTRANSFER']);

function readEntry(
  reading: Reading,
  calls: Calls,
  memberships: Map<string, number>,
  entry: Entry,
): void {
  const { atMs, call, queue, agent, event, parameters } = entry;
  if (event === 'ENTERQUEUE') {
    const contact = calls.enter(call);
    const customer = parameters[1] ?? '';
    reading.add(
      {
        atMs,
        kind: 'BEGIN',
        contact,
        channel: 'VOICE',
        method: 'INBOUND',
        ...(customer === '' ? {} : { customer }),
      },
      { atMs, kind: 'QUEUE', contact, queue },
    );
    return;
  }
  if (readAgent(reading, memberships, entry)) return;
  const ends =
    Object.hasOwn(endings, event) ||
    Object.hasOwn(leftQueue, event) ||
    event === 'ABANDON' ||
    transfers.has(event);
  if (event !== 'CONNECT' && !ends) {
    reading.leave(event);
    return;
  }
  if (!calls.knows(call)) {
    reading.leave(`${event} of a call whose ENTERQUEUE is not in the file`);
    return;
  }
  const contact = calls.contact(call);
  if (event === 'CONNECT') reading.add({ atMs, kind: 'ANSWER', contact, agent });
  else if (event === 'ABANDON') {
    reading.add({ atMs, kind: 'HANG_UP', contact, by: 'CUSTOMER', reason: 'abandoned' });
  } else if (transfers.has(event)) {
    // Where it went is lost: there are no transfers yet.
    reading.leave(`the destination of ${event}`);
    reading.add({ atMs, kind: 'HANG_UP', contact, by: 'AGENT', reason: 'transferred' });
  } else if (Object.hasOwn(leftQueue, event)) {
    const reason = leftQueue[event] ?? '';
    reading.add({ atMs, kind: 'HANG_UP', contact, by: 'SYSTEM', reason });
  } else {
    reading.add({ atMs, kind: 'HANG_UP', contact, by: endings[event] ?? 'AGENT' });
  }
}

/** @returns whether it is about an agent alone */
function readAgent(reading: Reading, memberships: Map<string, number>, entry: Entry): boolean {
  const { atMs, agent, event, parameters } = entry;
  switch (event) {
    case 'ADDMEMBER': {
      const queues = (memberships.get(agent) ?? 0) + 1;
      memberships.set(agent, queues);
      if (queues === 1) reading.add({ atMs, kind: 'SIGN_IN', agent });
      return true;
    }
    case 'REMOVEMEMBER': {
      const queues = (memberships.get(agent) ?? 0) - 1;
      memberships.set(agent, Math.max(0, queues));
      // Signed out with the last queue; a member from before the file was never signed in.
      if (queues === 0) reading.add({ atMs, kind: 'SIGN_OUT', agent });
      else if (queues < 0) reading.leave('REMOVEMEMBER of a member from before the file');
      return true;
    }
    case 'AGENTLOGIN':
    case 'AGENTCALLBACKLOGIN':
      reading.add({ atMs, kind: 'SIGN_IN', agent });
      return true;
    case 'AGENTLOGOFF':
    case 'AGENTCALLBACKLOGOFF':
      reading.add({ atMs, kind: 'SIGN_OUT', agent });
      return true;
    case 'PAUSE':
    case 'PAUSEALL': {
      const [reason = ''] = parameters;
      reading.add({ atMs, kind: 'AWAY', agent, ...(reason === '' ? {} : { reason }) });
      return true;
    }
    case 'UNPAUSE':
    case 'UNPAUSEALL':
      reading.add({ atMs, kind: 'BACK', agent });
      return true;
    default:
      return false;
  }
}
