// Checks a proof that `meridian prove` wrote, with nothing but Node: node docs/verify-proof.mjs PROOF [KEYS]
// KEYS is a JSON file of regions and the public keys that you trust (receipt-keys.json); without it
// the keys in the proof itself are used, and that is said.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [proofFile, keysFile] = process.argv.slice(2);
const proof = JSON.parse(readFileSync(proofFile, 'utf8'));
const keys = keysFile ? JSON.parse(readFileSync(keysFile, 'utf8')) : proof.keys;
const bytes = (text) => Buffer.from(text, 'base64');
const fail = (what) => {
  console.log(`FAIL ${what}`);
  process.exit(1);
};
// Shorter or longer ones could stand for both halves of a node.
const hashOf = (text) => (bytes(text).length === 32 ? bytes(text) : fail(`${text} is no hash`));
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leafHash = (entry) => sha256(Buffer.of(0), entry); // RFC 6962, 2.1
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const must = (holds, what) => {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}`);
  if (!holds) process.exitCode = 1;
};
const splitOf = (size) => {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
};

// The root that a leaf and the hashes beside its way lead to.
function climb(leaf, index, size, path) {
  if ((size === 1) !== (path.length === 0)) fail('too many or too few hashes');
  if (size === 1) return leaf;
  const half = splitOf(size);
  const [beside, below] = [path.at(-1), path.slice(0, -1)];
  return index < half
    ? nodeHash(climb(leaf, index, half, below), beside)
    : nodeHash(beside, climb(leaf, index - half, size - half, below));
}

// The earlier and the later root that a consistency proof leads to (RFC 6962, 2.1.2).
function climbBoth(earlier, size, path, known) {
  if (earlier === size ? path.length !== (known ? 0 : 1) : path.length === 0) fail('too many or too few hashes');
  if (earlier === size) return known ? [known, known] : [path[0], path[0]];
  const half = splitOf(size);
  const [beside, below] = [path.at(-1), path.slice(0, -1)];
  if (earlier <= half) {
    const [before, after] = climbBoth(earlier, half, below, known);
    return [before, nodeHash(after, beside)];
  }
  const [before, after] = climbBoth(earlier - half, size - half, below, undefined);
  return [nodeHash(beside, before), nodeHash(beside, after)];
}

// A signed note (C2SP): origin, size, root, heads; an empty line; signatures.
function readNote(note) {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [origin, size, root, heads] = text.split('\n');
  const signers = note.slice(end + 2).trim().split('\n').map((line) => {
    const [, name, value] = line.split(' ');
    const region = name.replace('meridian/', '');
    // A region's further keys stand under eu+2, eu+3.
    const mine = Object.keys(keys).filter((one) => one === region || one.startsWith(`${region}+`));
    if (mine.length === 0) return { name, known: false };
    const signature = bytes(value);
    const holds = mine.some((one) => {
      const id = sha256(`${name}\n`, Buffer.of(1), Buffer.from(keys[one], 'base64url')).subarray(0, 4);
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: keys[one] }, format: 'jwk' });
      return signature.subarray(0, 4).equals(id) && verify(null, Buffer.from(text), key, signature.subarray(4));
    });
    return { name, known: true, holds };
  });
  return { text, origin, size: Number(size), root: bytes(root), heads: bytes(heads.slice('heads '.length)), signers };
}

function checkNote(name, note) {
  const { origin, size, signers } = note;
  for (const signer of signers.filter(({ known }) => known)) must(signer.holds, `${name} of ${size} messages of ${origin} is signed by ${signer.name}`);
  must(signers.some(({ holds }) => holds), `${name} is signed by a key that is known`);
}

if (!keysFile) console.log('note the keys are those of the proof itself: compare them with a list that you trust');
const { message, event } = proof;
const checkpoint = readNote(proof.checkpoint);
const earlier = readNote(proof.earlier.checkpoint);
checkNote('the checkpoint', checkpoint);
checkNote('the first checkpoint', earlier);

// The event is in the entry, and the entry is the leaf of its rank.
const events = message.data.slice(1, -1).split(',\n');
must(JSON.parse(events[event.index]).id === event.id, `the entry holds ${event.id}`);
const names = ['Nats-Msg-Id', 'Meridian-Consumed', 'Meridian-Epoch', 'traceparent'];
const headers = Buffer.from(names.filter((one) => typeof message.headers[one] === 'string').map((one) => `${one}: ${message.headers[one]}\n`).join(''));
const length = Buffer.alloc(4);
length.writeUInt32BE(headers.length);
const payload = sha256(hashOf(proof.salt), length, headers, message.data);
const place = `${message.stream}\n${message.sequence}\n${message.subject}\n${message.storedAtMs}\n`;
const leaf = leafHash(Buffer.concat([Buffer.from(place), payload]));
const root = climb(leaf, proof.rank, checkpoint.size, proof.inclusion.map(hashOf));
must(Number.isInteger(proof.rank) && proof.rank >= 0 && proof.rank < earlier.size && earlier.size <= checkpoint.size, `rank ${proof.rank} is within both checkpoints`);
must(root.equals(checkpoint.root), `${message.stream} ${message.sequence} is of rank ${proof.rank} in the signed tree`);
const both = climbBoth(earlier.size, checkpoint.size, proof.earlier.consistency.map(hashOf), earlier.root);
must(earlier.origin === checkpoint.origin && both[0].equals(earlier.root) && both[1].equals(checkpoint.root), 'the checkpoint continues the first one');

// Where the aggregate ended: its bucket holds its head, and leads to the signed root of heads.
const { revision, hash, bucket } = proof.head;
const subject = sha256(message.subject);
const head = leafHash(Buffer.from(`${message.subject}\n${revision}\n${hash}\n`));
const isIn = bucket.some(([key, leaf]) => bytes(key).equals(subject) && bytes(leaf).equals(head));
const records = Buffer.concat(bucket.flat().map(hashOf));
const heads = climb(leafHash(records), subject.readUInt16BE(), 65_536, proof.head.proof.map(hashOf));
must(isIn && heads.equals(checkpoint.heads), `${message.subject} ended at revision ${revision} then: nothing more of it was there`);
