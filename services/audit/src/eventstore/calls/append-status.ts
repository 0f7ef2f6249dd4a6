import { status } from '@grpc/grpc-js';
import { CallRefused } from '../faults.ts';
import type { Empty, RpcStatus, WrongExpectedVersion } from '../protocol/messages.ts';
import { codecOf } from '../protocol/schema.ts';
import { WrongExpected } from '../writing/custom-streams.ts';
import type { Expected } from '../writing/proposal.ts';

const none: Empty = {};
const packages = 'event_store.client';
const wrongExpected = codecOf<WrongExpectedVersion>(`${packages}.WrongExpectedVersion`);
const sizeExceeded = codecOf<{ maxAppendSize: number }>(`${packages}.MaximumAppendSizeExceeded`);
const badRequest = codecOf<{ message: string }>(`${packages}.BadRequest`);
const empty = codecOf<Empty>(`${packages}.Empty`);

const detailed = (code: status, message: string, type: string, value: Uint8Array): RpcStatus => ({
  code,
  message,
  details: { typeUrl: `type.googleapis.com/${packages}.${type}`, value },
});

/** What is told of one append alone; undefined for what concerns the whole call. */
export function statusOf(error: unknown): RpcStatus | undefined {
  if (error instanceof WrongExpected) {
    const { expected, revision, message } = error;
    const value = wrongExpected.encode({
      ...(revision < 0 ? { currentNoStream: none } : { currentStreamRevision: revision }),
      ...expectedStream(expected),
    });
    return detailed(status.FAILED_PRECONDITION, message, 'WrongExpectedVersion', value);
  }
  if (!(error instanceof CallRefused)) return undefined;
  const { code, message, trailers } = error;
  const limit = trailers['maximum-append-size'];
  if (limit !== undefined) {
    const value = sizeExceeded.encode({ maxAppendSize: Number(limit) });
    return detailed(code, message, 'MaximumAppendSizeExceeded', value);
  }
  if (code === status.PERMISSION_DENIED) {
    return detailed(code, message, 'AccessDenied', empty.encode(none));
  }
  if (code === status.DEADLINE_EXCEEDED) {
    return detailed(code, message, 'Timeout', empty.encode(none));
  }
  if (code === status.INVALID_ARGUMENT) {
    return detailed(code, message, 'BadRequest', badRequest.encode({ message }));
  }
  return undefined;
}

function expectedStream(expected: Expected): WrongExpectedVersion {
  if (typeof expected === 'number') return { expectedStreamPosition: expected };
  if (expected === 'any') return { expectedAny: none };
  return expected === 'exists' ? { expectedStreamExists: none } : { expectedNoStream: none };
}
