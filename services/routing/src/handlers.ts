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
import { Lender } from './lender.ts';
import { Routing, type RoutingOutcome } from './routing.ts';

/** How often the queue lengths are told to the metrics, in ms. */
const gaugeEveryMs = 1_000;

/** The shell of routing: what it follows for each home, in the order of the sources. */
@Controller()
export class RoutingHandlers {
  readonly #desks: Desks<Routing>;
  readonly #metrics: Metrics;
  readonly #clock: Clock;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CLOCK) clock: Clock,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.#metrics = metrics;
    this.#clock = clock;
    const lender = new Lender(() => clock.now());
    const desks = service.desks<Routing>({
      own: ['*.routing.*'],
      create: (home, journal) =>
        new Routing({
          journal,
          now: () => clock.now(),
          random: seeded(`${home}/routing`),
          onConflict: () => metrics.conflict(),
          onMoved: () => lender.moved(),
          trace: (name, parent, work) =>
            withSpan(name, parent, () => work(currentTraceparent() ?? parent)),
        }),
      timer: {
        name: 'offers',
        next: (desk) => desk.nextDueMs(),
        fire: (desk, now) => desk.fireDue(now),
      },
    });
    this.#desks = desks;
    lender.keeps(desks);
    const lending = service.timer({
      name: 'lending',
      next: () => lender.nextDueMs(),
      fire: () => lender.fire(),
    });
    lender.onDue(() => lending.touch());
    const gauge = setInterval(() => this.#tellQueueLengths(), gaugeEveryMs);
    gauge.unref();
    service.onClose(async () => {
      clearInterval(gauge);
      await Promise.all(desks.all().map(([, desk]) => desk.close()));
    });
  }

  @Follow({
    service: 'routing',
    name: 'requests',
    per: 'home',
    stream: 'IN',
    order: 'submit',
    filters: [
      'in.{region}.*.{home}.reservation.*',
      'in.{region}.*.{home}.agent.*',
      // Queues are the same everywhere: every home's routing takes what is said of one.
      'in.{region}.*.*.queue.*',
    ],
  })
  onRequest(@Payload() message: LogMessage, @Ctx() context: FollowContext): Promise<HandlerResult> {
    return this.#desks.open(context.home).onRequest(message, context.from);
  }

  @Follow({
    service: 'routing',
    name: 'decisions',
    per: 'home',
    stream: 'EV',
    filters: ['*.contact.*'],
    filtersOfOthers: ['*.routing.*'],
    order: 'submit',
  })
  async onDecision(
    @Payload() message: LogMessage,
    @Ctx() context: FollowContext,
  ): Promise<HandlerResult> {
    const outcome = await this.#desks.open(context.home).onDecision(message, context.from);
    if (outcome?.kind === 'decided') this.#measureOffer(message, outcome);
    return outcome;
  }

  /** From the storing of `contact.queued` until the offer is stored, where the offer came at once. */
  #measureOffer(message: LogMessage, outcome: RoutingOutcome): void {
    if (outcome.kind !== 'decided' || this.#clock.source !== 'system') return;
    if (outcome.events.some((event) => event.type === 'meridian.reservation.created.v1')) {
      this.#metrics.offered(Date.now() - message.storedAtMs);
    }
  }

  #tellQueueLengths(): void {
    const lengths = new Map<string, number>();
    for (const [, routing] of this.#desks.allOpen()) {
      for (const [tenant, state] of routing.states()) {
        for (const queueId of state.queues.keys()) {
          const key = JSON.stringify([tenant, queueId]);
          const { length } = state.waiting.ofQueue(queueId);
          lengths.set(key, (lengths.get(key) ?? 0) + length);
        }
      }
    }
    for (const [key, length] of lengths) {
      const [tenant, queueId] = JSON.parse(key) as [string, string];
      this.#metrics.queueLength(tenant, queueId, length);
    }
  }
}
