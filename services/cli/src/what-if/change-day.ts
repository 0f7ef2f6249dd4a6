import type { AddedAgent, ChangedAgent, Changes } from './config.ts';
import type { AgentAct, AgentDay, RecordedDay } from './day.ts';

/** The day with another configuration and other agents; customers and habits are the same. */
export function changeDay(day: RecordedDay, changes: Changes): RecordedDay {
  const { add, remove, change } = changes.agents;
  const everybody = change['*'];
  const kept = day.agents.filter(({ id }) => !remove.includes(id));
  const changed = kept.map((agent): AgentDay => {
    const own = change[agent.id];
    const acts = agent.acts.map((act) => withAbilities(withAbilities(act, everybody), own));
    return { ...agent, acts };
  });
  const ids = new Set(day.agents.map(({ id }) => id));
  const added = add.flatMap((one) => newAgents(one, day, ids));
  return {
    ...day,
    queues: day.queues.map((act) => {
      if (act.settings === undefined) return act;
      const settings = { ...act.settings, ...changes.queues['*'], ...changes.queues[act.queueId] };
      return { ...act, settings };
    }),
    agents: [...changed, ...added],
    contacts: day.contacts.map((contact) => ({
      ...contact,
      requirements: contact.requirements.filter(
        ({ skill }) => !changes.dropSkills.some((pattern) => matches(pattern, skill)),
      ),
    })),
  };
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function withAbilities(act: AgentAct, change: ChangedAgent | undefined): AgentAct {
  if (act.kind !== 'SIGN_IN' || change === undefined) return act;
  const { addSkills = [], dropSkills = [], capacities = act.capacities } = change;
  const skills = new Map((change.skills ?? act.skills).map((one) => [one.skill, one]));
  for (const one of addSkills) skills.set(one.skill, one);
  const left = [...skills.values()].filter(
    ({ skill }) => !dropSkills.some((pattern) => matches(pattern, skill)),
  );
  return { ...act, skills: left, capacities };
}

/** Agents who were not there. @param ids of all agents; those of the new ones are added */
function newAgents(added: AddedAgent, day: RecordedDay, ids: Set<string>): AgentDay[] {
  const model = day.agents.find(({ id }) => id === added.like);
  return Array.from({ length: added.count }, (): AgentDay => {
    const wished = added.id ?? `${added.like}-more`;
    let id = wished;
    for (let number = 2; ids.has(id); number += 1) id = `${wished}-${number}`;
    ids.add(id);
    const acts = (model?.acts ?? []).map((act): AgentAct => {
      const there = { ...act, home: added.home ?? act.home };
      return there.kind === 'SIGN_IN'
        ? withAbilities({ ...there, sessionId: `${id}-${there.sessionId}`.slice(-72) }, added)
        : there;
    });
    const hours = hoursOf(added, day);
    return {
      id,
      ...(added.like === undefined ? {} : { like: added.like }),
      acts: hours ?? acts,
    };
  });
}

/** From signing in to signing out, where the change says when. */
function hoursOf(added: AddedAgent, day: RecordedDay): AgentAct[] | undefined {
  const model = day.agents
    .find(({ id }) => id === added.like)
    ?.acts.find((act) => act.kind === 'SIGN_IN');
  const { fromMs, toMs } = added;
  if (fromMs === undefined && toMs === undefined) return undefined;
  const home = added.home ?? model?.home ?? day.homes[0] ?? '';
  return [
    {
      kind: 'SIGN_IN',
      atMs: fromMs ?? model?.atMs ?? day.beginMs,
      home,
      sessionId: 'what-if',
      skills: added.skills ?? (model?.kind === 'SIGN_IN' ? model.skills : []),
      capacities: added.capacities ?? (model?.kind === 'SIGN_IN' ? model.capacities : []),
      presence: 'AVAILABLE',
    },
    { kind: 'SIGN_OUT', atMs: toMs ?? day.endMs, home },
  ];
}
