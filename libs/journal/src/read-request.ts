import { toTimestamp } from '@meridian/core';
import {
  acceptIntake,
  clearPersonal,
  parseSubject,
  type IntakeEnvelope,
  type ParsedSubject,
} from '@meridian/wire';
import { InvalidRequest } from './errors.ts';
import type { LogMessage } from './log.ts';

/** A request as a service reads it from the intake. */
export interface StoredRequest {
  readonly event: IntakeEnvelope;
  /** From the subject it was stored under, which the permissions of the publisher bind. */
  readonly address: ParsedSubject;
}

/**
 * Reads and checks a message of an `IN_` stream. Whoever may publish on NATS writes there without
 * the edge, so that nothing is taken for granted.
 * @throws InvalidRequest when it keeps no contract, does not fit its subject, or holds personal texts
 *   that are not sealed
 */
export function readRequest(message: LogMessage): StoredRequest {
  const fail = (problems: readonly string[]): never => {
    throw new InvalidRequest(message.stream, message.sequence, problems);
  };
  const address = parseSubject(message.subject);
  if (address === undefined) {
    return fail([
      `its subject ${message.subject} is not in.<region>.<tenant>.<home>.<entity>.<id>.`,
    ]);
  }
  let value: unknown;
  try {
    value = JSON.parse(message.text());
  } catch (error) {
    return fail([`it is not JSON (${(error as Error).message}).`]);
  }
  const result = acceptIntake(value, {
    tenant: address.tenant,
    now: toTimestamp(message.storedAtMs),
  });
  if (!result.ok) return fail(result.problems.map((problem) => problem.detail));
  const { event, contract } = result;
  if (contract.entity !== address.entity) {
    return fail([
      `its type ${event.type} is about a ${contract.entity}, its subject about a ${address.entity}.`,
    ]);
  }
  if (event.subject !== address.id) {
    return fail([`/subject is ${event.subject}, but it was published to ${message.subject}.`]);
  }
  const clear = clearPersonal(contract, event.data);
  if (clear.length > 0) {
    return fail([
      `${clear.join(', ')} ${clear.length === 1 ? 'is' : 'are'} personal and in the clear: only an ` +
        'edge seals what it takes in; publish it there.',
    ]);
  }
  return { event, address };
}
