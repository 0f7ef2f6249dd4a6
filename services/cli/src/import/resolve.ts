import type { Channel, History, Step, Tally } from './history.ts';

/** What is known of a contact of the file. */
export interface KnownContact {
  readonly channel: Channel;
  /** Who answered it first. */
  readonly agent?: string;
}

/** Steps of which each can follow the one before: what is missing is put in, what cannot be is left. */
export interface Resolved {
  readonly steps: readonly Step[];
  readonly contacts: ReadonlyMap<string, KnownContact>;
  /** Every agent, with the most contacts of each channel that were theirs at once. */
  readonly agents: ReadonlyMap<string, ReadonlyMap<Channel, number>>;
  readonly queues: ReadonlySet<string>;
  readonly inferred: Tally;
  readonly notMapped: Tally;
}

type Counts = Map<string, { count: number; first: string }>;
type ContactStep = Extract<Step, { readonly contact: string }>;
type AgentStep = Extract<Step, { readonly kind: 'SIGN_IN' | 'SIGN_OUT' | 'BACK' | 'AWAY' }>;
type Stage = 'BEGUN' | 'QUEUED' | 'ANSWERED' | 'WRAP_UP' | 'OVER';

export function resolve(history: History): Resolved {
  return new Resolver(history).run();
}

class Resolver {
  readonly #history: History;
  readonly #steps: Step[] = [];
  readonly #contacts = new Map<string, { channel: Channel; agent?: string }>();
  readonly #stages = new Map<string, Stage>();
  readonly #presence = new Map<string, 'AVAILABLE' | 'AWAY'>();
  readonly #busy = new Map<string, Map<Channel, number>>();
  readonly #limits = new Map<string, Map<Channel, number>>();
  readonly #queues = new Set<string>();
  readonly #inferred: Counts = new Map();
  readonly #notMapped: Counts;
  /** Contacts whose after-call work has an end in the file, as often as it has. */
  readonly #toBeWrapped: Set<string>;

  constructor(history: History) {
    this.#history = history;
    this.#notMapped = new Map([...history.notMapped].map(([name, one]) => [name, { ...one }]));
    this.#toBeWrapped = new Set(
      history.steps.flatMap((step) => (step.kind === 'WRAPPED' ? [step.contact] : [])),
    );
  }

  run(): Resolved {
    const { steps } = this.#history;
    this.#signInFromBefore();
    for (const step of steps) {
      if ('contact' in step) this.#contact(step);
      else this.#agent(step);
    }
    const lastMs = steps.at(-1)?.atMs ?? 0;
    for (const agent of this.#presence.keys()) {
      this.#infer(`the sign-out of an agent at the end of the file`, agent);
      this.#steps.push({ kind: 'SIGN_OUT', agent, atMs: lastMs });
    }
    for (const [contact, stage] of this.#stages) {
      if (stage !== 'OVER') this.#leave('the end of a contact that is still open', contact);
    }
    return {
      steps: this.#steps,
      contacts: this.#contacts,
      agents: this.#limits,
      queues: this.#queues,
      inferred: this.#inferred,
      notMapped: this.#notMapped,
    };
  }

  /** Agents of whom the file says something before it says that they sign in. */
  #signInFromBefore(): void {
    const first = new Map<string, Step['kind']>();
    for (const step of this.#history.steps) {
      if ('agent' in step && !first.has(step.agent)) first.set(step.agent, step.kind);
    }
    const atMs = this.#history.steps[0]?.atMs ?? 0;
    for (const [agent, kind] of first) {
      if (kind === 'SIGN_IN' || kind === 'BACK') continue;
      this.#infer('the sign-in of an agent from before the file', agent);
      this.#signIn(agent, atMs);
    }
  }

  #signIn(agent: string, atMs: number): void {
    this.#presence.set(agent, 'AVAILABLE');
    if (!this.#limits.has(agent)) this.#limits.set(agent, new Map([['VOICE', 1]]));
    this.#steps.push({ kind: 'SIGN_IN', agent, atMs });
  }

  #agent(step: AgentStep): void {
    const { kind, agent, atMs } = step;
    const presence = this.#presence.get(agent);
    if (presence === undefined) {
      if (kind === 'SIGN_OUT') return this.#leave('the sign-out of who is signed out', agent);
      if (kind === 'BACK') this.#infer('the sign-in of an agent who becomes available', agent);
      this.#signIn(agent, atMs);
      if (kind !== 'AWAY') return undefined;
      this.#infer('the sign-in of an agent who goes away', agent);
    } else if (kind === 'SIGN_IN') return this.#leave('the sign-in of who is signed in', agent);
    else if (kind === 'BACK' && presence === 'AVAILABLE') {
      return this.#leave('becoming available of who is available', agent);
    }
    if (kind === 'SIGN_OUT') this.#presence.delete(agent);
    else this.#presence.set(agent, kind === 'AWAY' ? 'AWAY' : 'AVAILABLE');
    this.#steps.push(step);
    return undefined;
  }

  #contact(step: ContactStep): void {
    const { contact, kind } = step;
    const stage = this.#stages.get(contact);
    if (kind === 'BEGIN') {
      if (stage !== undefined) return this.#leave('a second beginning of a contact', contact);
      this.#contacts.set(contact, { channel: step.channel });
      return this.#go(step, 'BEGUN');
    }
    if (stage === undefined) {
      return this.#leave(`${kind} of a contact that began before the file`, contact);
    }
    switch (kind) {
      case 'QUEUE':
        if (stage !== 'BEGUN') return this.#leave('a further queue of a contact', contact);
        this.#queues.add(step.queue);
        return this.#go(step, 'QUEUED');
      case 'ANSWER':
        return this.#answer(step, stage);
      case 'HOLD':
      case 'RESUME':
        if (stage !== 'ANSWERED') return this.#leave(`${kind} of who is not answered`, contact);
        return this.#go(step, stage);
      case 'HANG_UP':
        return this.#hangUp(step, stage);
      default:
        return this.#wrapped(step, stage);
    }
  }

  #go(step: ContactStep, stage: Stage): void {
    this.#stages.set(step.contact, stage);
    this.#steps.push(step);
  }

  #answer(step: Extract<Step, { readonly kind: 'ANSWER' }>, stage: Stage): void {
    const { contact, agent, atMs } = step;
    if (stage === 'BEGUN') return this.#leave('an answer to who was in no queue', contact);
    if (stage !== 'QUEUED') return this.#leave('a further answer to a contact', contact);
    const known = this.#contacts.get(contact);
    if (known === undefined) return undefined;
    known.agent = agent;
    const presence = this.#presence.get(agent);
    if (presence === undefined) {
      this.#infer('the sign-in of an agent who answers', agent);
      this.#signIn(agent, atMs);
    } else if (presence === 'AWAY') {
      this.#infer('the return of an agent who answers', agent);
      this.#presence.set(agent, 'AVAILABLE');
      this.#steps.push({ kind: 'BACK', agent, atMs });
    }
    this.#count(agent, known.channel, 1);
    return this.#go(step, 'ANSWERED');
  }

  #hangUp(step: Extract<Step, { readonly kind: 'HANG_UP' }>, stage: Stage): void {
    const { contact, atMs } = step;
    if (stage === 'WRAP_UP' || stage === 'OVER') {
      return this.#leave('a further end of a contact', contact);
    }
    if (stage !== 'ANSWERED') return this.#go(step, 'OVER');
    this.#go(step, 'WRAP_UP');
    if (this.#toBeWrapped.has(contact)) return undefined;
    this.#infer('the end of after-call work, at the end of the conversation', contact);
    return this.#wrapped({ kind: 'WRAPPED', contact, atMs }, 'WRAP_UP');
  }

  #wrapped(step: Extract<Step, { readonly kind: 'WRAPPED' }>, stage: Stage): void {
    const { contact, atMs } = step;
    if (stage === 'ANSWERED') {
      this.#infer('the end of a conversation, at the end of its after-call work', contact);
      this.#go({ kind: 'HANG_UP', contact, by: 'SYSTEM', atMs }, 'WRAP_UP');
    } else if (stage !== 'WRAP_UP') {
      return this.#leave('the end of after-call work that never began', contact);
    }
    const { agent, channel } = this.#contacts.get(contact) ?? {};
    if (agent !== undefined && channel !== undefined) this.#count(agent, channel, -1);
    return this.#go(step, 'OVER');
  }

  /** How many contacts of a channel an agent has at once, and had at most. */
  #count(agent: string, channel: Channel, change: number): void {
    const busy = this.#busy.get(agent) ?? new Map<Channel, number>();
    const now = (busy.get(channel) ?? 0) + change;
    this.#busy.set(agent, busy.set(channel, now));
    const limits = this.#limits.get(agent) ?? new Map<Channel, number>();
    this.#limits.set(agent, limits.set(channel, Math.max(1, now, limits.get(channel) ?? 1)));
  }

  #infer(what: string, whose: string): void {
    tally(this.#inferred, what, whose);
  }

  #leave(what: string, whose: string): void {
    tally(this.#notMapped, what, whose);
  }
}

function tally(counts: Counts, name: string, first: string): void {
  const known = counts.get(name);
  if (known === undefined) counts.set(name, { count: 1, first });
  else known.count += 1;
}
