import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { LogMessage } from '@meridian/journal';
import {
  CLOCK,
  CONFIG,
  Follow,
  FollowContext,
  SERVICE,
  type Clock,
  type Desks,
  type HandlerResult,
  type RegionConfig,
  type Service,
} from '@meridian/nest';
import { privacyHome } from '@meridian/privacy';
import { PrivacyDesk } from './privacy-desk.ts';

/** The shell of what is decided about persons' data: what it follows, for the one home. */
@Controller()
export class PrivacyHandlers {
  readonly #desks: Desks<PrivacyDesk>;

  constructor(
    @Inject(SERVICE) service: Service,
    @Inject(CONFIG) { regions }: RegionConfig,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.#desks = service.desks<PrivacyDesk>({
      own: ['*.privacy.*'],
      homes: [privacyHome(regions)],
      create: (_, journal) => new PrivacyDesk({ journal, now: () => clock.now() }),
    });
  }

  @Follow({
    service: 'privacy',
    name: 'requests',
    per: 'home',
    stream: 'IN',
    filters: ['in.{region}.*.{home}.privacy.*'],
    order: 'submit',
  })
  onRequest(@Payload() message: LogMessage, @Ctx() context: FollowContext): Promise<HandlerResult> {
    return this.#desks.open(context.home).onRequest(message, context.from);
  }
}
