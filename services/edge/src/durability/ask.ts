import { durabilities, type Durability } from '../domain/held-by.ts';
import { Refusal, shown } from '../domain/problem.ts';

/** Where a request says its durability, for the refusal. */
export interface DurabilityPlace {
  readonly name: string;
  /** A JSON pointer into the request. */
  readonly pointer: string;
}

/**
 * The durability that a request asks for; `region` when it says nothing.
 * @param alone whether there is no other region
 * @throws Refusal 400 when it is none, or cannot be had here
 */
export function readDurability(
  { name, pointer }: DurabilityPlace,
  text: string | undefined,
  alone: boolean,
): Durability {
  if (text === undefined || text === 'region') return 'region';
  const asked = durabilities.find((one) => one === text);
  if (asked !== undefined && !alone) return asked;
  const [kind, detail] =
    asked === undefined
      ? ([
          'invalid-parameter',
          `The parameter ${name} is ${shown(text)}; it must be one of ${durabilities.join(', ')}.`,
        ] as const)
      : ([
          'durability-unavailable',
          `The durability ${asked} is not available: there is one region, and region is the only one.`,
        ] as const);
  throw new Refusal(kind, detail, { errors: [{ pointer, code: 'not_allowed', detail }] });
}
