import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { seeded } from '@meridian/core';
import type { Journal, Log, LogMessage } from '@meridian/journal';
import {
  CLOCK,
  currentTraceparent,
  Follow,
  FollowContext,
  JOURNAL,
  LOG,
  METRICS,
  SERVICE,
  WRITER,
  withSpan,
  type Clock,
  type HandlerResult,
  type Metrics,
  type Service,
} from '@meridian/nest';
import { eventStream, type Writer } from '@meridian/wire';
import { Routing, type RoutingOutcome } from './routing.ts';

/** How often the queue lengths are told to the metrics, in ms. */
const gaugeEveryMs = 1_000;

/** The shell of routing: what it follows, in the order of the streams, and when it opens. */
@Controller()
export class RoutingHandlers {
  readonly #routing: Routing;
  readonly #metrics: Metrics;
  readonly #clock: Clock;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(JOURNAL) journal: Journal,
    @Inject(LOG) log: Log,
    @Inject(CLOCK) clock: Clock,
    @Inject(METRICS) metrics: Metrics,
    @Inject(WRITER) writer: Writer,
  ) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#routing = new Routing({
      journal,
      now: () => clock.now(),
      random: seeded(`${writer.region}/routing`),
      onConflict: () => metrics.conflict(),
      trace: (name, parent, work) =>
        withSpan(name, parent, () => work(currentTraceparent() ?? parent)),
    });
    service.onOpen(async () => {
      const filters = [`ev.${writer.region}.${writer.home}.*.routing.*`];
      for await (const batch of log.replayBatches(eventStream(writer.region), { filters })) {
        for (const message of batch) this.#routing.absorb(message);
      }
      this.#routing.ready();
    });
    service.timer({
      name: 'offers',
      next: () => this.#routing.nextDueMs(),
      fire: (now) => this.#routing.fireDue(now),
    });
    const gauge = setInterval(() => this.#tellQueueLengths(), gaugeEveryMs);
    gauge.unref();
    service.onClose(() => {
      clearInterval(gauge);
      return this.#routing.close();
    });
  }

  @Follow({
    service: 'routing',
    name: 'requests',
    stream: 'IN',
    order: 'submit',
    filters: [
      'in.{region}.*.{region}.reservation.*',
      'in.{region}.*.{region}.agent.*',
      'in.{region}.*.{region}.queue.*',
    ],
  })
  onRequest(@Payload() message: LogMessage, @Ctx() context: FollowContext): Promise<HandlerResult> {
    return this.#routing.onRequest(message, context.asked);
  }

  @Follow({
    service: 'routing',
    name: 'contacts',
    stream: 'EV',
    filters: ['ev.{region}.{region}.*.contact.*'],
    order: 'submit',
  })
  async onContact(
    @Payload() message: LogMessage,
    @Ctx() context: FollowContext,
  ): Promise<HandlerResult> {
    const outcome = await this.#routing.onContact(message, context.asked);
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
    for (const [tenant, state] of this.#routing.states()) {
      for (const queueId of state.queues.keys()) {
        this.#metrics.queueLength(tenant, queueId, state.waiting.ofQueue(queueId).length);
      }
    }
  }
}
