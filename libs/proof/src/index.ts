export { emptyRoot, hashLength, leafHash, nodeHash } from './hashes.ts';
