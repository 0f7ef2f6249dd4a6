import { join } from 'node:path';
import { freePort } from './ports.ts';

/** The port that clients of the event-store protocol expect. */
const firstPort = 2_113;

/** How a region's gateway of the event-store protocol is served, and how a client connects. */
export interface EventStore {
  readonly environment: Readonly<Record<string, string>>;
  /** @param key an API key, which the client sends as its password */
  address(key: string): string;
}

/** In a region alone: in clear on loopback, where calls without credentials are the tenant demo's. */
export async function plainEventStore(keyFile: string): Promise<EventStore> {
  const port = await freePort(firstPort);
  return {
    environment: {
      MERIDIAN_EVENTSTORE_PORT: String(port),
      MERIDIAN_EVENTSTORE_LOOPBACK_KEY_FILE: keyFile,
    },
    address: () => `kurrentdb://127.0.0.1:${port}?tls=false`,
  };
}

/** In a mesh: with TLS, by the certificates of the regions' servers. */
export async function meshEventStores(
  dataDir: string,
  regions: readonly string[],
): Promise<ReadonlyMap<string, EventStore>> {
  const ports: number[] = [];
  for (const index of regions.keys()) ports.push(await freePort(firstPort + index));
  const gateways = regions.map((name, index) => `${name}=127.0.0.1:${ports[index]}`).join(',');
  return new Map(
    regions.map((name, index) => [
      name,
      {
        environment: {
          MERIDIAN_EVENTSTORE_PORT: String(ports[index]),
          MERIDIAN_EVENTSTORE_GATEWAYS: gateways,
          MERIDIAN_EVENTSTORE_CERT_FILE: join(dataDir, name, 'tls', `${name}-1.pem`),
          MERIDIAN_EVENTSTORE_CERT_KEY_FILE: join(dataDir, name, 'tls', `${name}-1-key.pem`),
        },
        address: (key) =>
          `kurrentdb://key:${key}@127.0.0.1:${ports[index]}` +
          `?tls=true&tlsCAFile=${encodeURIComponent(join(dataDir, 'ca.pem'))}`,
      },
    ]),
  );
}
