/**
 * Ends an exhaustive switch: a compile error when a case is missing, a fault naming the value
 * when a value arrives that the types did not foresee.
 */
export function unreachable(value: never): never {
  throw new Error(`Unexpected value ${JSON.stringify(value)} where every case should be handled.`);
}
