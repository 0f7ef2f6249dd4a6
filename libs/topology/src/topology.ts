/** Where something listens or is reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ServerPorts {
  readonly client: number;
  readonly monitor: number;
  /** Where the other regions' links arrive. */
  readonly leaf: number;
  /** Where the other servers of the same region arrive; not used with one server. */
  readonly cluster: number;
}

/** One nats-server of a region. */
export interface RegionServer {
  /** Unique in the mesh; file names begin with it. */
  readonly name: string;
  /** By which the other regions, the region's services and its certificate know it. */
  readonly host: string;
  readonly ports: ServerPorts;
}

export interface ControlPorts {
  readonly client: number;
  readonly monitor: number;
  readonly cluster: number;
}

/** The one server that a region gives to the control cluster. */
export interface ControlServer {
  readonly name: string;
  readonly host: string;
  readonly ports: ControlPorts;
  /** What the other control servers are told to dial; by default host and cluster port. */
  readonly advertise?: Address;
}

export interface Region {
  readonly name: string;
  readonly servers: readonly RegionServer[];
  readonly control: ControlServer;
}

/** A leaf link: `from` dials `to`. Between two regions there is one each way. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** What is dialled instead of the leaf ports of `to`: a forwarder, or a proxy that can be cut. */
  readonly via?: readonly Address[];
}

/** A route between two control servers, dialled by the one of `from`. */
export interface ControlRoute {
  readonly from: string;
  readonly to: string;
  readonly via?: Address;
}

export interface Store {
  /** In nats-server's own notation, such as 1GB. */
  readonly memory: string;
  readonly file: string;
}

export type Profile = 'production' | 'development';

/** A mesh: what `deploy/regions.yaml` describes, with nothing left open. */
export interface Topology {
  /** production: sync every write, TLS for clients. development: one server a region, loopback. */
  readonly profile: Profile;
  readonly regions: readonly Region[];
  readonly links: readonly Link[];
  readonly controlRoutes: readonly ControlRoute[];
  /** Of each server of a region. */
  readonly store: Store;
  /** Of each control server. */
  readonly controlStore: Store;
  /** Whether leaf links and control routes are encrypted and both ends show a certificate. */
  readonly tls: boolean;
}

export const regionNames = (topology: Topology): string[] =>
  topology.regions.map(({ name }) => name);

/** @throws RangeError when there is no such region */
export function regionOf(topology: Topology, name: string): Region {
  const region = topology.regions.find((one) => one.name === name);
  if (region !== undefined) return region;
  throw new RangeError(
    `There is no region ${JSON.stringify(name)}.\n` +
      `The topology has ${regionNames(topology).join(', ')}.`,
  );
}

/** Both links between each two regions. */
export function fullMesh(names: readonly string[]): Link[] {
  return names.flatMap((from) =>
    names.filter((to) => to !== from).map((to): Link => ({ from, to })),
  );
}

/** The regions that `region` dials; it is dialled by the same ones. */
export function peersOf({ links }: Pick<Topology, 'links'>, region: string): string[] {
  return links.filter(({ from }) => from === region).map(({ to }) => to);
}

/** `nats://` or `tls://` URLs of a region's servers, with commas between them, for its services. */
export function clientUrls(topology: Topology, region: string): string {
  const scheme = topology.profile === 'production' ? 'tls' : 'nats';
  return regionOf(topology, region)
    .servers.map(({ host, ports }) => `${scheme}://${host}:${ports.client}`)
    .join(',');
}

/** The URLs of all control servers, with commas between them. */
export function controlUrls(topology: Topology): string {
  const scheme = topology.profile === 'production' ? 'tls' : 'nats';
  return topology.regions
    .map(({ control }) => `${scheme}://${control.host}:${control.ports.client}`)
    .join(',');
}
