import type { Endpoint } from './gateway.ts';

/** What the gateway is told by its environment. */
export interface EventStoreSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Files in PEM; without them it serves loopback only, in clear. */
  readonly certificateFile?: string;
  readonly keyFile?: string;
  /** Where clients reach the gateways, by region. */
  readonly gateways: ReadonlyMap<string, Endpoint>;
  /** A file with the API key for calls that bear none, on loopback in clear only. */
  readonly loopbackKeyFile?: string;
}

const prefix = 'MERIDIAN_EVENTSTORE_';
const gatewayPattern = /^([a-z0-9]{1,16})=(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/**
 * Reads `MERIDIAN_EVENTSTORE_PORT`, `_HOST`, `_CERT_FILE`, `_CERT_KEY_FILE`, `_GATEWAYS`
 * (`eu=eu.example.org:2113,us=…`) and `_LOOPBACK_KEY_FILE`; empty ones count as unset.
 * @returns undefined without a port: then there is no gateway
 * @throws Error naming the variable that is wrong
 */
export function readEventStoreSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): EventStoreSettings | undefined {
  const read = (name: string): string | undefined => environment[`${prefix}${name}`] || undefined;
  const port = read('PORT');
  if (port === undefined) return undefined;
  const [certificateFile, keyFile] = [read('CERT_FILE'), read('CERT_KEY_FILE')];
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new Error(
      `Of ${prefix}CERT_FILE and ${prefix}CERT_KEY_FILE only one is set.\nSet both, or neither.`,
    );
  }
  const loopbackKeyFile = read('LOOPBACK_KEY_FILE');
  return {
    host: read('HOST') ?? '127.0.0.1',
    port: portOf(`${prefix}PORT`, port, 0),
    gateways: new Map((read('GATEWAYS')?.split(',') ?? []).map(gatewayOf)),
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
    ...(loopbackKeyFile === undefined ? {} : { loopbackKeyFile }),
  };
}

function portOf(variable: string, text: string, least: number): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port >= least && port <= 65_535) return port;
  throw new Error(
    `${variable} is ${JSON.stringify(text)}; expected a port from ${least} to 65535.`,
  );
}

function gatewayOf(text: string): [region: string, endpoint: Endpoint] {
  const variable = `${prefix}GATEWAYS`;
  const [, region, ipv6, name, port] = gatewayPattern.exec(text) ?? [];
  const host = ipv6 ?? name;
  if (region === undefined || host === undefined || port === undefined) {
    throw new Error(
      `${variable} has ${JSON.stringify(text)}; expected <region>=<host>:<port>, with commas between.`,
    );
  }
  return [region, { host, port: portOf(variable, port, 1) }];
}
