import { setTimeout as wait } from 'node:timers/promises';
import type { RawEntry } from '@meridian/cli';
import { storedMs } from './findings.ts';
import { post, source, type OutsideRequest } from './post.ts';
import { untilTrue, type Stage } from './stage.ts';

/** A command about the call, and when the edge said that it holds it (epoch ms); undefined: it did not. */
export interface Commanded {
  readonly id: string;
  readonly type: string;
  readonly acknowledgedAt: number | undefined;
}

const queueId = 'drill-long';
const skill = 'drill-long';
const readyLimitMs = 30_000;

/**
 * A customer and an agent who talk before the blow, and go on: the agent puts the customer on hold
 * and takes them back, and hangs up in the end. Nobody else has anything to do with them.
 */
export class LongCall {
  readonly contactId: string;
  readonly commands: Commanded[] = [];
  readonly #stage: Stage;
  readonly #region: string;

  private constructor(stage: Stage, region: string) {
    this.#stage = stage;
    this.#region = region;
    this.contactId = `long-${region}-${stage.startedAt}`;
  }

  /** Resolves once they talk. @throws Error when that takes more than half a minute */
  static async begin(stage: Stage, region: string): Promise<LongCall> {
    const call = new LongCall(stage, region);
    const { contactId } = call;
    const agentId = `${contactId}-agent`;
    const settings = {
      requirements: [{ skill, minimumLevel: 1 }],
      strategy: 'LONGEST_IDLE',
      offerTtlMs: 20_000,
      ageingMsPerLevel: 60_000,
      serviceLevelMs: 20_000,
    };
    const session = {
      sessionId: `${agentId}-session`,
      skills: [{ skill, level: 5 }],
      capacities: [{ channel: 'VOICE', limit: 1 }],
      presence: 'AVAILABLE',
    };
    await call.#sure('queue.configure', queueId, { settings });
    await call.#sure('agent.sign_in', agentId, session);
    await call.#sure('contact.initiate', contactId, { method: 'INBOUND', channel: 'VOICE' });
    await call.#sure('contact.enter_queue', contactId, { queueId, priority: 0 });
    await call.#until('OFFERED');
    await call.#sure('reservation.accept', `${contactId}-r1`, { agentId });
    await call.#until('CONNECTED');
    return call;
  }

  /** Says something once, and notes whether it was acknowledged. */
  async command(what: 'hold' | 'resume' | 'hang_up'): Promise<void> {
    const type = `meridian.contact.${what}.v1`;
    const id = `${this.contactId}/${this.commands.length}-${what}`;
    const data = what === 'hang_up' ? { by: 'AGENT', reason: 'done' } : {};
    const request = { id, type, subject: this.contactId, region: this.#region, data };
    const isStored = await this.#post(request);
    this.commands.push({ id, type, acknowledgedAt: isStored ? Date.now() : undefined });
  }

  /** Holds and takes back, for so long, and hangs up. */
  async goOn(ms: number, everyMs = 1_000): Promise<void> {
    for (let turn = 0; turn * everyMs < ms; turn += 1) {
      await this.command(turn % 2 === 0 ? 'hold' : 'resume');
      await wait(everyMs);
    }
    await this.command('hang_up');
  }

  async #sure(what: string, subject: string, data: unknown): Promise<void> {
    const type = `meridian.${what}.v1`;
    const request = { id: `${subject}/${what}`, type, subject, region: this.#region, data };
    if (await untilTrue(readyLimitMs, () => this.#post(request))) return;
    throw new Error(`${this.#region} did not take ${type} of ${subject} in within 30 s.`);
  }

  async #post(request: OutsideRequest): Promise<boolean> {
    const posted = await post(this.#stage.edge(this.#region), [request], 'region');
    if (posted.kind === 'stored') this.#stage.acknowledgements.add('region', posted.places);
    return posted.kind === 'stored';
  }

  async #until(state: string): Promise<void> {
    const { url, key } = this.#stage.edge(this.#region);
    const isSo = await untilTrue(readyLimitMs, async () => {
      const answer = await fetch(`${url}/v1/contacts/${this.contactId}`, {
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(3_000),
      });
      return answer.ok && ((await answer.json()) as { state: string }).state === state;
    });
    if (!isSo) throw new Error(`${this.contactId} was not ${state} within 30 s.`);
  }
}

/**
 * When each command was decided: the time at which the first entry that it caused was stored.
 * @returns epoch ms by the command's id
 */
export async function decidedAt(
  { contactId, commands }: Pick<LongCall, 'contactId' | 'commands'>,
  streams: Iterable<AsyncIterable<RawEntry>>,
): Promise<Map<string, number>> {
  const wanted = new Map(commands.map(({ id }) => [`${source}#${id}`, id]));
  const found = new Map<string, number>();
  for (const entries of streams) {
    for await (const entry of entries) {
      if (!entry.subject.endsWith(`.contact.${contactId}`)) continue;
      for (const [cause, id] of wanted) {
        if (!entry.data.includes(`"causationid":${JSON.stringify(cause)}`)) continue;
        found.set(id, Math.min(storedMs(entry), found.get(id) ?? Infinity));
      }
    }
  }
  return found;
}
