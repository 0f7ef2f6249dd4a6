import { describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import { Frontier } from './frontier.ts';
import { emptyRoot, leafHash, nodeHash } from './hashes.ts';
import { MemoryNodes, nodeCount, Tree } from './tree.ts';
import { verifyConsistency, verifyInclusion } from './verify.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The published vectors of Certificate Transparency: leaves, and the roots of 1 to 8 of them. */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((text) => leafHash(Buffer.from(text, 'hex')));
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const inclusions: readonly (readonly [index: number, size: number, path: string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const consistencies: readonly (readonly [earlier: number, size: number, path: string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

function treeOf(hashes: readonly Uint8Array[]): Tree {
  const tree = new Tree();
  for (const hash of hashes) tree.append(hash);
  return tree;
}

/** The root straight from its definition in RFC 6962, 2.1. */
function definedRoot(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return emptyRoot;
  if (hashes.length === 1) return hashes[0]!;
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return nodeHash(definedRoot(hashes.slice(0, half)), definedRoot(hashes.slice(half)));
}

const drawn = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));

describe('The published vectors of RFC 6962', () => {
  it('roots', () => {
    const tree = treeOf(leaves);
    expect(roots.map((_, index) => hex(tree.root(index + 1)))).toEqual(roots);
    expect(hex(tree.root(0))).toBe(hex(emptyRoot));
  });

  it.each(inclusions)('inclusion of leaf %i in %i', (index, size, path) => {
    const proof = treeOf(leaves).inclusionProof(index, size);
    expect(proof.map(hex)).toEqual(path);
    const leaf = leaves[index]!;
    expect(verifyInclusion({ index, size, leaf, proof }, treeOf(leaves).root(size))).toBe(true);
  });

  it.each(consistencies)('consistency of %i with %i', (earlier, size, path) => {
    expect(treeOf(leaves).consistencyProof(earlier, size).map(hex)).toEqual(path);
  });
});

describe('Trees of any size', () => {
  const all = drawn(67);
  const tree = treeOf(all);

  it('have the defined root, as a whole and as a frontier', () => {
    let frontier = new Frontier();
    for (let size = 0; size <= all.length; size += 1) {
      const root = hex(definedRoot(all.slice(0, size)));
      expect(hex(tree.root(size))).toBe(root);
      expect(hex(frontier.root())).toBe(root);
      frontier = Frontier.parse(frontier.serialise());
      const next = all[size];
      if (next !== undefined) frontier.append(next);
    }
  });

  it('prove each leaf at each size, and no other one', () => {
    const random = seeded('inclusion');
    for (let size = 1; size <= all.length; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const inclusion = {
          index,
          size,
          leaf: all[index]!,
          proof: tree.inclusionProof(index, size),
        };
        expect(verifyInclusion(inclusion, tree.root(size))).toBe(true);
        const other = (index + 1 + random.int(size)) % (size + 1);
        expect(verifyInclusion({ ...inclusion, index: other }, tree.root(size))).toBe(
          other === index,
        );
        expect(
          verifyInclusion({ ...inclusion, leaf: all[index + 1] ?? emptyRoot }, tree.root(size)),
        ).toBe(false);
        const longer = [...inclusion.proof, emptyRoot];
        expect(verifyInclusion({ ...inclusion, proof: longer }, tree.root(size))).toBe(false);
      }
    }
  });

  it('prove that they continue each other, and nothing else', () => {
    for (let size = 0; size <= all.length; size += 1) {
      for (let earlierSize = 0; earlierSize <= size; earlierSize += 1) {
        const proof = tree.consistencyProof(earlierSize, size);
        const roots = { earlierRoot: tree.root(earlierSize), root: tree.root(size) };
        expect(verifyConsistency({ earlierSize, size, proof, ...roots })).toBe(true);
        if (earlierSize === 0) continue;
        const forged = { ...roots, earlierRoot: leafHash(roots.earlierRoot) };
        expect(verifyConsistency({ earlierSize, size, proof, ...forged })).toBe(false);
        const other = { ...roots, root: leafHash(roots.root) };
        expect(verifyConsistency({ earlierSize, size, proof, ...other })).toBe(false);
      }
    }
  });

  it('take nothing for a hash that is none', () => {
    const root = tree.root(2);
    const inclusion = { index: 0, size: 2, leaf: all[0]!, proof: tree.inclusionProof(0, 2) };
    for (const length of [0, 31, 33]) {
      expect(verifyInclusion(inclusion, root)).toBe(true);
      expect(verifyInclusion({ ...inclusion, proof: [Buffer.alloc(length)] }, root)).toBe(false);
      const proof = tree.consistencyProof(3, 7).map(() => Buffer.alloc(length));
      const roots = { earlierRoot: tree.root(3), root: tree.root(7) };
      expect(verifyConsistency({ earlierSize: 3, size: 7, proof, ...roots })).toBe(false);
    }
  });

  it('go on from nodes that were kept, cut off anywhere', () => {
    for (let kept = 0; kept <= nodeCount(all.length); kept += 1) {
      const nodes = new MemoryNodes();
      const whole = new MemoryNodes();
      const before = new Tree(whole);
      for (const leaf of all) before.append(leaf);
      for (let at = 0; at < kept; at += 1) nodes.push(whole.at(at));
      const tree = new Tree(nodes);
      while (tree.size < all.length) tree.append(all[tree.size]!);
      expect(hex(tree.root())).toBe(hex(before.root()));
      expect(nodes.count).toBe(nodeCount(all.length));
    }
  });

  it('refuse what they do not have', () => {
    expect(() => tree.root(68)).toThrow(RangeError);
    expect(() => tree.inclusionProof(5, 5)).toThrow('The index is 5');
    expect(() => tree.consistencyProof(6, 5)).toThrow('The earlier size is 6');
    expect(() => new Frontier(3, [emptyRoot])).toThrow(RangeError);
    expect(() => Frontier.parse(Buffer.alloc(50))).toThrow('cut off');
  });
});
