export {
  allows,
  bearerToken,
  formatToken,
  parseToken,
  readKey,
  scopes,
  visible,
  type ApiKey,
  type PresentedKey,
  type Scope,
  type VisibleKey,
} from './api-key.ts';
export { hashSecret, makeKey, type KeyToMake } from './make-key.ts';
export { KeyRing, type KeyPlace } from './key-ring.ts';
export { followKeys, type FollowedKeys } from './follow-keys.ts';
