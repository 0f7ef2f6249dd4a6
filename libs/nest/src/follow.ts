import { applyDecorators, Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { BaseRpcContext, EventPattern } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { LogMessage, Outcome, DomainEvent } from '@meridian/journal';
import type { Rejection } from '@meridian/core';

/** Which messages a handler gets, and in what order. */
export interface FollowOptions {
  /** The service the handler belongs to: several may share a process. */
  readonly service: string;
  /** The name of its checkpoint, unique within the service; never rename it. */
  readonly name: string;
  /** The stream's kind; the region is appended (`IN` is `IN_eu`). */
  readonly stream: 'IN' | 'EV' | 'ASIDE';
  /** Subjects to follow; `{region}` stands for the region. Those of one service should not overlap. */
  readonly filters: readonly string[];
  /**
   * `region`: followed once, from the region's own stream (default). `home`: followed for each desk
   * that is open; `{home}` stands for the desk's home. Of `IN`, the streams of all regions are
   * followed then, `{region}` being theirs. Of `EV`, the histories of all homes are; the filters
   * are what comes after `ev.<region>.<home>.` there.
   */
  readonly per?: 'region' | 'home';
  /** With `per: 'home'` and `EV`: further filters for the histories of other homes than the desk's. */
  readonly filtersOfOthers?: readonly string[];
  /**
   * `key`: messages of one key one after the other, different keys at once.
   * `submit`: handlers are started strictly in order without waiting for each other.
   */
  readonly order: 'key' | 'submit';
  /** The key of a message under `order: 'key'`; default its subject. */
  readonly key?: (message: LogMessage) => string;
  /** How many handlers may be under way; default 1,024. */
  readonly maxPending?: number;
  /** Of `IN`: it wants most of the stream, which is then read once for all such in the process. */
  readonly shared?: boolean;
}

/**
 * What a handler may return or resolve to. An outcome that is rejected is kept in `ASIDE`; the
 * events of a decided one are counted. Anything else is passed over.
 */
export type HandlerResult =
  | undefined
  | void
  | Outcome<DomainEvent, Rejection>
  | readonly Outcome<DomainEvent, Rejection>[];

/** For whom a message is handled, and its place among the sources that are read. */
export interface FollowPlace {
  /** The home of the desk; that of the region where it is no matter of desks. */
  readonly home: string;
  /** What the message's place is told by: `IN_eu`, or `EV_us.eu` for home eu as region us wrote it. */
  readonly source: string;
}

/** What a handler is told besides the message: `@Ctx() context: FollowContext`. */
export class FollowContext extends BaseRpcContext<[LogMessage, number, boolean, FollowPlace]> {
  get message(): LogMessage {
    return this.args[0];
  }

  /** 1 at the first attempt on this message, counted up at each retry after a failure. */
  get attempt(): number {
    return this.args[1];
  }

  /** Whether somebody asked for it through `retry_requested` after it had been set aside. */
  get asked(): boolean {
    return this.args[2];
  }

  get home(): string {
    return this.args[3].home;
  }

  /** The message's place; undefined when it was asked for again: its turn is long past. */
  get from(): { readonly source: string; readonly sequence: number } | undefined {
    const [{ sequence }, , asked, { source }] = this.args;
    return asked ? undefined : { source, sequence };
  }
}

/** Nest replaces what a handler throws unless a filter hands it on as it is. */
@Catch()
export class PassThroughFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** The transport of a service's handlers: each service's strategy takes only its own. */
export function transportOf(service: string): symbol {
  return Symbol.for(`meridian.log.${service}`);
}

/**
 * Declares a method as the handler of log messages:
 * `@Follow({...}) handle(@Payload() message: LogMessage, @Ctx() context: FollowContext)`.
 * It must be safe to call twice with one message.
 */
export function Follow(options: FollowOptions): MethodDecorator {
  return applyDecorators(
    EventPattern<string>(`${options.service}.${options.name}`, transportOf(options.service), {
      follow: options,
    }),
    UseFilters(PassThroughFilter),
  );
}
