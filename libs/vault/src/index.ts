export { isSealed, sealedParts, sealedTexts, type SealedParts } from '@meridian/wire';
export { SubjectKey, type KeyFacts, type Opened } from './subject-key.ts';
export type { DestroyedKey, Vault } from './vault.ts';
