/** A fault of the log, as opposed to a rejection by a decider. */
export class LogFault extends Error {
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(name: string, message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
    this.retryable = retryable;
  }
}

/** Somebody else wrote to the subject first. Load again and decide again. */
export class WrongLastSequence extends LogFault {
  readonly subject: string;
  readonly expected: number;
  /** The subject's true last sequence where the log told it. */
  readonly actual: number | undefined;

  constructor(subject: string, expected: number, actual?: number, options?: ErrorOptions) {
    super(
      'WrongLastSequence',
      `Subject ${subject} was expected to end at sequence ${expected}, ` +
        `but ends at ${actual ?? 'another one'}.\n` +
        'Another writer was first: load the aggregate again and decide again.',
      true,
      options,
    );
    this.subject = subject;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The log did not answer. Whether the message was stored is not known; a retry is safe. */
export class LogUnavailable extends LogFault {
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super('LogUnavailable', `${what}\n${advice}`, true, options);
  }
}

/** The message is larger than the log takes. Nothing was sent. */
export class MessageTooLarge extends LogFault {
  constructor(subject: string, bytes: number, limitBytes: number) {
    super(
      'MessageTooLarge',
      `A message for ${subject} has ${bytes} bytes; the log takes at most ${limitBytes}.\n` +
        'Store fewer events in one entry, or less data in an event.',
      false,
    );
  }
}

/** The message cannot be written as it is. Nothing was sent. */
export class InvalidMessage extends LogFault {
  constructor(subject: string, what: string) {
    super('InvalidMessage', `A message for ${JSON.stringify(subject)} is invalid: ${what}.`, false);
  }
}

/** The log refused the message for a reason of its own. Nothing was stored. */
export class AppendRefused extends LogFault {
  readonly code: number;

  constructor(subject: string, code: number, what: string, retryable: boolean) {
    super('AppendRefused', `A message for ${subject} was refused: ${what} (${code}).`, retryable);
    this.code = code;
  }
}

/** This log, or this follower, was closed or has failed before the call. */
export class LogClosed extends LogFault {
  constructor(what: string, options?: ErrorOptions) {
    super('LogClosed', what, false, options);
  }
}

/** The stream asked for does not exist. */
export class StreamMissing extends LogFault {
  constructor(stream: string, options?: ErrorOptions) {
    super(
      'StreamMissing',
      `There is no stream ${stream} on this server.\n` +
        "Create the region's streams first (ensureStreams), or check the region's name.",
      false,
      options,
    );
  }
}

/** What the log holds at a place is not what Meridian writes. */
export class CorruptEntry extends LogFault {
  constructor(stream: string, sequence: number, what: string, options?: ErrorOptions) {
    super('CorruptEntry', `Entry ${sequence} of ${stream} cannot be read: ${what}`, false, options);
  }
}

/** A request in the intake does not keep its contract; it can only have come past the edge. */
export class InvalidRequest extends LogFault {
  /** Each thing that is wrong, one sentence each. */
  readonly problems: readonly string[];

  constructor(stream: string, sequence: number, problems: readonly string[]) {
    super(
      'InvalidRequest',
      `Message ${sequence} of ${stream} is no request that can be decided: ${problems.join(' ')}`,
      false,
    );
    this.problems = problems;
  }
}

/**
 * The region's right to decide for the home has run out for the moment: nothing was sent. It may
 * come back, and the same call succeeds then.
 */
export class Fenced extends LogFault {
  constructor(home: string) {
    super(
      'Fenced',
      `This region's lease on home ${home} has run out; nothing is decided for it here until it is renewed.\n` +
        'Check the control cluster and the links: meridian regions.',
      true,
    );
  }
}

/** The home is no longer decided here: nothing was sent, and the same call never succeeds again. */
export class NotOwner extends LogFault {
  constructor(home: string, epoch: number) {
    super(
      'NotOwner',
      `Home ${home} is no longer decided here under epoch ${epoch}; its owner goes on with it.`,
      false,
    );
  }
}
