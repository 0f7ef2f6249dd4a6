/** What a script can tell by the exit code of `meridian`. */
export const exitCodes = {
  ok: 0,
  /** The answer is no: violations were found, something is wrong. */
  no: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What stops a command: the exit code, what was wrong on the first line, what to do on the second. */
export class CommandFault extends Error {
  override readonly name: string = 'CommandFault';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageFault = (message: string): CommandFault =>
  new CommandFault(exitCodes.usage, message);

/** A problem document (RFC 9457) as the edge answers it. */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly errors?: readonly {
    readonly pointer: string;
    readonly code: string;
    readonly detail: string;
  }[];
  readonly schema?: string;
}

/** The edge answered, and not with success. 4xx: repeating it changes nothing. */
export class EdgeRefusal extends CommandFault {
  override readonly name = 'EdgeRefusal';
  readonly status: number;
  readonly problem: Problem;

  constructor(what: string, status: number, problem: Problem) {
    super(exitCodeOf(status), refusalText(what, status, problem));
    this.status = status;
    this.problem = problem;
  }
}

/** No answer, or not the whole of it: the edge may or may not have done what was asked. */
export class EdgeUnreachable extends CommandFault {
  override readonly name = 'EdgeUnreachable';

  constructor(what: string, url: string, cause: unknown) {
    const because = cause instanceof Error ? causeText(cause) : String(cause);
    super(
      exitCodes.unavailable,
      `${what}: no answer from ${url} (${because}).\n` +
        'Is the region up? Start it with scripts/up, or name another with --url.',
      { cause },
    );
  }
}

function causeText(error: Error & { code?: string }): string {
  return error.message === '' ? (error.code ?? error.name) : error.message;
}

/** 404: 3, other 4xx: 4, all else: 5. */
export function exitCodeOf(status: number): ExitCode {
  if (status === 404) return exitCodes.notFound;
  return status >= 400 && status < 500 ? exitCodes.refused : exitCodes.unavailable;
}

function refusalText(what: string, status: number, problem: Problem): string {
  const lines = [`${what}: ${status} ${problem.title ?? ''}`.trimEnd()];
  const errors = problem.errors ?? [];
  if (problem.detail !== undefined && problem.detail !== errors[0]?.detail) {
    lines.push(problem.detail);
  }
  for (const { pointer, detail } of errors.slice(0, 10)) {
    lines.push(`  ${pointer || '/'}: ${detail}`);
  }
  if (errors.length > 10) lines.push(`  and ${errors.length - 10} more`);
  if (status === 401) lines.push('Give a key with --key or MERIDIAN_KEY.');
  return lines.join('\n');
}
