import { Metadata, status, type StatusObject } from '@grpc/grpc-js';

/** Why a call is refused, as clients of the event-store protocol understand it. */
export class CallRefused extends Error {
  /** gRPC's. */
  readonly code: status;
  /** What the clients tell errors apart by: the trailer `exception` and its facts. */
  readonly trailers: Readonly<Record<string, string>>;

  constructor(code: status, message: string, trailers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'CallRefused';
    this.code = code;
    this.trailers = trailers;
  }
}

export const invalidArgument = (what: string): CallRefused =>
  new CallRefused(status.INVALID_ARGUMENT, what);

export const unauthenticated = (what: string): CallRefused =>
  new CallRefused(status.UNAUTHENTICATED, what);

export const accessDenied = (what: string): CallRefused =>
  new CallRefused(status.PERMISSION_DENIED, what, { exception: 'access-denied' });

export const unavailable = (what: string): CallRefused => new CallRefused(status.UNAVAILABLE, what);

export const tooLarge = (bytes: number, limitBytes: number): CallRefused =>
  new CallRefused(
    status.INVALID_ARGUMENT,
    `The events take ${bytes} bytes in the log; one append may take ${limitBytes}.`,
    { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(limitBytes) },
  );

/** @param leader where the owner's gateway is; it must be known, clients read it */
export const notLeader = (what: string, leader: { host: string; port: number }): CallRefused =>
  new CallRefused(status.NOT_FOUND, what, {
    exception: 'not-leader',
    'leader-endpoint-host': leader.host,
    'leader-endpoint-port': String(leader.port),
  });

/**
 * An error as grpc-js sends it: its code, its details and its trailers. What failed on our side is
 * not told to clients, it may speak of others' data: who runs the gateway finds it in its log.
 */
export function toStatus(error: unknown): Error & Partial<StatusObject> {
  const refused =
    error instanceof CallRefused
      ? error
      : unavailable('The log cannot be read or written at the moment; try again.');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(refused.trailers)) metadata.set(name, value);
  // A message of several lines would not fit a header.
  const details = refused.message.replaceAll('\n', ' ');
  return Object.assign(new Error(details), { code: refused.code, details, metadata });
}
