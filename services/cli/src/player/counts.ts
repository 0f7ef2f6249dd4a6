/** Where a contact is, as the player has seen it. */
export type Phase =
  | 'PLANNED'
  | 'IVR'
  | 'QUEUED'
  | 'OFFERED'
  | 'TALKING'
  | 'WRAP_UP'
  | 'SERVED'
  | 'ABANDONED'
  | 'LEFT_IN_IVR'
  | 'FAILED';

/** What an agent does, as the player has seen it. */
export type AgentPhase = 'OFFLINE' | 'IDLE' | 'OFFERED' | 'TALKING' | 'WRAP_UP' | 'NOT_RESPONDING';

export type ContactCounts = Readonly<Record<Phase, number>>;
export type AgentCounts = Readonly<Record<AgentPhase, number>>;

const ends: ReadonlySet<Phase> = new Set(['SERVED', 'ABANDONED', 'LEFT_IN_IVR', 'FAILED']);

/** Whether the contact has come to an end. */
export function isOver(phase: Phase): boolean {
  return ends.has(phase);
}

export function noContacts(): Record<Phase, number> {
  return {
    PLANNED: 0,
    IVR: 0,
    QUEUED: 0,
    OFFERED: 0,
    TALKING: 0,
    WRAP_UP: 0,
    SERVED: 0,
    ABANDONED: 0,
    LEFT_IN_IVR: 0,
    FAILED: 0,
  };
}

export function noAgents(): Record<AgentPhase, number> {
  return { OFFLINE: 0, IDLE: 0, OFFERED: 0, TALKING: 0, WRAP_UP: 0, NOT_RESPONDING: 0 };
}
