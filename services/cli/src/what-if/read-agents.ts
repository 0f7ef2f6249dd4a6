import type { Channel, ChannelCapacity, Presence, SkillLevel } from '@meridian/wire';
import { listIn, numberIn, textIn, type LoggedEvent } from '../check/index.ts';
import type { AgentAct, AgentDay, Reaction } from './day.ts';

/** An offer while it is read: what the agent did is learned later. */
export interface ReadOffer {
  readonly agentId: string;
  reaction: Reaction;
}

/** What agents did of their own accord, read event by event. */
export class AgentReader {
  readonly #acts = new Map<string, AgentAct[]>();
  /** By agent: the offer that rang out, and when the agent was marked for it. */
  readonly #missed = new Map<string, { readonly offer: ReadOffer; readonly markedAtMs: number }>();
  /** By home and agent: asked to leave, so that signing out is no act of its own. */
  readonly #leaving = new Set<string>();
  /** By agent: the presence of now. */
  readonly #now = new Map<string, Presence>();

  /** By id, each with what they did in the order of the log. */
  agents(): AgentDay[] {
    return [...this.#acts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, acts]) => ({ id, acts }));
  }

  /**
   * Takes the next event of an agent: `signed_in` of `meridian.agent.signed_in.v1`.
   * @param offerOf the offer of a reservation, as long as its outcome may still become clearer
   */
  see(
    name: string,
    event: LoggedEvent,
    home: string,
    offerOf: (reservationId: string) => ReadOffer | undefined,
  ): void {
    const { subject: id, timeMs: atMs, data } = event;
    const desk = `${home}/${id}`;
    switch (name) {
      case 'signed_in':
        this.#leaving.delete(desk);
        this.#missed.delete(id);
        this.#act(id, {
          kind: 'SIGN_IN',
          atMs,
          home,
          sessionId: textIn(data, 'sessionId'),
          ...abilitiesOf(data),
          presence: (textIn(data, 'presence') || 'AVAILABLE') as Presence,
        });
        this.#now.set(id, (textIn(data, 'presence') || 'AVAILABLE') as Presence);
        break;
      case 'session_superseded':
        this.#leaving.delete(desk);
        this.#supersede(id, home, atMs, textIn(data, 'supersededBy'));
        break;
      case 'skills_changed':
      case 'capacity_changed':
        // They come with a second sign-in, in its entry.
        this.#amend(id, name, data);
        break;
      case 'sign_out_requested':
      case 'signed_out':
        this.#leave(name, id, home, atMs, textIn(data, 'elsewhere'));
        break;
      case 'not_responding': {
        const offer = offerOf(textIn(data, 'reservationId'));
        if (offer !== undefined) this.#missed.set(id, { offer, markedAtMs: atMs });
        break;
      }
      case 'state_changed':
        this.#presence(id, home, event);
        break;
      default:
    }
  }

  #act(id: string, act: AgentAct): void {
    const acts = this.#acts.get(id);
    if (acts === undefined) this.#acts.set(id, [act]);
    else acts.push(act);
  }

  #lastSignIn(id: string): (AgentAct & { readonly kind: 'SIGN_IN' }) | undefined {
    return this.#acts
      .get(id)
      ?.findLast((act): act is AgentAct & { kind: 'SIGN_IN' } => act.kind === 'SIGN_IN');
  }

  /** A second sign-in has the abilities of the first one unless it says so. */
  #supersede(id: string, home: string, atMs: number, sessionId: string): void {
    const before = this.#lastSignIn(id);
    if (before === undefined) return;
    this.#missed.delete(id);
    const presence = this.#now.get(id) === 'AWAY' ? 'AWAY' : 'AVAILABLE';
    this.#act(id, { ...before, atMs, home, sessionId, presence });
  }

  #amend(id: string, name: string, data: LoggedEvent['data']): void {
    const acts = this.#acts.get(id) ?? [];
    const index = acts.findLastIndex(({ kind }) => kind === 'SIGN_IN');
    const act = acts[index];
    if (act?.kind !== 'SIGN_IN') return;
    const { skills, capacities } = abilitiesOf(data);
    acts[index] = {
      ...act,
      ...(name === 'skills_changed' ? { skills } : { capacities }),
    };
  }

  #leave(name: string, id: string, home: string, atMs: number, elsewhere: string): void {
    const desk = `${home}/${id}`;
    this.#missed.delete(id);
    const isAsked = this.#leaving.has(desk);
    if (name === 'sign_out_requested') this.#leaving.add(desk);
    else this.#leaving.delete(desk);
    // Whom a sign-in elsewhere ended is signed out by that again.
    if (isAsked || elsewhere !== '') return;
    this.#act(id, { kind: 'SIGN_OUT', atMs, home });
  }

  #presence(id: string, home: string, { timeMs: atMs, data }: LoggedEvent): void {
    const to = textIn(data, 'to') as Presence;
    this.#now.set(id, to);
    const missed = this.#missed.get(id);
    this.#missed.delete(id);
    const from = textIn(data, 'from');
    if (from === 'NOT_RESPONDING' && to === 'AVAILABLE' && missed !== undefined) {
      const backAfterMs = atMs - missed.markedAtMs;
      missed.offer.reaction = { kind: 'MISSES', backAfterMs };
      return;
    }
    const acts = this.#acts.get(id) ?? [];
    const last = acts.at(-1);
    if (last?.kind === 'SIGN_IN' && last.atMs === atMs) {
      // In the entry of a second sign-in: what that one asked for.
      acts[acts.length - 1] = { ...last, presence: to };
      return;
    }
    const reason = textIn(data, 'reasonCode');
    const why = reason === '' ? {} : { reason };
    this.#act(id, { kind: 'PRESENCE', atMs, home, presence: to, ...why });
  }
}

function abilitiesOf(data: LoggedEvent['data']): {
  readonly skills: readonly SkillLevel[];
  readonly capacities: readonly ChannelCapacity[];
} {
  return {
    skills: listIn(data, 'skills').map((one) => ({
      skill: textIn(one, 'skill'),
      level: numberIn(one, 'level'),
    })),
    capacities: listIn(data, 'capacities').map((one) => ({
      channel: textIn(one, 'channel') as Channel,
      limit: numberIn(one, 'limit'),
    })),
  };
}
