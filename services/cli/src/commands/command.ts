import { usageFault, type ExitCode } from '../fault.ts';
import type { EdgeClient } from '../http/client.ts';
import type { Io } from '../io.ts';
import type { Paint } from '../render/colour.ts';

/** What a command works with. */
export interface Context {
  readonly io: Io;
  readonly client: EdgeClient;
  /** Whether to print JSON instead of text for people. */
  readonly json: boolean;
  readonly paint: Paint;
}

export type Options = Readonly<Record<string, unknown>>;

/** One command: how it is called, what it says in --help, what it does. */
export interface CommandSpec {
  /** Its name and arguments: `contact <id>`. */
  readonly usage: string;
  readonly summary: string;
  readonly options?: readonly { readonly flags: string; readonly text: string }[];
  readonly examples: readonly string[];
  /** Whether --json gives a document a line. */
  readonly streams?: true;
  /** Looks into the audit: it takes `--reason`, which the edge records with the access. */
  readonly looks?: true;
  readonly run: (context: Context, args: readonly string[], options: Options) => Promise<ExitCode>;
}

/** The text of an option; undefined when it was not given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that takes several, separated by commas. */
export function listOption(options: Options, name: string): readonly string[] | undefined {
  return textOption(options, name)
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** A number of at least `least`. @throws CommandFault (usage) when it is none */
export function numberOption(options: Options, name: string, least: number): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
  throw usageFault(
    `--${name} is ${JSON.stringify(text)}; it must be a number of at least ${least}.`,
  );
}

/** A whole number of at least `least`. @throws CommandFault (usage) when it is none */
export function countOption(options: Options, name: string, least = 1): number | undefined {
  const value = numberOption(options, name, least);
  if (value === undefined || Number.isSafeInteger(value)) return value;
  throw usageFault(`--${name} is ${value}; it must be a whole number.`);
}

/** Prints a JSON document on a line of its own. */
export function printJson({ io }: Context, value: unknown): void {
  io.out(`${JSON.stringify(value)}\n`);
}
