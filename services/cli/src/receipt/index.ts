export { buildReceipt, checkFigures, lostOf, type LostMessage } from './build.ts';
export { canonicalJson } from './canonical.ts';
export { inconsistenciesOf } from './consistency.ts';
export { durabilities, receiptFormat } from './receipt.ts';
export type {
  ByDurability,
  Durability,
  Epoch,
  Facts,
  Lost,
  Observation,
  Parameters,
  Receipt,
  Takeover,
  Verdict,
} from './receipt.ts';
export {
  ensureSigningKey,
  keyListFile,
  signReceipt,
  verifyReceipt,
  type SignedReceipt,
  type SigningKey,
  type Verification,
} from './signing.ts';
export { renderReceipt } from './text.ts';
