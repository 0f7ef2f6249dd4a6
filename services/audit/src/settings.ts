/** What the audit is told by its environment. */
export interface AuditSettings {
  /** Where it keeps its key and what it has folded; nothing is signed without it. */
  readonly folder?: string;
  /** Where the signing keys are, when not in `folder`; those of the receipts, for example. */
  readonly keyFolder?: string;
  /** How long what comes is collected before it is ordered, in ms. */
  readonly orderMs: number;
  /** A checkpoint comes when so many ranks were given since the last one, */
  readonly checkpointRanks: number;
  /** or so many ms after it when something was added. */
  readonly checkpointMs: number;
  /** The share of the time that folding may take. */
  readonly foldShare: number;
}

export const defaultSettings: AuditSettings = {
  orderMs: 100,
  checkpointRanks: 65_536,
  checkpointMs: 10_000,
  foldShare: 0.1,
};

/**
 * Reads `MERIDIAN_AUDIT_DIR`, `MERIDIAN_SIGNING_KEYS` (folders), `MERIDIAN_ORDER_MS`,
 * `MERIDIAN_CHECKPOINT_RANKS` and `MERIDIAN_CHECKPOINT_MS`; empty ones count as unset.
 * @throws Error naming the variable that is wrong
 */
export function readAuditSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): AuditSettings {
  const whole = (name: string, otherwise: number, least: number): number => {
    const text = environment[name];
    if (text === undefined || text === '') return otherwise;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new Error(
      `${name} is ${JSON.stringify(text)}; expected a whole number of at least ${least}.\n` +
        `Correct it, or unset it for ${otherwise}.`,
    );
  };
  const folder = environment['MERIDIAN_AUDIT_DIR'];
  const keyFolder = environment['MERIDIAN_SIGNING_KEYS'];
  return {
    ...(folder === undefined || folder === '' ? {} : { folder }),
    ...(keyFolder === undefined || keyFolder === '' ? {} : { keyFolder }),
    orderMs: whole('MERIDIAN_ORDER_MS', defaultSettings.orderMs, 10),
    checkpointRanks: whole('MERIDIAN_CHECKPOINT_RANKS', defaultSettings.checkpointRanks, 1),
    checkpointMs: whole('MERIDIAN_CHECKPOINT_MS', defaultSettings.checkpointMs, 100),
    foldShare: defaultSettings.foldShare,
  };
}
