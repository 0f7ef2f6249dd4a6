import { z } from 'zod';

/** What a process of a region is told by its environment. */
export interface RegionConfig {
  readonly region: string;
  /** All regions of the mesh, this one among them, in the order given. */
  readonly regions: readonly string[];
  readonly natsUrl: string;
  readonly natsUser?: string;
  readonly natsPassword?: string;
  /** A file with the NKey seed of this process, instead of user and password. */
  readonly natsSeedFile?: string;
  /** A file with the authorities (PEM) that the servers' certificates are checked with; TLS is then a must. */
  readonly natsCaFile?: string;
  /** All servers of the control cluster; ownership is static without it. */
  readonly controlUrl?: string;
  readonly controlSeedFile?: string;
  /** How long a region's lease holds after the renewal that was sent last, in milliseconds. */
  readonly leaseMs: number;
  /** What a region does whose lease ended because it is cut off: stop deciding, or go on alone. */
  readonly onIsolation: 'fence' | 'serve';
  readonly clock: 'system' | 'driven';
  readonly httpHost: string;
  /** 0 takes any free port. */
  readonly httpPort: number;
  /** The epoch of the ownership under which this region decides for its home. */
  readonly epoch: number;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Where traces go, an OTLP endpoint over HTTP; none are made without it. */
  readonly otlpEndpoint?: string;
}

export interface ConfigProblem {
  readonly variable: string;
  /** The value as it was given; secrets are not shown. */
  readonly value: string;
  readonly expected: string;
}

/** The environment is wrong: every wrong variable at once. */
export class ConfigInvalid extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ variable, value, expected }) => `  ${variable} is ${value}; expected ${expected}`,
    );
    super(
      `The environment is not a configuration Meridian can start with:\n${lines.join('\n')}\n` +
        'Correct these variables, or unset them for their defaults, and start again.',
    );
    this.name = 'ConfigInvalid';
    this.problems = problems;
  }
}

interface Variable {
  readonly schema: z.ZodType;
  readonly expected: string;
  readonly secret?: boolean;
}

const whole = (least: number, most: number): z.ZodType =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const url = (...schemes: string[]): z.ZodType =>
  z.string().refine((text) => {
    try {
      return schemes.includes(new URL(text).protocol);
    } catch {
      return false;
    }
  });

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const natsUrls = z
  .string()
  .refine((text) => text.split(',').every((one) => url('nats:', 'tls:').safeParse(one).success));
const aFile = (what: string): Variable => ({
  schema: z.string().optional(),
  expected: `the path of a file with ${what}`,
});
const regionName = /^[a-z0-9]{1,16}$/;

const variables = {
  MERIDIAN_REGION: {
    schema: z.string().regex(regionName).default('eu'),
    expected: 'a region such as eu: 1 to 16 of a-z 0-9',
  },
  MERIDIAN_REGIONS: {
    schema: z
      .string()
      .transform((text) => text.split(','))
      .refine(
        (names) =>
          names.every((name) => regionName.test(name)) && new Set(names).size === names.length,
      )
      .optional(),
    expected: 'the different regions of the mesh with commas between them, such as eu,us,ap',
  },
  MERIDIAN_NATS_URL: {
    schema: natsUrls.default('nats://127.0.0.1:4222'),
    expected: 'one or more URLs such as nats://127.0.0.1:4222, with commas between them',
  },
  MERIDIAN_NATS_USER: { schema: z.string().optional(), expected: 'a user name' },
  MERIDIAN_NATS_PASSWORD: { schema: z.string().optional(), expected: 'a password', secret: true },
  MERIDIAN_NATS_SEED_FILE: aFile('an NKey seed'),
  MERIDIAN_NATS_CA_FILE: aFile('certificates of authorities (PEM)'),
  MERIDIAN_CONTROL_URL: {
    schema: natsUrls.optional(),
    expected: 'the URLs of all control servers, with commas between them',
  },
  MERIDIAN_CONTROL_SEED_FILE: aFile('an NKey seed'),
  MERIDIAN_LEASE_MS: {
    schema: whole(1_500, 600_000).default(5_000),
    expected: 'milliseconds from 1500 to 600000',
  },
  MERIDIAN_ON_ISOLATION: {
    schema: z.enum(['fence', 'serve']).default('fence'),
    expected: 'fence or serve',
  },
  MERIDIAN_CLOCK: {
    schema: z.enum(['system', 'driven']).default('system'),
    expected: 'system or driven',
  },
  MERIDIAN_HTTP_HOST: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9.:_-]+$/)
      .default('127.0.0.1'),
    expected: 'a host name or address to listen on, such as 127.0.0.1',
  },
  MERIDIAN_HTTP_PORT: {
    schema: whole(0, 65_535).default(8080),
    expected: 'a port from 0 (any free one) to 65535',
  },
  MERIDIAN_EPOCH: { schema: whole(1, 2 ** 31).default(1), expected: 'a whole number from 1 on' },
  LOG_LEVEL: {
    schema: z.enum(logLevels).default('info'),
    expected: `one of ${logLevels.join(', ')}`,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: url('http:', 'https:').optional(),
    expected: 'a URL such as http://127.0.0.1:4318',
  },
} satisfies Record<string, Variable>;

/**
 * Reads the configuration. Unknown variables are passed over; empty ones count as unset.
 * @throws ConfigInvalid naming every wrong variable, its value and what is expected
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): RegionConfig {
  const problems: ConfigProblem[] = [];
  const read = (name: keyof typeof variables): unknown => {
    const { schema, expected, secret } = variables[name] as Variable;
    const given = environment[name] === '' ? undefined : environment[name];
    const result = schema.safeParse(given);
    if (result.success) return result.data;
    problems.push({
      variable: name,
      value: secret === true ? '(not shown)' : JSON.stringify(given),
      expected,
    });
    return undefined;
  };
  const user = read('MERIDIAN_NATS_USER') as string | undefined;
  const password = read('MERIDIAN_NATS_PASSWORD') as string | undefined;
  const region = read('MERIDIAN_REGION') as string;
  const regions = (read('MERIDIAN_REGIONS') as string[] | undefined) ?? [region];
  const optional = Object.entries({
    natsUser: user,
    natsPassword: password,
    natsSeedFile: read('MERIDIAN_NATS_SEED_FILE'),
    natsCaFile: read('MERIDIAN_NATS_CA_FILE'),
    controlUrl: read('MERIDIAN_CONTROL_URL'),
    controlSeedFile: read('MERIDIAN_CONTROL_SEED_FILE'),
    otlpEndpoint: read('OTEL_EXPORTER_OTLP_ENDPOINT'),
  }).filter(([, value]) => value !== undefined);
  const config: RegionConfig = {
    region,
    regions,
    natsUrl: read('MERIDIAN_NATS_URL') as string,
    clock: read('MERIDIAN_CLOCK') as RegionConfig['clock'],
    httpHost: read('MERIDIAN_HTTP_HOST') as string,
    httpPort: read('MERIDIAN_HTTP_PORT') as number,
    epoch: read('MERIDIAN_EPOCH') as number,
    leaseMs: read('MERIDIAN_LEASE_MS') as number,
    onIsolation: read('MERIDIAN_ON_ISOLATION') as RegionConfig['onIsolation'],
    logLevel: read('LOG_LEVEL') as RegionConfig['logLevel'],
    ...Object.fromEntries(optional),
  };
  problems.push(...atOdds(config));
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return config;
}

/** What is wrong between variables that are right by themselves. */
function atOdds(config: RegionConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { region, regions, natsUser, natsPassword, natsSeedFile } = config;
  const problem = (variable: string, expected: string, value = 'unset'): void => {
    problems.push({ variable, value, expected });
  };
  if (natsUser === undefined && natsPassword !== undefined) {
    problem('MERIDIAN_NATS_USER', 'a user name, because there is a password');
  }
  if (natsUser !== undefined && natsPassword === undefined) {
    problem('MERIDIAN_NATS_PASSWORD', 'a password, because there is a user');
  }
  if (natsSeedFile !== undefined && (natsUser ?? natsPassword) !== undefined) {
    problem('MERIDIAN_NATS_SEED_FILE', 'a seed, or user and password, not both', 'set');
  }
  if (region !== undefined && !regions.includes(region)) {
    problem(
      'MERIDIAN_REGIONS',
      `regions with this one (${region}) among them`,
      JSON.stringify(regions.join(',')),
    );
  }
  return problems;
}
