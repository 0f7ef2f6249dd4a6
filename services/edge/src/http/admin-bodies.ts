import { scopes, type Scope } from '@meridian/keys';
import { Refusal, shown, type ProblemError } from '../domain/problem.ts';

/** The longest label of a key, in characters. */
const labelLimit = 100;

function asObject(
  value: unknown,
  known: readonly string[],
  errors: ProblemError[],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    errors.push({ pointer: '', code: 'type', detail: 'The body must be a JSON object.' });
    return {};
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue;
    const pointer = `/${name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    errors.push({
      pointer,
      code: 'unknown',
      detail: `${pointer} is not known; known are ${known.join(', ')}.`,
    });
  }
  return value as Record<string, unknown>;
}

function refuseAny(errors: readonly ProblemError[]): void {
  const [first] = errors;
  if (first !== undefined) throw new Refusal('bad-request', first.detail, { errors });
}

/** What `POST /v1/keys` asks for. @throws Refusal 400 */
export function readKeyRequest(value: unknown): {
  readonly scopes: readonly Scope[];
  readonly label: string;
} {
  const errors: ProblemError[] = [];
  const { scopes: given, label = '' } = asObject(value, ['scopes', 'label'], errors);
  if (!Array.isArray(given) || given.length === 0) {
    errors.push({
      pointer: '/scopes',
      code: given === undefined ? 'missing' : 'type',
      detail: `/scopes must be a list of ${scopes.join(', ')}.`,
    });
  } else {
    for (const [index, scope] of given.slice(0, 16).entries()) {
      if (scopes.includes(scope as Scope)) continue;
      errors.push({
        pointer: `/scopes/${index}`,
        code: 'not_allowed',
        detail: `/scopes/${index} must be one of ${scopes.join(', ')}.`,
      });
    }
  }
  if (typeof label !== 'string' || label.length > labelLimit) {
    errors.push({
      pointer: '/label',
      code: 'type',
      detail: `/label must be a text of at most ${labelLimit} characters.`,
    });
  }
  refuseAny(errors);
  return {
    scopes: scopes.filter((scope) => (given as Scope[]).includes(scope)),
    label: label as string,
  };
}

/** The largest time that a JavaScript date holds, in epoch ms. */
const latestMs = 8_640_000_000_000_000;
/** The fastest clock: a day in 8.64 s. */
export const fastestRate = 10_000;

/**
 * What `POST /v1/clock` asks for; `at` in epoch ms, given so or as an RFC 3339 timestamp.
 * @param streams those that `upTo` may name
 * @throws Refusal 400
 */
export function readClockRequest(
  value: unknown,
  streams: readonly string[] = [],
): {
  readonly at: number | undefined;
  readonly rate: number | undefined;
  readonly upTo: Readonly<Record<string, number>>;
} {
  const errors: ProblemError[] = [];
  const { at: givenAt, rate, upTo } = asObject(value, ['at', 'rate', 'upTo'], errors);
  const at = typeof givenAt === 'string' ? Date.parse(givenAt) : givenAt;
  if (
    at !== undefined &&
    (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at > latestMs)
  ) {
    errors.push({
      pointer: '/at',
      code: 'type',
      detail: `/at must be epoch milliseconds or an RFC 3339 timestamp${
        typeof givenAt === 'string' ? `, not ${shown(givenAt)}` : ''
      }.`,
    });
  }
  if (
    rate !== undefined &&
    (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0 || rate > fastestRate)
  ) {
    errors.push({
      pointer: '/rate',
      code: 'type',
      detail: `/rate must be a number from 0 (stands still) to ${fastestRate}.`,
    });
  }
  const places = upTo === undefined ? {} : readPlaces(upTo, streams, errors);
  refuseAny(errors);
  return { at: at as number | undefined, rate: rate as number | undefined, upTo: places };
}

function readPlaces(
  value: unknown,
  streams: readonly string[],
  errors: ProblemError[],
): Record<string, number> {
  const own: ProblemError[] = [];
  const given = asObject(value, streams, own);
  errors.push(...own.map((error) => ({ ...error, pointer: `/upTo${error.pointer}` })));
  for (const [stream, sequence] of Object.entries(given)) {
    if (Number.isSafeInteger(sequence) && (sequence as number) >= 0) continue;
    errors.push({
      pointer: `/upTo/${stream}`,
      code: 'type',
      detail: `/upTo/${stream} must be a sequence: a whole number of at least 0.`,
    });
  }
  return given as Record<string, number>;
}

const kinds = ['PLANNED', 'UNPLANNED'] as const;
/** The longest id of a request or a drill, in characters. */
const idLimit = 72;
const idPattern = /^[A-Za-z0-9_-]+$/;

function idProblem(id: unknown): readonly ProblemError[] {
  const isOne =
    id === undefined || (typeof id === 'string' && id.length <= idLimit && idPattern.test(id));
  const detail = `/id must be 1 to ${idLimit} of A-Z a-z 0-9 _ -.`;
  return isOne ? [] : [{ pointer: '/id', code: 'identifier', detail }];
}

/** What `POST /v1/failovers` asks for. */
export interface FailoverRequest {
  readonly id?: string;
  readonly home: string;
  /** What the contract of the request checks further. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** @param regions those there are: each is a home and a target. @throws Refusal 400 */
export function readFailoverRequest(value: unknown, regions: readonly string[]): FailoverRequest {
  const errors: ProblemError[] = [];
  const known = ['id', 'home', 'to', 'kind', 'reason', 'breakGlass'] as const;
  const { id, home, to, kind, reason, breakGlass } = asObject(value, known, errors);
  errors.push(...idProblem(id));
  for (const [name, given] of Object.entries({ home, to })) {
    if (regions.includes(given as string)) continue;
    errors.push({
      pointer: `/${name}`,
      code: given === undefined ? 'missing' : 'not_allowed',
      detail: `/${name} must be one of ${regions.join(', ')}.`,
    });
  }
  const upper = typeof kind === 'string' ? kind.toUpperCase() : kind;
  if (!kinds.includes(upper as (typeof kinds)[number])) {
    errors.push({
      pointer: '/kind',
      code: kind === undefined ? 'missing' : 'not_allowed',
      detail: `/kind must be one of ${kinds.join(', ')}.`,
    });
  }
  refuseAny(errors);
  return {
    ...(id === undefined ? {} : { id: id as string }),
    home: home as string,
    data: {
      to,
      kind: upper,
      ...(reason === undefined ? {} : { reason }),
      ...(breakGlass === undefined ? {} : { breakGlass }),
    },
  };
}

/** What `POST /v1/drills` brings: the drill's id, and what the contract checks. @throws Refusal 400 */
export function readDrillRequest(value: unknown): {
  readonly id?: string;
  readonly data: Readonly<Record<string, unknown>>;
} {
  const errors: ProblemError[] = [];
  const known = ['id', 'receipt', 'passed', 'exercise', 'startedAt', 'endedAt'] as const;
  const { id, ...data } = asObject(value, known, errors);
  errors.push(...idProblem(id));
  refuseAny(errors);
  return { ...(id === undefined ? {} : { id: id as string }), data };
}
