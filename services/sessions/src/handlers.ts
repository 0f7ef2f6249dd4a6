import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { seeded } from '@meridian/core';
import type { Journal, Log, LogMessage } from '@meridian/journal';
import {
  CLOCK,
  currentTraceparent,
  Follow,
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
import { Sessions } from './sessions.ts';

/** The shell of sessions: what it follows, and when it opens. */
@Controller()
export class SessionsHandlers {
  readonly #sessions: Sessions;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(JOURNAL) journal: Journal,
    @Inject(LOG) log: Log,
    @Inject(CLOCK) clock: Clock,
    @Inject(METRICS) metrics: Metrics,
    @Inject(WRITER) writer: Writer,
  ) {
    this.#sessions = new Sessions({
      journal,
      now: () => clock.now(),
      random: seeded(`${writer.region}/sessions`),
      onConflict: () => metrics.conflict(),
      trace: (name, parent, work) =>
        withSpan(name, parent, () => work(currentTraceparent() ?? parent)),
    });
    service.onOpen(async () => {
      const filters = [`ev.${writer.region}.${writer.home}.*.contact.*`];
      for await (const batch of log.replayBatches(eventStream(writer.region), { filters })) {
        for (const message of batch) this.#sessions.absorb(message);
      }
    });
    service.timer({
      name: 'contacts',
      next: () => this.#sessions.nextDueMs(),
      fire: (now) => this.#sessions.fireDue(now),
    });
  }

  @Follow({
    service: 'sessions',
    name: 'requests',
    stream: 'IN',
    filters: ['in.{region}.*.{region}.contact.*'],
    order: 'submit',
  })
  onRequest(@Payload() message: LogMessage): Promise<HandlerResult> {
    return this.#sessions.onRequest(message);
  }

  @Follow({
    service: 'sessions',
    name: 'routing',
    stream: 'EV',
    filters: ['ev.{region}.{region}.*.routing.*'],
    order: 'submit',
  })
  async onRouting(@Payload() message: LogMessage): Promise<HandlerResult> {
    const outcomes = await this.#sessions.onRouting(message);
    // An offer for a contact that ended meanwhile is nobody's mistake: nothing is set aside.
    return outcomes.filter((outcome) => outcome.kind === 'decided');
  }
}
