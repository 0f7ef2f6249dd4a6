import type { FollowOptions, Log, LogMessage } from '@meridian/journal';

/** A follower whose handlers are settled by hand, by their sequence. */
export function held(log: Log, stream: string, options: FollowOptions) {
  const waiting = new Map<number, () => void>();
  const follower = log.follow(
    stream,
    options,
    ({ sequence }) => new Promise<void>((resolve) => waiting.set(sequence, resolve)),
  );
  const settle = (sequence: number): void => {
    waiting.get(sequence)?.();
    waiting.delete(sequence);
  };
  return { follower, settle, waiting };
}

/** Appends messages 1 to `count` over `<prefix>.s.<n modulo subjects>`, with n as text. */
export async function fill(
  log: Log,
  stream: string,
  prefix: string,
  count: number,
  subjects: number,
) {
  await Promise.all(
    range(1, count).map((n) =>
      log.append(stream, { subject: `${prefix}.s.${n % subjects}`, data: `${n}` }),
    ),
  );
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

export function texts(messages: readonly LogMessage[]): string[] {
  return messages.map((message) => message.text());
}

export function sequences(messages: readonly LogMessage[]): number[] {
  return messages.map(({ sequence }) => sequence);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    return new Error(`It resolved with ${JSON.stringify(await promise)}`);
  } catch (error) {
    return error;
  }
}

export function raise(error: Error): never {
  throw error;
}
