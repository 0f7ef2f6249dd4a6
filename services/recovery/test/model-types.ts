import type { Input, State } from '../src/index.ts';

/** What the model does to the regions; the more, the worse. */
export interface ModelOptions {
  readonly seed: string;
  /** For how long faults happen, in ms of true time; then all is well. */
  readonly faultsMs: number;
  /** How long it goes on afterwards. */
  readonly calmMs: number;
  /** How many faults there are. */
  readonly faults: number;
  readonly requests: number;
  /** Default all. */
  readonly kinds?: readonly FaultKind[];
  /** Breaks a rule, to see that the model notices. */
  readonly plant?: (input: Input, state: State) => void;
}

export type FaultKind = 'kill' | 'restart' | 'pause' | 'control' | 'isolate' | 'link';
export const allKinds: readonly FaultKind[] = [
  'kill',
  'restart',
  'pause',
  'control',
  'isolate',
  'link',
];

export interface LogEntry {
  readonly home: string;
  readonly epoch: number;
  readonly what: 'decision' | 'announce' | 'sealed' | 'completed' | 'failed';
  readonly seals: readonly { epoch: number; owner: string; upTo: number }[];
  readonly to?: string;
  readonly causationId?: string;
}

export interface Decider {
  nonce: number;
  heard: string;
  readonly sentAt: Map<number, number>;
  grants: Record<string, { epoch: number; untilMs: number }>;
}

export interface Region {
  readonly name: string;
  /** Speed and offset of the machine's monotonic clock. */
  readonly rate: number;
  readonly offsetMs: number;
  state: State;
  /** Counts the starts of the recovery process; what was sent for an earlier one is lost. */
  life: number;
  isUp: boolean;
  pausedUntil: number;
  readonly backlog: (() => void)[];
  readonly log: LogEntry[];
  /** How much of each other region's log is held here. */
  readonly held: Map<string, number>;
  readonly decider: Decider;
  isControlCut: boolean;
  readonly cutFrom: Set<string>;
}

export const names = ['ap', 'eu', 'us'];
