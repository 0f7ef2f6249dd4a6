import { simulateMesh } from './mesh/simulate.ts';
import { simulate } from './simulate.ts';

/** What is simulated: one region on a bad network, or three with each other. */
export interface Case {
  readonly regions: 1 | 3;
  /** How many contacts each world has. */
  readonly contacts: number;
}

/** What one world came to. */
export interface Summary {
  readonly seed: number;
  /** One sentence each; empty when everything held. */
  readonly problems: readonly string[];
  readonly digest: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly contacts: number;
  readonly entries: number;
  /** How much time passed in the world, in ms. */
  readonly logTimeMs: number;
}

/** The contacts of a world when nobody says how many. */
export const usualContacts = { 1: 40, 3: 12 } as const;

/** The command that runs a world again. */
export function commandFor(seed: number, { regions, contacts }: Case): string {
  const shape = regions === 3 ? '' : ` --regions ${regions}`;
  const size = contacts === usualContacts[regions] ? '' : ` --contacts ${contacts}`;
  return `scripts/sim --seed ${seed}${shape}${size}`;
}

/** Runs the world of a seed; a world that breaks is a problem like others. */
export async function runCase(seed: number, { regions, contacts }: Case): Promise<Summary> {
  try {
    const { problems, digest, counts, entries, logTimeMs } =
      regions === 1 ? await simulate({ seed, contacts }) : await simulateMesh({ seed, contacts });
    const sentences = problems.map(({ rule, detail }) => `${rule}: ${detail}`);
    return { seed, problems: sentences, digest, counts, contacts, entries, logTimeMs };
  } catch (error) {
    const { stack = String(error) } = error as Error;
    const nothing = { digest: '', counts: {}, contacts: 0, entries: 0, logTimeMs: 0 };
    return { seed, problems: [`the world broke: ${stack}`], ...nothing };
  }
}
