import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Topology } from './topology.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;
const authorityDays = 3_650;
const serverDays = 825;
/** Clocks of two machines differ a little. */
const backdateMs = 3_600_000;
/** A certificate with less than this left is made anew. */
const renewBeforeMs = 30 * dayMs;

/** By which a server is reached on its own machine; clients check an address as the name. */
const itself = ['127.0.0.1', 'localhost'];

interface Authority {
  readonly certificate: X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

/**
 * Makes an authority of development in `<folder>/ca.pem` and `ca-key.pem` unless there is one, and
 * for each server a certificate signed by it in `<folder>/<region>/tls/`, good for both ends of a
 * connection. What is there and stays valid for 30 days more is kept; keys are readable by their
 * owner only.
 */
export async function ensureCertificates(topology: Topology, folder: string): Promise<void> {
  const authority = await ensureAuthority(folder);
  const viaHosts = topology.links.flatMap(({ to, via }) =>
    (via ?? []).map(({ host }) => [to, host]),
  );
  for (const { name: region, servers, control } of topology.regions) {
    const tls = join(folder, region, 'tls');
    mkdirSync(tls, { recursive: true });
    writeFileSync(join(tls, 'ca.pem'), `${authority.certificate.toString('pem')}\n`);
    const dialled = viaHosts.filter(([to]) => to === region).map(([, host]) => host as string);
    for (const { name, host } of servers) {
      await ensureServer(authority, tls, name, [...new Set([host, ...dialled, ...itself])]);
    }
    const routed = topology.controlRoutes
      .filter(({ to }) => to === region)
      .flatMap(({ via }) => (via ? [via.host] : []));
    const hosts = new Set([control.host, ...routed, ...itself]);
    await ensureServer(authority, tls, control.name, [...hosts]);
  }
}

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> =>
  `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;

const generateKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const period = (days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - backdateMs),
  notAfter: new Date(Date.now() + days * dayMs),
});

async function ensureAuthority(folder: string): Promise<Authority> {
  const [file, keyFile] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')];
  if (existsSync(file) && existsSync(keyFile)) {
    const [pkcs8] = PemConverter.decode(readFileSync(keyFile, 'utf8'));
    return {
      certificate: new X509Certificate(readFileSync(file, 'utf8')),
      privateKey: await webcrypto.subtle.importKey(
        'pkcs8',
        pkcs8 as ArrayBuffer,
        algorithm,
        false,
        ['sign'],
      ),
    };
  }
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Meridian development authority',
    keys,
    signingAlgorithm: algorithm,
    ...period(authorityDays),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(keyFile, await privatePem(keys.privateKey), { mode: 0o600 });
  writeFileSync(file, `${certificate.toString('pem')}\n`);
  return { certificate, privateKey: keys.privateKey };
}

async function ensureServer(
  authority: Authority,
  folder: string,
  name: string,
  hosts: readonly string[],
): Promise<void> {
  const [file, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  if (existsSync(keyFile) && (await isCurrent(authority, file, hosts))) return;
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    ...period(serverDays),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIPv4(value) ? 'ip' : 'dns', value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  writeFileSync(keyFile, await privatePem(keys.privateKey), { mode: 0o600 });
  writeFileSync(file, `${certificate.toString('pem')}\n`);
}

async function isCurrent(
  authority: Authority,
  file: string,
  hosts: readonly string[],
): Promise<boolean> {
  if (!existsSync(file)) return false;
  const certificate = new X509Certificate(readFileSync(file, 'utf8'));
  if (certificate.notAfter.getTime() < Date.now() + renewBeforeMs) return false;
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  const known = new Set(names.map(({ value }) => value));
  if (hosts.some((host) => !known.has(host))) return false;
  return certificate.verify({ publicKey: authority.certificate.publicKey, signatureOnly: true });
}
