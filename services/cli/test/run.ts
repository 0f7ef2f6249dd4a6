import { runMeridian } from '../src/program.ts';
import type { Io } from '../src/io.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `meridian` with a world of the test's own. */
export async function run(args: readonly string[], given: Partial<Io> = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await runMeridian(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    isTty: false,
    env: {},
    folder: import.meta.dirname,
    stdin: (async function* none() {})(),
    signal: new AbortController().signal,
    now: () => Date.UTC(2026, 2, 2, 9),
    ...given,
  });
  return { code, out, err };
}
