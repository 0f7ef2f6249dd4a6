import { z } from 'zod';
import { ConfigInvalid, type ConfigProblem } from '@meridian/nest';

/** What the edge is told by its environment, beyond what every process of a region is. */
export interface EdgeConfig {
  /** Makes a first key when there is none, and shows it. */
  readonly development: boolean;
  /** Where the first key is written. */
  readonly keyFile?: string;
  /** The services that must have come to rest before `POST /v1/clock` answers. */
  readonly requiredServices: readonly string[];
  readonly heartbeatMs: number;
  readonly streamsLimit: number;
  /** How long a request waits until other regions hold it, in ms. */
  readonly durabilityWaitMs: number;
  /** Whether the read models are kept and served. */
  readonly readModels: boolean;
  /** A Postgres of one's own; without it one is embedded. */
  readonly databaseUrl?: string;
  /** Where the embedded Postgres keeps its things. */
  readonly dataDir: string;
}

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const variables = {
  MERIDIAN_DEV: { schema: z.enum(['0', '1']).default('0'), expected: '1 or 0' },
  MERIDIAN_KEY_FILE: { schema: z.string().optional(), expected: 'a path' },
  MERIDIAN_REQUIRED_SERVICES: {
    schema: z
      .string()
      .regex(/^[\w-]+(,[\w-]+)*$/)
      .default('sessions,routing'),
    expected: 'names of services with commas between them, such as sessions,routing',
  },
  MERIDIAN_HEARTBEAT_MS: {
    schema: whole(100, 600_000).default(15_000),
    expected: 'a whole number of ms from 100 to 600000',
  },
  MERIDIAN_STREAMS_LIMIT: {
    schema: whole(1, 1_000_000).default(5_000),
    expected: 'a whole number from 1 to 1000000',
  },
  MERIDIAN_DURABILITY_WAIT_MS: {
    schema: whole(10, 600_000).default(10_000),
    expected: 'a whole number of ms from 10 to 600000',
  },
  MERIDIAN_READ_MODELS: { schema: z.enum(['on', 'off']).default('on'), expected: 'on or off' },
  DATABASE_URL: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//)
      .optional(),
    expected: 'a URL such as postgres://user@127.0.0.1/eu',
  },
  MERIDIAN_DATA_DIR: { schema: z.string().default('.meridian'), expected: 'a path' },
} as const;

/** Reads the edge's part of the environment. @throws ConfigInvalid naming every wrong variable */
export function readEdgeConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): EdgeConfig {
  const problems: ConfigProblem[] = [];
  const read = <Name extends keyof typeof variables>(
    variable: Name,
  ): z.output<(typeof variables)[Name]['schema']> => {
    const { schema, expected } = variables[variable];
    const given = environment[variable] === '' ? undefined : environment[variable];
    const result = schema.safeParse(given);
    if (!result.success) {
      problems.push({
        variable,
        value: variable === 'DATABASE_URL' ? '(not shown)' : JSON.stringify(given),
        expected,
      });
    }
    return result.data as z.output<(typeof variables)[Name]['schema']>;
  };
  const keyFile = read('MERIDIAN_KEY_FILE');
  const required = read('MERIDIAN_REQUIRED_SERVICES');
  const databaseUrl = read('DATABASE_URL');
  const config: EdgeConfig = {
    development: read('MERIDIAN_DEV') === '1',
    ...(keyFile === undefined ? {} : { keyFile }),
    requiredServices: required?.split(',') ?? [],
    heartbeatMs: read('MERIDIAN_HEARTBEAT_MS'),
    streamsLimit: read('MERIDIAN_STREAMS_LIMIT'),
    durabilityWaitMs: read('MERIDIAN_DURABILITY_WAIT_MS'),
    readModels: read('MERIDIAN_READ_MODELS') === 'on',
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dataDir: read('MERIDIAN_DATA_DIR'),
  };
  if (problems.length > 0) throw new ConfigInvalid(problems);
  return config;
}
