import type { Channel, ChannelCapacity, QueueSettings, SkillLevel } from '@meridian/wire';
import { contractOf, validateData } from '@meridian/wire';
import { usageFault } from '../fault.ts';
import { lastSettings, type RecordedDay } from './day.ts';

/** What is to be otherwise, as the file says it: all parts may be absent. */
export interface Changes {
  /** By queue, or `*` for all of them: settings that replace the recorded ones. */
  readonly queues: Readonly<Record<string, Partial<QueueSettings>>>;
  readonly agents: {
    readonly add: readonly AddedAgent[];
    readonly remove: readonly string[];
    /** By agent, or `*` for all of them. */
    readonly change: Readonly<Record<string, ChangedAgent>>;
  };
  /** Skills that contacts ask for beyond their queue and shall not: a name, or `prefix*`. */
  readonly dropSkills: readonly string[];
}

interface Abilities {
  readonly skills?: readonly SkillLevel[];
  readonly capacities?: readonly ChannelCapacity[];
}

export interface AddedAgent extends Abilities {
  readonly id?: string;
  /** Whose day, abilities and ways this agent has. */
  readonly like?: string;
  readonly count: number;
  readonly home?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface ChangedAgent extends Abilities {
  readonly addSkills?: readonly SkillLevel[];
  readonly dropSkills?: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** How many mistakes are named at once. */
const mistakesLimit = 10;
const settingNames = [
  'requirements',
  'strategy',
  'offerTtlMs',
  'ageingMsPerLevel',
  'serviceLevelMs',
];
const example =
  '{ "queues": { "*": { "strategy": "MOST_SKILLED" } }, "agents": { "add": [{ "like": "agent-01" }] } }';

/** Reads a file's values and notes each mistake with its place: what, where, what to do. */
class Checker {
  readonly mistakes: string[] = [];

  say(where: string, what: string): undefined {
    this.mistakes.push(`${where} ${what}`);
    return undefined;
  }

  object(value: unknown, where: string, known?: readonly string[]): Json {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      if (value !== undefined) this.say(where, `is ${show(value)}; it must be an object.`);
      return {};
    }
    if (known !== undefined) {
      for (const name of Object.keys(value)) {
        if (known.includes(name)) continue;
        this.say(`${where}.${name}`, `is not known; known are ${known.join(', ')}.`);
      }
    }
    return value as Json;
  }

  list(value: unknown, where: string): readonly unknown[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value as unknown[];
    this.say(where, `is ${show(value)}; it must be a list.`);
    return [];
  }

  texts(value: unknown, where: string): string[] {
    return this.list(value, where).flatMap((one, index) => {
      if (typeof one === 'string' && one !== '') return [one];
      this.say(`${where}[${index}]`, `is ${show(one)}; it must be a text.`);
      return [];
    });
  }

  text(value: unknown, where: string): string | undefined {
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    return this.say(where, `is ${show(value)}; it must be a text.`);
  }

  moment(value: unknown, where: string): number | undefined {
    if (value === undefined) return undefined;
    const atMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    if (Number.isFinite(atMs)) return atMs;
    return this.say(where, `is ${show(value)}; it must be a time such as 2026-03-02T08:00:00Z.`);
  }

  one(value: string, where: string, known: Iterable<string>, noun: string): void {
    const names = [...known].toSorted();
    if (names.includes(value)) return;
    const some = names.slice(0, 12).join(', ');
    this.say(
      where,
      `names ${show(value)}; the record has no such ${noun}. It has ${some}` +
        `${names.length > 12 ? `, and ${names.length - 12} more` : ''}.`,
    );
  }

  /** Whether the contract takes it. @param at where the file has what a pointer into the data names */
  contract(type: string, data: Json, at: (pointer: string) => string): void {
    const contract = contractOf(type);
    if (contract === undefined) throw new Error(`There is no contract of ${type}.`);
    for (const { pointer, detail } of validateData(contract, data)) {
      const where = at(pointer.replace(/^\/data/, '')).replaceAll(/[./](\d+)/g, '[$1]');
      this.say(where, detail.replace(`${pointer} `, ''));
    }
  }
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
};

/**
 * Reads what is to be changed and holds it against the record.
 * @param file its name, for the message
 * @throws CommandFault (usage) that names every mistake, up to ten of them
 */
export function parseChanges(text: string, file: string, day: RecordedDay): Changes {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usageFault(
      `${file} is no JSON (${(error as Error).message}).\nWrite an object such as ${example}`,
    );
  }
  const check = new Checker();
  const { queues, agents, contacts } = check.object(value, 'The file', [
    'queues',
    'agents',
    'contacts',
  ]);
  const wanted = check.object(agents, 'agents', ['add', 'remove', 'change']);
  const dropped = check.object(contacts, 'contacts', ['dropSkills']);
  const changes: Changes = {
    queues: queuesOf(check, queues, day),
    agents: {
      add: check
        .list(wanted['add'], 'agents.add')
        .map((one, index) => addedOf(check, one, `agents.add[${index}]`, day)),
      remove: removedOf(check, wanted['remove'], day),
      change: changedOf(check, wanted['change'], day),
    },
    dropSkills: check.texts(dropped['dropSkills'], 'contacts.dropSkills'),
  };
  if (!Array.isArray(value) && typeof value === 'object' && value !== null) {
    if (Object.keys(value).length === 0) check.say('The file', 'changes nothing.');
  } else check.say('The file', `is ${show(value)}; it must be an object.`);
  if (check.mistakes.length === 0) return changes;
  const named = check.mistakes.slice(0, mistakesLimit).map((one) => `  ${one}`);
  const more = check.mistakes.length - named.length;
  throw usageFault(
    `${file} cannot be used:\n${named.join('\n')}${more > 0 ? `\n  and ${more} more` : ''}\n` +
      `Correct it; a file looks like ${example}`,
  );
}

function queuesOf(check: Checker, value: unknown, day: RecordedDay): Changes['queues'] {
  const known = lastSettings(day);
  const queues = check.object(value, 'queues');
  for (const [id, given] of Object.entries(queues)) {
    const where = `queues.${id}`;
    const settings = check.object(given, where, settingNames);
    if (id !== '*') check.one(id, where, known.keys(), 'queue');
    const base = id === '*' ? [...known.values()][0] : known.get(id);
    if (base === undefined) continue;
    const merged = { settings: { ...base, ...settings } };
    check.contract('meridian.queue.configure.v1', merged, (pointer) =>
      pointer.replace('/settings', where).replaceAll('/', '.'),
    );
  }
  return queues as Changes['queues'];
}

/** Skills and capacities as a sign-in takes them. */
function abilitiesOf(check: Checker, given: Json, where: string): Abilities {
  const { skills, capacities } = given;
  const data = {
    sessionId: 'what-if',
    skills: skills ?? [],
    capacities: capacities ?? [{ channel: 'VOICE' satisfies Channel, limit: 1 }],
  };
  check.contract('meridian.agent.sign_in.v1', data, (pointer) =>
    `${where}${pointer}`.replaceAll('/', '.'),
  );
  twice(check, skills, 'skill', `${where}.skills`);
  twice(check, capacities, 'channel', `${where}.capacities`);
  return {
    ...(skills === undefined ? {} : { skills: skills as readonly SkillLevel[] }),
    ...(capacities === undefined ? {} : { capacities: capacities as readonly ChannelCapacity[] }),
  };
}

function twice(check: Checker, value: unknown, name: string, where: string): void {
  if (!Array.isArray(value)) return;
  const names = value.map((one) => (one as Json | null)?.[name]);
  const again = names.find((one, index) => names.indexOf(one) !== index);
  if (again !== undefined) check.say(where, `names ${show(again)} twice; name it once.`);
}

function addedOf(check: Checker, value: unknown, where: string, day: RecordedDay): AddedAgent {
  const names = ['id', 'like', 'count', 'home', 'from', 'to', 'skills', 'capacities'];
  const given = check.object(value, where, names);
  const id = check.text(given['id'], `${where}.id`);
  const like = check.text(given['like'], `${where}.like`);
  const home = check.text(given['home'], `${where}.home`);
  const fromMs = check.moment(given['from'], `${where}.from`);
  const toMs = check.moment(given['to'], `${where}.to`);
  const { count = 1 } = given;
  const agents = day.agents.map((one) => one.id);
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > 10_000) {
    check.say(`${where}.count`, `is ${show(count)}; it must be a whole number from 1 to 10000.`);
  }
  if (home !== undefined) check.one(home, `${where}.home`, day.homes, 'home');
  if (id !== undefined && agents.includes(id)) {
    check.say(`${where}.id`, `names ${show(id)}, who is in the record: give another id.`);
  }
  if (like !== undefined) check.one(like, `${where}.like`, agents, 'agent');
  else {
    for (const name of ['id', 'from', 'to', 'skills', 'capacities']) {
      if (given[name] !== undefined) continue;
      check.say(
        `${where}.${name}`,
        'is missing. Say whom the agent is like ("like": "agent-01"), or give id, from, to, ' +
          'skills and capacities.',
      );
    }
  }
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
    check.say(`${where}.to`, `is ${show(given['to'])}, which is not after from.`);
  }
  return {
    count: count as number,
    ...abilitiesOf(check, given, where),
    ...(id === undefined ? {} : { id }),
    ...(like === undefined ? {} : { like }),
    ...(home === undefined ? {} : { home }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

function removedOf(check: Checker, value: unknown, day: RecordedDay): string[] {
  const removed = check.texts(value, 'agents.remove');
  const agents = day.agents.map(({ id }) => id);
  removed.forEach((id, index) => check.one(id, `agents.remove[${index}]`, agents, 'agent'));
  return removed;
}

function changedOf(check: Checker, value: unknown, day: RecordedDay): Changes['agents']['change'] {
  const changed = check.object(value, 'agents.change');
  const agents = day.agents.map(({ id }) => id);
  return Object.fromEntries(
    Object.entries(changed).map(([id, one]): [string, ChangedAgent] => {
      const where = `agents.change.${id}`;
      const names = ['skills', 'capacities', 'addSkills', 'dropSkills'];
      const given = check.object(one, where, names);
      if (id !== '*') check.one(id, where, agents, 'agent');
      const added = abilitiesOf(check, { skills: given['addSkills'] }, `${where} (addSkills)`);
      const dropSkills = check.texts(given['dropSkills'], `${where}.dropSkills`);
      return [
        id,
        {
          ...abilitiesOf(check, given, where),
          ...(added.skills === undefined ? {} : { addSkills: added.skills }),
          ...(dropSkills.length === 0 ? {} : { dropSkills }),
        },
      ];
    }),
  );
}
