import { LogFault, type LogMessage } from '@meridian/journal';
import type { Comparison } from '@meridian/recovery';
import type { Instance, SimulatedMesh, SimulatedRegion } from '@meridian/testing';
import { eventStream, intakeStream } from '@meridian/wire';

/** How long a peer is waited for, in ms. */
const answerTimeoutMs = 1_500;
const headersKept = ['Meridian-Consumed'];

/** Asks another region something; undefined when no answer comes. */
function ask<T>(
  mesh: SimulatedMesh,
  instance: Instance,
  [from, to]: readonly [string, string],
  answer: (peer: SimulatedRegion) => T,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timeout = instance.after(answerTimeoutMs, () => resolve(undefined));
    mesh.links.send(from, to, () => {
      const found = answer(mesh.region(to));
      mesh.links.send(to, from, () =>
        instance.gate.pass(() => {
          instance.cancel(timeout);
          resolve(found);
        }),
      );
    });
  });
}

/** The part of a peer's copy that is of interest: its end, and what it has where the own one ends. */
interface Copy {
  readonly last: number;
  readonly shared: LogMessage | undefined;
  readonly tail: readonly LogMessage[];
}

/**
 * Compares a region's own streams with the peers' copies, and imports what they hold beyond the own
 * end: a store that came back short would else use these sequences again.
 */
export async function compareWithPeers(
  mesh: SimulatedMesh,
  region: SimulatedRegion,
  instance: Instance,
): Promise<Comparison> {
  const peers = mesh.regions.filter((other) => other !== region);
  let outcome: Comparison = 'whole';
  for (const stream of [intakeStream(region.name), eventStream(region.name)]) {
    const own = region.log.messages(stream);
    const ownLast = own.length;
    const copies = await Promise.all(
      peers.map((peer) =>
        ask(mesh, instance, [region.name, peer.name], ({ log }): Copy => {
          const messages = log.messages(stream);
          const last = messages.length;
          const shared = messages[Math.min(last, ownLast) - 1];
          return { last, shared, tail: messages.slice(ownLast) };
        }),
      ),
    );
    const answered = copies.filter((copy) => copy !== undefined);
    if (answered.length === 0) return 'unreachable';
    const differs = answered.some(
      ({ shared }) => shared !== undefined && own[shared.sequence - 1]?.text() !== shared.text(),
    );
    if (differs) return 'differs';
    const [fullest] = answered.toSorted((a, b) => b.last - a.last);
    if (fullest !== undefined && fullest.last > ownLast) {
      await importTail(stream, fullest.tail, instance);
      outcome = 'mending';
    }
  }
  return outcome;
}

/** Stores again, in order, what a peer holds beyond the own end. */
async function importTail(
  stream: string,
  tail: readonly LogMessage[],
  instance: Instance,
): Promise<void> {
  for (const message of tail) {
    const headers = Object.fromEntries(
      headersKept.flatMap((name) => {
        const value = message.header(name);
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    const expected = message.header('Nats-Expected-Last-Subject-Sequence');
    const messageId = message.header('Nats-Msg-Id');
    const toAppend = {
      subject: message.subject,
      data: message.text(),
      ...(expected === undefined ? {} : { expectedLastSequence: Number(expected) }),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
    };
    try {
      const identified = messageId === undefined ? toAppend : { ...toAppend, messageId };
      const { sequence } = await instance.log.append(stream, identified);
      // What was sent twice long after each other comes twice at once now: its id would hide it.
      if (sequence < message.sequence) await instance.log.append(stream, toAppend);
    } catch (error) {
      // Compared again, it goes on where it ended.
      if (error instanceof LogFault && error.retryable) return;
      throw error;
    }
  }
}
