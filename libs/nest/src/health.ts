import { Controller, Get, Res } from '@nestjs/common';
import { Link, type LinkState } from './link.ts';
import { MetricsRegistry } from './metrics.ts';
import type { ServiceStatus } from './service-runtime.ts';
import { Services } from './services.ts';

/** What the health routes answer. */
export interface Health {
  readonly ok: boolean;
  /** Why not; empty when ok. */
  readonly reasons: readonly string[];
  readonly nats: LinkState;
  readonly services: readonly ServiceStatus[];
}

/** Whether the process is worth keeping: false when only a restart (or a person) helps. */
export function liveness(nats: LinkState, services: readonly ServiceStatus[]): Health {
  const reasons = services
    .filter(({ state }) => state === 'stopped')
    .map(({ service, detail }) => `${service} has stopped: ${detail ?? 'no reason given'}`);
  if (nats === 'closed') reasons.push('the connection to NATS is closed for good');
  return { ok: reasons.length === 0, reasons, nats, services };
}

/** Whether the process does its work now. */
export function readiness(nats: LinkState, services: readonly ServiceStatus[]): Health {
  const { reasons } = liveness(nats, services);
  const more = services
    .filter(({ state }) => state !== 'open' && state !== 'stopped')
    .map(
      ({ service, state, detail }) =>
        `${service} is ${state}${detail === undefined ? '' : `: it ${detail}`}`,
    );
  if (nats === 'away') more.unshift('the connection to NATS is away');
  const all = [...reasons, ...more];
  return { ok: all.length === 0, reasons: all, nats, services };
}

interface Reply {
  status(code: number): Reply;
  type(contentType: string): Reply;
  send(body: unknown): unknown;
}

/** `/health/live`, `/health/ready` and `/metrics`. */
@Controller()
export class HealthController {
  readonly #services: Services;
  readonly #link: Link;
  readonly #metrics: MetricsRegistry;

  constructor(services: Services, link: Link, metrics: MetricsRegistry) {
    this.#services = services;
    this.#link = link;
    this.#metrics = metrics;
  }

  @Get('health/live')
  live(@Res() reply: Reply): void {
    answer(reply, liveness(this.#link.state, this.#statuses()));
  }

  @Get('health/ready')
  ready(@Res() reply: Reply): void {
    answer(reply, readiness(this.#link.state, this.#statuses()));
  }

  @Get('metrics')
  async metrics(@Res() reply: Reply): Promise<void> {
    reply.type(this.#metrics.contentType).send(await this.#metrics.text());
  }

  #statuses(): ServiceStatus[] {
    return this.#services.all().map(({ status }) => status);
  }
}

function answer(reply: Reply, health: Health): void {
  reply.status(health.ok ? 200 : 503).send(health);
}
