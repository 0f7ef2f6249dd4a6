import { seeded, type Context } from '@meridian/core';
import {
  Aggregates,
  InvalidRequest,
  readRequest,
  type Desk,
  type From,
  type Journal,
  type LogMessage,
  type Outcome,
} from '@meridian/journal';
import {
  accessDecider,
  isAccessId,
  privacyDecider,
  type Accessed,
  type Command,
  type DecidedPrivacy,
  type Privacy,
  type PrivacyRejection,
  type RecordAccess,
} from '@meridian/privacy';
import { causeOf, parseSubject, passOn, type AggregateId } from '@meridian/wire';

export interface PrivacyDeskOptions {
  readonly journal: Journal;
  /** The log's clock, in epoch ms. */
  readonly now: () => number;
  readonly wait?: (delayMs: number) => Promise<void>;
}

export type PrivacyOutcome = Outcome<DecidedPrivacy | Accessed, PrivacyRejection>;

/** How many days' accesses are kept in memory: a tenant needs one at a time. */
const accessLimit = 64;

/** Decides about persons' data, of every tenant, for the home of the order. */
export class PrivacyDesk implements Desk {
  readonly #all: Aggregates<Privacy, DecidedPrivacy, Command, PrivacyRejection>;
  readonly #access: Aggregates<null, Accessed, RecordAccess, never>;

  constructor({ journal, now, wait }: PrivacyDeskOptions) {
    const random = seeded('privacy');
    const shared = {
      journal,
      context: (): Context => ({ now: now(), random }),
      ...(wait === undefined ? {} : { wait }),
    };
    this.#all = new Aggregates({ ...shared, decider: privacyDecider });
    this.#access = new Aggregates({ ...shared, decider: accessDecider, warmLimit: accessLimit });
  }

  absorb(message: LogMessage): void {
    const address = parseSubject(message.subject);
    if (address === undefined) return;
    const { tenant, entity, id } = address;
    const aggregates = isAccessId(id) ? this.#access : this.#all;
    aggregates.absorb({ tenant, entity, id }, message);
  }

  /** Nothing is to be prepared: what is not in memory is loaded when it is needed. */
  ready(): void {}

  /**
   * A request. Safe to call twice with one message.
   * @throws InvalidRequest when the message is none
   */
  onRequest(message: LogMessage, from?: From): Promise<PrivacyOutcome> {
    const { event, address } = readRequest(message);
    const { type, subject, data, actor } = event;
    const { tenant, entity, id } = address;
    const aggregate: AggregateId = { tenant, entity, id };
    const request = { aggregate, cause: passOn(event, causeOf(event)), ...(from && { from }) };
    if (type === 'meridian.privacy.record_access.v1') {
      checkPlace(isAccessId(id), message, id);
      return this.#access.execute({ ...request, command: { type, subject, data } as RecordAccess });
    }
    checkPlace(id === 'all', message, id);
    const command = { type, subject, data, ...(actor && { actor }) } as Command;
    return this.#all.execute({ ...request, command });
  }
}

function checkPlace(isRight: boolean, { stream, sequence }: LogMessage, id: string): void {
  if (isRight) return;
  throw new InvalidRequest(stream, sequence, [
    `It cannot be about ${id}: the subject is all, and that of record_access is access-<yyyymmdd>.`,
  ]);
}
