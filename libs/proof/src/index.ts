export { checkpointText, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
export { Frontier } from './frontier.ts';
export { emptyRoot, hashLength, leafHash, nodeHash } from './hashes.ts';
export { HeadMap, verifyHead, type AggregateHead, type HeadProof } from './heads.ts';
export {
  leafBytes,
  leafHeaders,
  messageLeaf,
  payloadHash,
  saltOf,
  segmentLength,
  segmentOf,
  type LeafEntry,
  type StoredMessage,
} from './leaf.ts';
export {
  formatNote,
  isSignedBy,
  keyId,
  noteSigner,
  parseNote,
  signatureLine,
  signNote,
  type Note,
  type NoteSignature,
  type NoteSigner,
} from './note.ts';
export { MemoryNodes, nodeCount, Tree, type NodeStore } from './tree.ts';
export {
  rootOfInclusion,
  verifyConsistency,
  verifyInclusion,
  type Consistency,
  type Inclusion,
} from './verify.ts';
export { Ranks, type OrderRange, type Run, type StreamPlace } from './ranks.ts';
export {
  ensureSigner,
  ensureSigningKey,
  keyListFile,
  keysOf,
  signerName,
  withKey,
  type KeyList,
  type SigningKey,
} from './signing-key.ts';
