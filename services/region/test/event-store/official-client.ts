import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { eventually } from '@meridian/testing';
import type { ClientReport, ClientRequest, Follow } from './messages.ts';

type Kind<K extends ClientReport['kind']> = Extract<ClientReport, { kind: K }>;

/** What somebody who follows has seen. */
export interface Followed {
  /** The ids of the events, in the order in which they came. */
  readonly ids: string[];
  readonly drops: Kind<'dropped'>[];
  caughtUp: number;
  checkpoints: number;
}

/** One of the official clients, in a process of its own. */
export class OfficialClient {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (report: ClientReport) => void>();
  readonly #followed = new Map<string, Followed>();
  #calls = 0;
  #isReady = false;
  /** Its own words, for a failure's message. */
  output = '';

  constructor(library: 'kurrentdb' | 'eventstore') {
    const program = fileURLToPath(new URL('client-process.ts', import.meta.url));
    this.#child = fork(program, [library], { execArgv: [], silent: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text.toString();
      });
    }
    this.#child.on('message', (report: ClientReport) => this.#take(report));
  }

  async open(): Promise<void> {
    await eventually('a client', () => this.#isReady || this.#fault(), { timeoutMs: 30_000 });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  /** Appends one event after a revision (null: to a stream that is not there). @returns its id */
  async append(
    addresses: readonly string[],
    stream: string,
    expected: number | null,
  ): Promise<{ readonly id: string; readonly refusals: readonly string[] }> {
    const eventId = randomUUID();
    const answer = await this.#ask({ kind: 'append', addresses, stream, eventId, expected });
    if (answer.kind !== 'appended') throw new Error(JSON.stringify(answer));
    if (answer.revision !== (expected ?? -1) + 1) throw new Error(JSON.stringify(answer));
    return { id: eventId, refusals: answer.refusals };
  }

  /** The ids of a stream's events. */
  async read(address: string, stream: string): Promise<readonly string[]> {
    const answer = await this.#ask({ kind: 'read', address, stream });
    if (answer.kind !== 'read') throw new Error(JSON.stringify(answer));
    return answer.ids;
  }

  follow(name: string, what: Omit<Follow, 'kind' | 'name'>): Followed {
    const followed: Followed = { ids: [], drops: [], caughtUp: 0, checkpoints: 0 };
    this.#followed.set(name, followed);
    this.#child.send({ kind: 'follow', name, ...what } satisfies ClientRequest);
    return followed;
  }

  #ask(
    request:
      | Omit<Extract<ClientRequest, { kind: 'append' }>, 'call'>
      | Omit<Extract<ClientRequest, { kind: 'read' }>, 'call'>,
  ): Promise<ClientReport> {
    const call = (this.#calls += 1);
    return new Promise((resolve) => {
      this.#answers.set(call, resolve);
      this.#child.send({ ...request, call } as ClientRequest);
    });
  }

  #fault(): false {
    if (this.#child.exitCode !== null) throw new Error(this.output);
    return false;
  }

  #take(report: ClientReport): void {
    if (report.kind === 'ready') this.#isReady = true;
    else if ('call' in report) this.#answers.get(report.call)?.(report);
    else {
      const followed = this.#followed.get(report.name) as Followed;
      if (report.kind === 'event') followed.ids.push(report.id);
      else if (report.kind === 'dropped') followed.drops.push(report);
      else if (report.kind === 'caught-up') followed.caughtUp += 1;
      else followed.checkpoints += 1;
    }
  }
}
