import { LogFault, MessageTooLarge } from '@meridian/journal';
import { Refusal } from '../domain/problem.ts';

/** The seconds after which a client may try again when the log does not answer. */
const retryAfterSeconds = '1';

/** What a fault of the log is for whoever asked. Other errors pass as they are. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof MessageTooLarge) {
    return new Refusal('body-too-large', error.message.replace('\n', ' '));
  }
  if (error instanceof LogFault) {
    return new Refusal(
      'log-unavailable',
      'The log of this region does not answer. Some of it may be stored: send it again, with the same ids.',
      {},
      { 'retry-after': retryAfterSeconds },
    );
  }
  return error;
}

/** Hands on what work resolves to; what a fault of the log means for the client is thrown as a Refusal. */
export async function orRefuse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refusalOf(error);
  }
}
