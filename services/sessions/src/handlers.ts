import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { seeded } from '@meridian/core';
import type { LogMessage } from '@meridian/journal';
import {
  CLOCK,
  currentTraceparent,
  Follow,
  FollowContext,
  METRICS,
  SERVICE,
  withSpan,
  type Clock,
  type Desks,
  type HandlerResult,
  type Metrics,
  type Service,
} from '@meridian/nest';
import { Sessions } from './sessions.ts';

/** The shell of sessions: what it follows for each home, and what it keeps of it. */
@Controller()
export class SessionsHandlers {
  readonly #desks: Desks<Sessions>;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CLOCK) clock: Clock,
    @Inject(METRICS) metrics: Metrics,
  ) {
    const desks = service.desks<Sessions>({
      own: ['*.contact.*'],
      create: (home, journal) =>
        new Sessions({
          journal,
          now: () => clock.now(),
          random: seeded(`${home}/sessions`),
          onConflict: () => metrics.conflict(),
          trace: (name, parent, work) =>
            withSpan(name, parent, () => work(currentTraceparent() ?? parent)),
        }),
      timer: {
        name: 'contacts',
        next: (desk) => desk.nextDueMs(),
        fire: (desk, now) => desk.fireDue(now),
      },
    });
    this.#desks = desks;
  }

  @Follow({
    service: 'sessions',
    name: 'requests',
    per: 'home',
    stream: 'IN',
    filters: ['in.{region}.*.{home}.contact.*'],
    order: 'submit',
    shared: true,
  })
  onRequest(@Payload() message: LogMessage, @Ctx() context: FollowContext): Promise<HandlerResult> {
    return this.#desks.open(context.home).onRequest(message, context.from);
  }

  @Follow({
    service: 'sessions',
    name: 'routing',
    per: 'home',
    stream: 'EV',
    filters: ['*.routing.*'],
    order: 'submit',
  })
  async onRouting(
    @Payload() message: LogMessage,
    @Ctx() context: FollowContext,
  ): Promise<HandlerResult> {
    const outcomes = await this.#desks.open(context.home).onRouting(message, context.from);
    // An offer for a contact that ended meanwhile is nobody's mistake: nothing is set aside.
    return outcomes.filter((outcome) => outcome.kind === 'decided');
  }
}
