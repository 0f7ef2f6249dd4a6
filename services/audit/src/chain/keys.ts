import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noteSigner, type NoteSigner } from '@meridian/proof';

/** The list of public keys beside the private ones, region to key: as receipts have it. */
const keyListFile = 'receipt-keys.json';

/** The name under which a region signs. */
export const signerName = (region: string): string => `meridian/${region}`;

/**
 * The key by which a region signs, in the same files as those of the receipts: made once, and kept
 * in `folder` readable by its owner only (`<region>-receipts.pem`, PKCS 8), its public half in
 * `receipt-keys.json` beside it.
 * @throws Error naming the file when it holds no Ed25519 key
 */
export function ensureSigner(folder: string, region: string): NoteSigner {
  const file = join(folder, `${region}-receipts.pem`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
  }
  let signer: NoteSigner;
  try {
    signer = noteSigner(signerName(region), readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(
      `${file} holds no Ed25519 key.\nRemove it to have a new one made, or put the right one there.`,
      { cause },
    );
  }
  const listFile = join(folder, keyListFile);
  const list = existsSync(listFile)
    ? (JSON.parse(readFileSync(listFile, 'utf8')) as Record<string, string>)
    : {};
  if (list[region] !== signer.publicKey) {
    const keys = { ...list, [region]: signer.publicKey };
    writeFileSync(listFile, `${JSON.stringify(keys, null, 2)}\n`);
  }
  return signer;
}
