import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../domain/problem.ts';
import { notServed, sendProblem } from './answer.ts';
import type { Route } from './route.ts';

/** Makes problem documents of what Nest's own routes, and those that are none, fail with. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #routes: readonly Route[];
  readonly #onFault: (error: unknown) => void;

  constructor(routes: readonly Route[], onFault: (error: unknown) => void) {
    this.#routes = routes;
    this.#onFault = onFault;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof Refusal) return sendProblem(reply, error);
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 404) return sendProblem(reply, notServed(request, this.#routes));
    if (status >= 500) this.#onFault(error);
    sendProblem(
      reply,
      status === 500 ? error : { statusCode: status, message: (error as Error).message },
    );
  }
}
