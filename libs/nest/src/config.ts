import { z } from 'zod';

/** What a process of a region is told by its environment. */
export interface RegionConfig {
  readonly region: string;
  readonly natsUrl: string;
  readonly natsUser?: string;
  readonly natsPassword?: string;
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

const variables = {
  MERIDIAN_REGION: {
    schema: z
      .string()
      .regex(/^[a-z0-9]{1,16}$/)
      .default('eu'),
    expected: 'a region such as eu: 1 to 16 of a-z 0-9',
  },
  MERIDIAN_NATS_URL: {
    schema: z
      .string()
      .refine((text) => text.split(',').every((one) => url('nats:', 'tls:').safeParse(one).success))
      .default('nats://127.0.0.1:4222'),
    expected: 'one or more URLs such as nats://127.0.0.1:4222, with commas between them',
  },
  MERIDIAN_NATS_USER: { schema: z.string().optional(), expected: 'a user name' },
  MERIDIAN_NATS_PASSWORD: { schema: z.string().optional(), expected: 'a password', secret: true },
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
  if ((user === undefined) !== (password === undefined)) {
    problems.push(
      user === undefined
        ? {
            variable: 'MERIDIAN_NATS_USER',
            value: 'unset',
            expected: 'a user name, because there is a password',
          }
        : {
            variable: 'MERIDIAN_NATS_PASSWORD',
            value: 'unset',
            expected: 'a password, because there is a user',
          },
    );
  }
  const endpoint = read('OTEL_EXPORTER_OTLP_ENDPOINT') as string | undefined;
  const config: RegionConfig = {
    region: read('MERIDIAN_REGION') as string,
    natsUrl: read('MERIDIAN_NATS_URL') as string,
    ...(user === undefined ? {} : { natsUser: user }),
    ...(password === undefined ? {} : { natsPassword: password }),
    clock: read('MERIDIAN_CLOCK') as RegionConfig['clock'],
    httpHost: read('MERIDIAN_HTTP_HOST') as string,
    httpPort: read('MERIDIAN_HTTP_PORT') as number,
    epoch: read('MERIDIAN_EPOCH') as number,
    logLevel: read('LOG_LEVEL') as RegionConfig['logLevel'],
    ...(endpoint === undefined ? {} : { otlpEndpoint: endpoint }),
  };
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return config;
}
