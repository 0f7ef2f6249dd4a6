export { isSealed, sealedParts, sealedTexts, type SealedParts } from '@meridian/wire';
export { normalIdentity } from './identity.ts';
export { cachedKeysLimit, openVault, type VaultOptions } from './jetstream-vault.ts';
export { memoryVault, memoryVaults } from './memory-vault.ts';
export { SubjectKey, type KeyFacts, type Opened } from './subject-key.ts';
export type { DestroyedKey, Vault } from './vault.ts';
