import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { fullMesh, type Link, type Topology } from './topology.ts';

/** The description of the mesh is wrong: everything that is wrong with it, with its place. */
export class TopologyInvalid extends Error {
  readonly problems: readonly string[];

  constructor(source: string, problems: readonly string[]) {
    super(
      `${source} does not describe a mesh:\n${problems.map((one) => `  ${one}`).join('\n')}\n` +
        'Correct these places; deploy/README.md says what each means.',
    );
    this.name = 'TopologyInvalid';
    this.problems = problems;
  }
}

const regionName = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,15}$/, 'must be a lower-case letter and up to 15 more or digits');
const host = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
    'must be a host name or an IPv4 address',
  );
const serverName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'must be 1 to 41 of a-z 0-9 and -');
const size = z.string().regex(/^[1-9]\d{0,5}(MB|GB|TB)$/, 'must be a size such as 500GB');
const port = z.int().min(1).max(65_535);

const serverPorts = z.strictObject({
  client: port.default(4222),
  monitor: port.default(8222),
  leaf: port.default(7422),
  cluster: port.default(6222),
});
const controlPorts = z.strictObject({
  client: port.default(4322),
  monitor: port.default(8322),
  cluster: port.default(6322),
});
const store = (memory: string, file: string) =>
  z.strictObject({ memory: size.default(memory), file: size.default(file) }).prefault({});

const address = z
  .string()
  .regex(/^[A-Za-z0-9.-]+:\d{1,5}$/, 'must be host:port')
  .transform((text) => {
    const [name = '', number = ''] = text.split(':');
    return { host: name, port: Number(number) };
  });

const description = z.strictObject({
  version: z.literal(1),
  store: store('1GB', '200GB'),
  controlStore: store('256MB', '10GB'),
  regions: z.record(
    regionName,
    z.strictObject({
      servers: z
        .array(z.strictObject({ name: serverName, host, ports: serverPorts.prefault({}) }))
        .min(1)
        .max(7),
      control: z.strictObject({ name: serverName, host, ports: controlPorts.prefault({}) }),
    }),
  ),
  links: z
    .union([
      z.literal('mesh'),
      z.array(
        z.strictObject({
          from: regionName,
          to: regionName,
          via: z.array(address).min(1).optional(),
        }),
      ),
    ])
    .default('mesh'),
});

type Description = z.infer<typeof description>;

/**
 * Reads a description of a mesh (YAML).
 * @param source its name, for messages
 * @throws TopologyInvalid with the path of everything that is wrong
 */
export function parseTopology(text: string, source = 'deploy/regions.yaml'): Topology {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new TopologyInvalid(
      source,
      document.errors.map(({ message }) => message.split('\n')[0] as string),
    );
  }
  const result = description.safeParse(document.toJS());
  if (!result.success) throw new TopologyInvalid(source, result.error.issues.flatMap(explain));
  const problems = inconsistencies(result.data);
  if (problems.length > 0) throw new TopologyInvalid(source, problems);
  return topologyOf(result.data);
}

function explain(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.length === 0 ? 'the whole file' : issue.path.join('.');
  // Of a union's attempts the last one says most: the first is a plain word.
  if (issue.code === 'invalid_union') {
    const attempt = issue.errors.at(-1) ?? [];
    return attempt.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  return [`${place}: ${issue.message}`];
}

function inconsistencies({ regions, links }: Description): string[] {
  const names = Object.keys(regions);
  const problems = names.length === 0 ? ['regions: there must be at least one'] : [];
  const seen = new Map<string, string>();
  const once = (what: string, key: string, place: string): void => {
    const other = seen.get(`${what} ${key}`);
    if (other === undefined) seen.set(`${what} ${key}`, place);
    else problems.push(`${place}: ${what} ${key} is that of ${other} too`);
  };
  for (const [name, { servers, control }] of Object.entries(regions)) {
    for (const [index, server] of [...servers, control].entries()) {
      const place = `regions.${name}.${index < servers.length ? `servers.${index}` : 'control'}`;
      once('the name', server.name, place);
      for (const [kind, number] of Object.entries(server.ports)) {
        once('the address', `${server.host}:${number}`, `${place}.ports.${kind}`);
      }
    }
  }
  if (links === 'mesh') return problems;
  for (const [index, { from, to }] of links.entries()) {
    for (const [end, name] of Object.entries({ from, to })) {
      if (!names.includes(name)) problems.push(`links.${index}.${end}: there is no region ${name}`);
    }
    if (from === to) problems.push(`links.${index}: ${from} cannot be linked to itself`);
    once('the link', `${from} -> ${to}`, `links.${index}`);
    if (!links.some((back) => back.from === to && back.to === from)) {
      problems.push(`links.${index}: there is no link from ${to} back to ${from}`);
    }
  }
  return problems;
}

function topologyOf({ regions, links, ...rest }: Description): Topology {
  const names = Object.keys(regions);
  return {
    profile: 'production',
    tls: true,
    ...rest,
    regions: Object.entries(regions).map(([name, region]) => ({ name, ...region })),
    links:
      links === 'mesh'
        ? fullMesh(names)
        : links.map(({ from, to, via }): Link => (via ? { from, to, via } : { from, to })),
    controlRoutes: fullMesh(names).map(({ from, to }) => ({ from, to })),
  };
}
