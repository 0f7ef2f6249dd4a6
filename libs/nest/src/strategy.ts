import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { LogMessage } from '@meridian/journal';
import { isObservable, lastValueFrom } from 'rxjs';
import {
  transportOf,
  type FollowContext,
  type FollowOptions,
  type HandlerResult,
} from './follow.ts';
import type { FollowHandler, ServiceRuntime } from './service-runtime.ts';

type Found = MessageHandler<LogMessage, FollowContext, unknown>;

/** Nest's way to one service's runtime: hands it the methods declared with `@Follow`. */
export class LogStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  readonly #runtime: ServiceRuntime;
  #opened: Promise<void> | undefined;

  constructor(runtime: ServiceRuntime) {
    super();
    this.#runtime = runtime;
    this.transportId = transportOf(runtime.name);
  }

  /** Resolves once everything is followed. @throws what `ServiceRuntime.open` throws */
  get opened(): Promise<void> {
    return this.#opened ?? Promise.reject(new Error('The strategy does not listen yet.'));
  }

  /** Begins to open and calls back at once: what opening waits for is told by the health routes. */
  listen(callback: (error?: unknown) => void): void {
    try {
      this.#opened = this.#runtime.open(this.#handlers());
      // The runtime has logged it and is `stopped`; who waits for `opened` gets it too.
      this.#opened.catch(() => {});
      callback();
    } catch (error) {
      callback(error);
    }
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }

  on(): never {
    throw new Error("A LogStrategy has no events of its own; see its service's status.");
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest declares it so
  unwrap<T>(): T {
    return this.#runtime as T;
  }

  #handlers(): FollowHandler[] {
    return [...this.messageHandlers].map(([pattern, found]) => {
      const { follow } = (found.extras ?? {}) as { follow?: FollowOptions };
      if (follow === undefined) {
        throw new Error(`The handler of ${pattern} is not declared with @Follow.`);
      }
      if (found.next !== undefined) {
        throw new Error(
          `Two handlers are called ${pattern}.\nGive each @Follow of a service a name of its own.`,
        );
      }
      return { options: follow, handle: (message, context) => invoke(found, message, context) };
    });
  }
}

async function invoke(
  handler: Found,
  message: LogMessage,
  context: FollowContext,
): Promise<HandlerResult> {
  const result = await handler(message, context);
  const value = isObservable(result)
    ? await lastValueFrom(result, { defaultValue: undefined })
    : result;
  return value as HandlerResult;
}
