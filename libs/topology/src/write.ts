import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureCertificates } from './certificates.ts';
import { controlServerConfig } from './control-config.ts';
import {
  controlCredentials,
  ensureKeys,
  linkSeeds,
  regionCredentials,
  seedFile,
} from './credentials.ts';
import { regionServerConfig } from './region-config.ts';
import { peersOf, regionOf, type Topology } from './topology.ts';

const regionCredentialsFile = 'credentials.conf';
const controlCredentialsFile = 'control-credentials.conf';
const linkSeedsFile = 'keys/links.conf';

export interface Locations {
  /** The folder in which a region's servers find `keys/` and `tls/` when they run. */
  readonly regionFolder: (region: string) => string;
  /** Where a server stores. */
  readonly store: (region: string, server: string) => string;
}

/** In production each region's folder is copied to one place on its servers. */
export const productionLocations: Locations = {
  regionFolder: () => '/etc/meridian/nats',
  store: () => '/var/lib/meridian/nats',
};

/** Servers that run where everything was written, as in development and tests. */
export const locationsIn = (folder: string): Locations => ({
  regionFolder: (region) => join(folder, region),
  store: (region, server) => join(folder, region, 'store', server),
});

/**
 * The configuration of every server, by its path `<region>/<server>.conf`. Nothing in them is secret:
 * users are variables that `credentials.conf` defines, and seeds and keys are in files of their own.
 */
export function serverConfigs(topology: Topology, locations: Locations): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name: region, servers, control } of topology.regions) {
    const paths = (server: string, ...includes: string[]) => ({
      folder: locations.regionFolder(region),
      store: locations.store(region, server),
      includes,
    });
    const taken = [
      regionCredentialsFile,
      ...(peersOf(topology, region).length === 0 ? [] : [linkSeedsFile]),
    ];
    for (const { name } of servers) {
      const text = regionServerConfig(topology, region, name, paths(name, ...taken));
      files.set(join(region, `${name}.conf`), text);
    }
    const text = controlServerConfig(topology, region, paths(control.name, controlCredentialsFile));
    files.set(join(region, `${control.name}.conf`), text);
  }
  return files;
}

/**
 * Writes what a mesh needs to run into a folder: server configurations, the keys of all users,
 * certificates. Keys and certificates that are there already are kept.
 */
export async function writeMesh(
  topology: Topology,
  folder: string,
  locations: Locations = locationsIn(folder),
): Promise<void> {
  const keys = ensureKeys(topology, folder);
  if (topology.tls) await ensureCertificates(topology, folder);
  const files = serverConfigs(topology, locations);
  for (const { name } of topology.regions) {
    files.set(join(name, regionCredentialsFile), regionCredentials(topology, keys, name));
    files.set(join(name, controlCredentialsFile), controlCredentials(topology, keys, name));
    writeFileSync(join(folder, name, linkSeedsFile), linkSeeds(topology, folder, name), {
      mode: 0o600,
    });
  }
  for (const [path, text] of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** Where `writeMesh` put what the processes of a region are told. */
export function regionFiles(topology: Topology, folder: string, region: string) {
  const { servers, control } = regionOf(topology, region);
  const inRegion = (name: string): string => join(folder, region, name);
  return {
    servers: servers.map(({ name }) => inRegion(`${name}.conf`)),
    control: inRegion(`${control.name}.conf`),
    servicesSeed: seedFile(folder, region, 'services'),
    publisherSeed: seedFile(folder, region, 'publisher-demo'),
    controlSeed: seedFile(folder, region, 'control'),
    systemSeed: seedFile(folder, region, 'system'),
    caFile: inRegion(join('tls', 'ca.pem')),
  };
}
